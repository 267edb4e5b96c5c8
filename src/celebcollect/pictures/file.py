"""A file that holds a picture. Imports nothing heavy: every start reads the specs of checks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from celebcollect.disk.files import disk_errors


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A file that holds a picture, and the size that was measured on it."""

    id: str
    """Tells it from others that are looked at with it; any text."""
    path: Path
    width_px: int
    """Width and height are those in the file, before EXIF turns it."""
    height_px: int

    @property
    def long_side_px(self) -> int:
        """Return the longer side, at least 1."""
        return max(self.width_px, self.height_px, 1)

    def read(self) -> bytes:
        """
        Return the bytes.

        Raises:
            StorageError: The file cannot be read.
        """
        hint = "Check the disk and the rights on it, then run clean again."
        with disk_errors("read", self.path, hint=hint):
            return self.path.read_bytes()
