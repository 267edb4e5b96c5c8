"""Choose the pictures to export, and what is told of each."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from celebcollect.catalogue.base import Forgetting, Images, People
from celebcollect.checks.face_facts import faces_of
from celebcollect.domain.batches import batches
from celebcollect.domain.reasons import Reason
from celebcollect.domain.records import Image, Status
from celebcollect.domain.tally import Tally
from celebcollect.pictures.file import PictureFile
from celebcollect.sources.terms import ml_permitted, ml_use
from celebcollect.stages.export.crops import recipe
from celebcollect.stages.export.index import Layout
from celebcollect.stages.export.split import SPLITS, Split, split_of
from celebcollect.stages.reasons import CollectReason, ExportReason
from celebcollect.vision.base import Face

MAX_SHARD_BYTES = 512 * 1024**2
"""Large enough to be read in one go, small enough to be rewritten when one picture goes."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SelectionCatalogue(Images, People, Forgetting, Protocol):
    """What the choice of pictures is made from."""


@dataclass(frozen=True, slots=True)
class ExportSettings:
    """What to export, and how."""

    layout: Layout
    ml_use_permitted: Collection[str] = ()
    """Whose agreements to machine learning the user holds (`[train] ml_use_permitted`)."""
    max_shard_bytes: int = MAX_SHARD_BYTES
    """Of a tar file; a picture that is larger gets one of its own."""
    crops: bool = False
    """Faces, cut out and level, instead of whole pictures."""
    only: Collection[str] | None = None
    """Export nothing beyond these pictures (`QID/sha256`); None: all."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture of the set: its metadata, with empty texts where the source told nothing."""

    qid: str
    name: str
    source: str
    url: str
    page_url: str
    licence: str
    licence_url: str
    author: str
    restrictions: str
    """Limits other than copyright, e.g. `personality`."""
    profession: str
    ml_use: str
    width_px: int
    height_px: int
    bytes: int
    format: str
    sha256: str
    phash: str
    stored_at: str = field(metadata={"type": "datetime"})
    """ISO 8601, UTC, whole seconds."""
    path: str = field(metadata={"type": None})
    """In the image folder."""
    split: Split = field(metadata={"type": None})
    overruled: str = field(default="", metadata={"type": None})
    """Reason for which a check had thrown it out, where a person has brought it back."""
    face: Face | None = field(default=None, metadata={"type": None})
    """What to cut out; None: the whole picture."""

    @property
    def key(self) -> str:
        """Return the identity of the picture, as on `dataclean`."""
        return f"{self.qid}/{self.sha256}"

    @property
    def extension(self) -> str:
        """Return the extension of the exported file."""
        return "jpg" if self.face else self.path.rpartition(".")[2]

    @property
    def stamp_ns(self) -> int:
        """
        Return the time that the exported file gets: that of its download.

        Its nanoseconds tell one crop of the picture from another.
        """
        return int(datetime.fromisoformat(self.stored_at).timestamp()) * 10**9 + (
            recipe(self.face) if self.face else 0
        )

    def picture(self, file: Path) -> PictureFile:
        """Return what is needed to look at it."""
        return PictureFile(self.key, file, self.width_px, self.height_px)

    def row(self) -> dict[str, Any]:
        """
        Return the metadata: the same columns for every picture, and no nulls.

        Readers guess a column's type from its first rows (Arrow, 2026): a column that is null in
        one split and text in another cannot be loaded.
        """
        return {column: getattr(self, column) for column in COLUMNS}


COLUMNS: dict[str, str] = {
    column.name: kind
    for column in fields(Sample)
    if (kind := column.metadata.get("type", column.type))
}
"""Names of the metadata, and their types: `str`, `int`, `datetime`."""


def select(catalogue: SelectionCatalogue, settings: ExportSettings, tally: Tally) -> list[Sample]:
    """
    Return the accepted pictures that may be given away, by QID number and SHA-256.

    Each takes about 1 KB of memory.

    Counts `needs_agreement` (its source forbids machine learning without one), `no_known_face` (for
    crops), `forgotten` and `incomplete` as left out.
    """
    samples: dict[str, Sample] = {}
    for images in batches(catalogue.images(status=Status.ACCEPTED), 500):
        qids = {image.qid for image in images}
        names = {person.qid: person.name for person in catalogue.people(qids)}
        forgotten = catalogue.forgotten(qids)
        for image in images:
            reason = _refusal(image, settings, forgotten)
            if reason:
                tally.drop(reason)
                continue
            sample = _sample(image, names.get(image.qid, image.name), crop=settings.crops)
            if settings.only is None or sample.key in settings.only:
                samples.setdefault(sample.key, sample)
    return sorted(samples.values(), key=lambda sample: (int(sample.qid[1:]), sample.sha256))


def _refusal(image: Image, settings: ExportSettings, forgotten: Collection[str]) -> Reason | None:
    if image.qid in forgotten:
        return CollectReason.FORGOTTEN
    if not (
        image.sha256
        and image.path
        and image.bytes
        and image.format
        and image.width_px
        and image.height_px
    ):
        return ExportReason.INCOMPLETE
    if not ml_permitted(image.source, image.url, settings.ml_use_permitted):
        return ExportReason.NEEDS_AGREEMENT
    if settings.crops and not faces_of(image):
        return ExportReason.NO_KNOWN_FACE
    return None


def _sample(image: Image, name: str, *, crop: bool) -> Sample:
    # Interned: thousands of pictures share these, and are kept in memory until the end.
    return Sample(
        qid=sys.intern(image.qid),
        name=sys.intern(name),
        source=sys.intern(image.source),
        url=image.url,
        page_url=image.page_url or "",
        licence=sys.intern(image.licence or ""),
        licence_url=sys.intern(image.licence_url or ""),
        author=sys.intern(image.author or ""),
        restrictions=sys.intern(image.restrictions or ""),
        profession=sys.intern(image.profession or ""),
        ml_use=sys.intern(ml_use(image.source, image.url).value),
        width_px=image.width_px or 0,
        height_px=image.height_px or 0,
        bytes=image.bytes or 0,
        format=sys.intern(image.format or ""),
        sha256=image.sha256 or "",
        phash=image.phash or "",
        stored_at=(image.stored_at or EPOCH).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        path=image.path or "",
        split=split_of(image.page_url, image.sha256 or ""),
        overruled=sys.intern((image.restored_from or "").partition(":")[0]),
        face=faces_of(image)[0] if crop else None,
    )


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """What an export holds."""

    layout: Layout
    crops: bool
    images: int
    people: int
    bytes: int
    splits: dict[str, int]
    left_out: dict[str, int]
    fingerprint: str
    """SHA-256 over people, pictures and sides: the same for the same set."""
    newest: str
    """When the newest picture was downloaded; the set's date."""

    @classmethod
    def of(cls, settings: ExportSettings, samples: Sequence[Sample], tally: Tally) -> ExportSummary:
        """Sum up what was exported."""
        return cls(
            layout=settings.layout,
            crops=settings.crops,
            images=len(samples),
            people=len({sample.qid for sample in samples}),
            bytes=sum(sample.bytes for sample in samples),
            splits={split: sum(sample.split == split for sample in samples) for split in SPLITS},
            left_out=tally.reasons,
            fingerprint=hashlib.sha256(b"".join(_lines(samples))).hexdigest(),
            newest=max(
                (sample.stored_at for sample in samples),
                default=EPOCH.strftime("%Y-%m-%dT%H:%M:%SZ"),
            ),
        )


def _lines(samples: Sequence[Sample]) -> Iterator[bytes]:
    return (f"{sample.split}/{sample.key}\n".encode() for sample in samples)
