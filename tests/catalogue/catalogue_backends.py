"""Open the same catalogue from several processes, whichever backend keeps it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from celebcollect.catalogue.base import Catalogue
from celebcollect.config.sections import MongoConfig
from services.mongo_service import running


@dataclass(frozen=True)
class Backend:
    """Where one catalogue is kept."""

    kind: str
    """`embedded`, `java` or `ferretdb`."""
    where: str
    """A file, or the URI of a server."""
    database: str = ""
    processes: list[subprocess.Popen[str]] = field(default_factory=list)
    """All that were started; those that are left are killed at the end of the test."""

    def open(self) -> Catalogue:
        """Open the catalogue once more, as another process would."""
        if self.kind == "embedded":
            from celebcollect.catalogue.sqlite.catalogue import EmbeddedCatalogue

            return EmbeddedCatalogue(Path(self.where))
        from celebcollect.catalogue.mongo import MongoCatalogue

        return MongoCatalogue(MongoConfig(uri=SecretStr(self.where), database=self.database))

    def process(self, task: str, *arguments: str) -> subprocess.Popen[str]:
        """Start a process that opens the catalogue and does a task of `catalogue_process`."""
        script = Path(__file__).with_name("catalogue_process.py")
        command = [
            sys.executable,
            str(script),
            self.kind,
            self.where,
            self.database,
            task,
            *arguments,
        ]
        paths = os.pathsep.join([str(script.parent), str(script.parents[1])])
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": paths},
        )
        self.processes.append(process)
        return process


@contextmanager
def new_backend(kind: str, folder: Path) -> Iterator[Backend]:
    """
    Yield an empty catalogue's place.

    A new file, or a new database on a server that ends with the tests.
    """
    if kind == "embedded":
        backend = Backend(kind, str(folder / "catalogue.sqlite3"))
    else:
        backend = Backend(kind, running(kind).uri, running(kind).new_database())
    try:
        yield backend
    finally:
        for process in backend.processes:
            process.kill()
            process.communicate()
