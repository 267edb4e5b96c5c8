"""The folder of everything that is kept: made by who collects, left alone by who only looks."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from celebcollect.disk.files import disk_errors

log = logging.getLogger(__name__)


class DataFolder:
    """
    One `data_dir`.

    Who is `looking` makes nothing in it. Where there is nothing yet, an empty folder elsewhere
    stands in until `close`, so that whoever looks finds an empty collection and no error.
    """

    def __init__(self, folder: Path, *, looking: bool) -> None:
        self._folder, self._looking = folder, looking
        self._open = ExitStack()

    @cached_property
    def path(self) -> Path:
        """
        Return the folder, made when missing by who does more than look.

        Raises:
            StorageError: It cannot be made.
        """
        hint = "Set data_dir to a folder that can be written."
        with disk_errors("make the data folder", self._folder, hint=hint):
            # What is no folder is told by who looks, too.
            if not self._looking or self._folder.exists():
                self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder

    @cached_property
    def scratch(self) -> Path:
        """Return the folder for what a source keeps: the data folder, or what stands in for it."""
        return self._stand_in if self._looking else self.path

    def database(self, name: str) -> Path:
        """Return where a database lies; one that is missing is not made by who only looks."""
        file = self.path / name
        if not self._looking or file.exists():
            return file
        log.debug("nothing was collected yet missing=%s", file.absolute())
        return self._stand_in / name

    @cached_property
    def _stand_in(self) -> Path:
        return Path(self._open.enter_context(TemporaryDirectory(prefix="celebcollect-")))

    def close(self) -> None:
        """Remove what stood in."""
        self._open.close()
