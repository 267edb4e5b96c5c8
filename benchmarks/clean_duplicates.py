"""Measure finding copies among a million hashes: clean_duplicates.py [STORED] [NEW].

Builds a catalogue of that many pictures, then asks in a process of its own, 20 pictures at a time
as `clean` does.
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from celebcollect.catalogue.sqlite.catalogue import EmbeddedCatalogue
from celebcollect.domain.batches import batches
from celebcollect.domain.records import Image, Status, image_id

PER_PERSON = 20
COPY_BITS = 4


def hashes(count: int) -> Iterator[int]:
    """Yield hashes of 32 ones, as a median makes them."""
    source = random.Random(count)
    for _ in range(count):
        yield sum(1 << bit for bit in source.sample(range(64), 32))


def row(number: int, phash: int) -> Image:
    """Return a stored picture."""
    qid, url = f"Q{number // PER_PERSON + 1}", f"https://pictures.example/{number}.jpg"
    facts = {
        "format": "jpeg",
        "bytes": 200_000,
        "width_px": 1000,
        "height_px": 1200,
        "phash": f"{phash:016x}",
        "phash_version": 1,
    }
    sha256 = f"{number:064x}"
    return Image(
        id=image_id(qid, url),
        qid=qid,
        name="A Person",
        status=Status.STORED,
        source="google",
        url=url,
        sha256=sha256,
        path=f"images/{qid}/{sha256}.jpg",
        **facts,
    )


def build(file: Path, count: int) -> None:
    """Store `count` pictures."""
    catalogue = EmbeddedCatalogue(file)
    for batch in batches((row(number, phash) for number, phash in enumerate(hashes(count))), 5000):
        catalogue.record_stored(batch)
    catalogue.close()


def ask(file: Path, stored: int, new: int) -> None:
    """Look `new` pictures up, half of them copies of stored ones, and print what it took."""
    source = random.Random(1)
    copied = [phash for phash, _ in zip(hashes(stored), range(new // 2), strict=False)]
    asked = [f"{_changed(phash, source):016x}" for phash in copied] + [
        f"{phash:016x}" for phash in hashes(new - len(copied))
    ]
    catalogue = EmbeddedCatalogue(file)
    wall, cpu, found = time.perf_counter(), time.process_time(), 0
    for batch in batches(asked, PER_PERSON):
        found += len(catalogue.similar(batch, version=1, bits=COPY_BITS))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{stored:>9,} stored | {new:,} new | {found} found of {len(copied)} copies | {wall:.2f} s,"
        f" {cpu:.2f} CPU s | peak {peak_mb:.0f} MB"
    )


def _changed(phash: int, source: random.Random) -> int:
    for bit in source.sample(range(64), COPY_BITS):
        phash ^= 1 << bit
    return phash


def main() -> None:
    """Build and ask, for a thousandth of the catalogue and for all of it."""
    if sys.argv[1:2] == ["--ask"]:
        ask(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
        return
    most, new = (
        int(sys.argv[1]) if sys.argv[1:] else 1_000_000,
        int(sys.argv[2]) if sys.argv[2:] else 1000,
    )
    for stored in (max(most // 1000, 1000), most):
        with tempfile.TemporaryDirectory() as folder:
            file, started = Path(folder) / "catalogue.sqlite3", time.perf_counter()
            build(file, stored)
            print(
                f"{stored:>9,} rows written in {time.perf_counter() - started:.0f} s,"
                f" {file.stat().st_size / 1e6:.0f} MB"
            )
            subprocess.run(
                [sys.executable, __file__, "--ask", str(file), str(stored), str(new)], check=True
            )


if __name__ == "__main__":
    main()
