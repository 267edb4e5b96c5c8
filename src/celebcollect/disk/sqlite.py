"""One SQLite file: pooled connections, transactions, versions of its format, errors in words.

It knows nothing of what is in the tables. Every commit is flushed to the disk before it returns
(`synchronous=FULL`), so that no power cut takes away what somebody was told is done.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from celebcollect.disk.sqlite_format import BUSY_S, SqliteFormat, code_of, hint_of

LOG_BYTES = 64 * 1024 * 1024
"""What is left of the write-ahead log after a large transaction."""


class SqliteFile:
    """
    A pool of connections to one file; thread-safe. Several processes may have the same file open.

    Open it in the process that uses it, not before a fork.

    Raises:
        ServiceError: Of the format's kind: the file cannot be opened or made, is not ours, or was
            written by a newer program; later: the disk is full or failed, the file is damaged.
    """

    def __init__(self, file: Path, kind: SqliteFormat) -> None:
        self.file = file
        self._kind = kind
        self._lock = threading.Lock()
        # The threads of a process take turns here: SQLite itself would have the others sleep, and
        # wake up late.
        self._writers = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._open = True
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._kind.error(
                f"{self._kind.what} {file} cannot be made: {error.strerror}",
                hint="Set data_dir to a folder that you may write to.",
            ) from error
        self._bring_up_to_date()

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[sqlite3.Connection]:
        """
        Yield a connection in a transaction: committed at the end, rolled back on an error.

        A writing one is the only one of its kind at a time, over all processes; a reading one sees
        one state throughout. A thread must not open a writing one inside another.
        """
        if not write:
            with self.connection() as connection, _transaction(connection, "BEGIN"):
                yield connection
            return
        with (
            self._writers,
            self.connection() as connection,
            _transaction(connection, "BEGIN IMMEDIATE"),
        ):
            yield connection

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """
        Yield a connection outside a transaction, to read: each statement sees one state by itself.

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
        Write the file anew without what was deleted from it, and empty the write-ahead log.

        Takes seconds per gigabyte and as much free space.

        Raises:
            ServiceError: Somebody kept reading for a minute, so that the old data is still in the
                write-ahead log.
        """
        with self._writers, self.connection() as connection:
            connection.execute("VACUUM")
            (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise self._kind.error(
                f"another process keeps {self._kind.what} {self.file} in use",
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
                raise self._kind.error(
                    f"{self._kind.what} {self.file} is closed already",
                    hint="That is a fault of celebcollect: please report it.",
                )
            if self._idle:
                return self._idle.pop()
        connection = sqlite3.connect(
            self.file, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            self._is_current(connection)
            _configure(connection, self._kind)
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

    def _is_current(self, connection: sqlite3.Connection) -> bool:
        """Tell whether the file is ours and up to date; change nothing, it may be another's."""
        # One statement sees one state: another process may be making the tables right now.
        application, version, tables = connection.execute(
            "SELECT application_id, user_version, EXISTS (SELECT 1 FROM sqlite_master)"
            " FROM pragma_application_id, pragma_user_version"
        ).fetchone()
        ours = application == self._kind.application_id and version > 0
        if ours and version > self._kind.version:
            raise self._kind.error(
                f"{self._kind.what} {self.file} was written by a newer celebcollect (version"
                f" {version}, this program knows {self._kind.version})",
                hint="Update celebcollect, or point data_dir elsewhere.",
            )
        if ours:
            return bool(version == self._kind.version)
        if application or version or tables:
            raise self._kind.error(
                f"{self.file} is a database of another program, not {self._kind.what}",
                hint="Point data_dir elsewhere, or move the file away.",
            )
        return False

    def _bring_up_to_date(self) -> None:
        with self.transaction() as connection:
            # Asked again inside the transaction: another process may have been first.
            if self._is_current(connection):
                return
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            for statement in self._kind.statements(version):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {self._kind.application_id}")
            connection.execute(f"PRAGMA user_version = {self._kind.version}")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._kind.error(
                f"{self._kind.what} {self.file} failed: {error}", hint=hint_of(error, self._kind)
            ) from error


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has rolled back by itself after some errors (disk full).
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _configure(connection: sqlite3.Connection, kind: SqliteFormat) -> None:
    # Only an empty file heeds it, and only before the write-ahead log is switched on.
    connection.execute(f"PRAGMA page_size = {kind.page_bytes}")
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous = FULL")
    # On macOS fsync alone leaves the data in the drive's cache; elsewhere these two change nothing.
    connection.execute("PRAGMA fullfsync = ON")
    connection.execute("PRAGMA checkpoint_fullfsync = ON")
    connection.execute(f"PRAGMA cache_size = -{kind.cache_kib}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {kind.checkpoint_pages}")
    connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")


def _write_ahead(connection: sqlite3.Connection) -> None:
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            # Changing the mode does not wait for others as everything else does
            # (sqlite.org/wal.html, "SQLITE_BUSY"). A loop and not stamina, because it ends by
            # the clock alone, as the waiting inside SQLite does.
            if code_of(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
