"""Fill a catalogue with pictures of other people, for the store benchmark."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from celebcollect.catalogue.sqlite.catalogue import EmbeddedCatalogue
from celebcollect.domain.batches import batches
from celebcollect.domain.records import Image, now
from celebcollect.stages.store import expired as store_expired


def fill(file: Path, folder: Path, known: int) -> None:
    """Copy a catalogue of so many pictures to a file; it is made in the folder once."""
    shutil.copy(_made(folder, known), file)
    catalogue = EmbeddedCatalogue(file)
    # The look for pictures that were kept for too long reads all rows, but once a day; it is not
    # what a picture costs.
    catalogue.set_note(store_expired.NOTE, {"looked_at": now().isoformat()})
    catalogue.close()


def _made(folder: Path, known: int) -> Path:
    file = folder / f"known-{known}.sqlite3"
    if not file.is_file():
        building = file.with_suffix(".part")
        building.unlink(missing_ok=True)
        catalogue = EmbeddedCatalogue(building)
        for numbers in batches(range(known), 1000):
            catalogue.record_stored([_stored(n) for n in numbers])
        catalogue.close()
        building.rename(file)
    return file


def _stored(number: int) -> Image:
    """Return the row of a picture that somebody else's run stored."""
    digest, qid = hashlib.sha256(str(number).encode()).hexdigest(), f"Q{number // 20 + 1_000_000}"
    facts = {
        "status": "accepted",
        "source": "bench",
        "bytes": 250_000,
        "format": "jpeg",
        "width_px": 800,
        "height_px": 1200,
        "phash_version": 1,
    }
    names = {
        "id": f"{qid}:{digest[:32]}",
        "qid": qid,
        "name": f"Name of {qid}",
        "path": f"images/{qid}/{digest}.jpg",
        "sha256": digest,
    }
    return Image.model_validate(
        {**facts, **names, "phash": digest[:16], "url": f"https://images.example.org/{digest}.jpg"}
    )
