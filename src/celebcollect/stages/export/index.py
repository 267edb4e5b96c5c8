"""What an export folder says of itself, in a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from pydantic import Field, ValidationError

from celebcollect.disk.files import disk_errors
from celebcollect.domain.errors import UsageError
from celebcollect.domain.records import Record

Layout = Literal["imagefolder", "webdataset"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)

INDEX = ".celebcollect-export.json"
"""Says that the folder is ours, and what is in it."""


class Shard(Record):
    """What is in a tar file, and the file as it was written."""

    digest: str
    """Of its content: the keys and the metadata."""
    sha256: str
    bytes: int
    mtime_ns: int


class Index(Record):
    """What an export folder holds."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    layout: Layout
    crops: bool = False
    """Faces instead of whole pictures."""
    max_shard_bytes: int | None = None
    """Of the tar files, where there are any."""
    complete: bool = False
    """False while an export is going on, or after it was interrupted."""
    fingerprint: str = ""
    pictures: dict[str, list[str]] = Field(default_factory=dict)
    """SHA-256 digests by QID."""
    shards: dict[str, Shard] = Field(default_factory=dict)

    def keys(self) -> set[str]:
        """Return the pictures as `QID/sha256`."""
        return {f"{qid}/{sha256}" for qid, shas in self.pictures.items() for sha256 in shas}


def read_index(folder: Path) -> Index | None:
    """
    Return what an export folder holds; None when it is none.

    Raises:
        UsageError: Its index cannot be understood.
        StorageError: The disk refuses.
    """
    file = folder / INDEX
    try:
        with disk_errors("read", file, passing=(FileNotFoundError,)):
            return Index.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise UsageError(
            f"{file} is no index of an export", hint="Export to another folder, or remove this one."
        ) from error
