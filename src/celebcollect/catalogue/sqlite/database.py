"""Open the SQLite file of the embedded catalogue, hand out transactions on it, and put its errors into words.

Knows nothing of people and pictures but their schema.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from celebcollect.catalogue.sqlite import schema
from celebcollect.domain.errors import CatalogueError

BUSY_S = 60.0
"""How long to wait for another process's transaction; ours take milliseconds, so longer means that
somebody hangs."""

CACHE_KIB = 16_384
"""Page cache of a connection: holds the inner pages of every index at a million images."""

CHECKPOINT_PAGES = 4_000
"""Copy the write-ahead log back every 16 MB instead of every 4: a page that many batches touch is
then written once."""

LOG_BYTES = 64 * 1024 * 1024
"""What is left of the write-ahead log after a large transaction."""


class Database:
    """
    A pool of connections to one file; thread-safe. Several processes may have the same file open.

    Every commit is flushed to the disk before it returns (`synchronous=FULL`), because an offset of
    the log is committed after it: a power cut must not take away a row whose message is done.

    Raises:
        CatalogueError: The file cannot be opened or created, is no catalogue, or was written by a
            newer program.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._open = True
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CatalogueError(
                f"cannot create {file.parent}: {error.strerror}",
                hint="Set data_dir to a folder that you may write to.",
            ) from error
        self._create()

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[sqlite3.Connection]:
        """
        Yield a connection inside a transaction: committed at the end, rolled back when the block raises.

        A writing one is the only one of its kind at a time, over all processes; a reading one sees
        one state throughout.
        """
        with self.connection() as connection:
            connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """
        Yield a connection outside a transaction, for statements that read, each of which sees one state by itself.

        Cheaper than a transaction, not so much for SQLite as for Python: after each statement a
        thread waits for its turn among the others.
        """
        with self._told():
            connection = self._take()
            try:
                yield connection
            except BaseException:
                # Whatever state it is in: the next one gets a fresh connection.
                connection.close()
                raise
            self._give_back(connection)

    def wipe(self) -> None:
        """
        Write the file anew without what was deleted from it, and empty the write-ahead log; takes seconds per gigabyte and as much free space.

        Raises:
            CatalogueError: Somebody kept reading for a minute, so that the old data is still in the
                write-ahead log.
        """
        with self.connection() as connection:
            connection.execute("VACUUM")
            (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise CatalogueError(
                f"another process keeps the catalogue {self.file} in use",
                hint="End it, then run the same command again.",
            )

    def close(self) -> None:
        """Close all idle connections; those in use close when they are given back."""
        with self._lock:
            self._open = False
            idle, self._idle = self._idle, []
        with self._told():
            for connection in idle:
                connection.close()

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if not self._open:
                raise CatalogueError(
                    f"the catalogue {self.file} is closed already",
                    hint="That is a fault of celebcollect: please report it.",
                )
            if self._idle:
                return self._idle.pop()
        connection = sqlite3.connect(
            self.file, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            self._check(connection)
            _configure(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if self._open:
                self._idle.append(connection)
                return
        connection.close()

    def _check(self, connection: sqlite3.Connection) -> bool:
        """Return whether the file is a catalogue; False when it is empty or of a former version. Changes nothing, for it may be somebody else's."""
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if application == schema.APPLICATION_ID and version > schema.VERSION:
            raise CatalogueError(
                f"{self.file} was written by a newer celebcollect (version {version}, this program knows {schema.VERSION})",
                hint="Update celebcollect, or point data_dir elsewhere.",
            )
        if application == schema.APPLICATION_ID:
            return bool(version == schema.VERSION)
        if (
            application
            or version
            or connection.execute("SELECT EXISTS (SELECT 1 FROM sqlite_master)").fetchone()[0]
        ):
            raise CatalogueError(
                f"{self.file} is a database of another program",
                hint="Point data_dir elsewhere, or move the file away.",
            )
        return False

    def _create(self) -> None:
        with self.transaction() as connection:
            # Asked again inside the transaction: another process may have been first.
            if self._check(connection):
                return
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            for statement in schema.statements(version):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {schema.VERSION}")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise CatalogueError(
                f"the catalogue {self.file} failed: {error}", hint=_hint(error)
            ) from error


def _configure(connection: sqlite3.Connection) -> None:
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            # Changing the mode does not wait for others as everything else does
            # (sqlite.org/wal.html, "SQLITE_BUSY").
            if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    connection.execute("PRAGMA synchronous = FULL")
    # On macOS fsync alone leaves the data in the drive's cache; elsewhere these two change nothing.
    connection.execute("PRAGMA fullfsync = ON")
    connection.execute("PRAGMA checkpoint_fullfsync = ON")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")


def _code(error: sqlite3.Error) -> int:
    """Return SQLite's primary result code; 0 for an error of Python's module itself."""
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


def _hint(error: sqlite3.Error) -> str:
    hints = {
        sqlite3.SQLITE_FULL: "The disk is full: make room, then run the same command again.",
        sqlite3.SQLITE_IOERR: "The disk failed or is full; see the system's log, then run the same command again.",
        sqlite3.SQLITE_READONLY: "The file or its folder is read-only: SQLite needs to write to both.",
        sqlite3.SQLITE_CANTOPEN: "The folder must exist, and you must be allowed to write to it.",
        sqlite3.SQLITE_PERM: "You need permission to read and write the file and its folder.",
        sqlite3.SQLITE_NOTADB: "It is no SQLite database: move it away, or point data_dir elsewhere.",
        sqlite3.SQLITE_CORRUPT: "The file is damaged: restore it from a backup, or let `sqlite3 FILE .recover` save what can be read.",
        sqlite3.SQLITE_BUSY: f"Another process has held it for {BUSY_S:.0f} s: is one of them stopped?",
    }
    return hints.get(_code(error), "")
