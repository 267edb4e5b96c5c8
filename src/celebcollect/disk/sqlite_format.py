"""What an SQLite file of ours is, and what SQLite's errors mean to a person."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from celebcollect.domain.errors import ServiceError

BUSY_S = 60.0
"""How long to wait for another process's transaction; ours take milliseconds, so longer means that
somebody hangs."""


@dataclass(frozen=True, slots=True)
class SqliteFormat:
    """What a file of ours is, how a former one is brought up to date, and how it is tuned."""

    what: str
    """How errors call the file, before its path: "the catalogue"."""
    error: type[ServiceError]
    """What its errors become."""
    version: int
    """SQLite's `user_version`; a file with a higher one was written by a newer program."""
    statements: Callable[[int], Sequence[str]]
    """Returns the SQL that brings a file of this version, 0 for an empty one, up to `version`."""
    application_id: int = 0
    """SQLite's `application_id`; with 0 the version alone says that a file is ours."""
    damaged: str = "Restore it from a backup, or let `sqlite3 FILE .recover` save what can be read."
    """What to do about a damaged file."""
    page_bytes: int = 4_096
    cache_kib: int = 2_000
    """Page cache of each connection."""
    checkpoint_pages: int = 1_000
    """Pages in the write-ahead log before they are copied back: a page that many transactions
    touch is then written once."""


def code_of(error: sqlite3.Error) -> int:
    """Return SQLite's primary result code (the low byte); 0 for an error of Python's module."""
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


def hint_of(error: sqlite3.Error, kind: SqliteFormat) -> str:
    """Return what a person can do about an error of a file of this kind."""
    match code_of(error):
        case sqlite3.SQLITE_FULL:
            return "The disk is full: make room, then run the same command again."
        case sqlite3.SQLITE_IOERR:
            return "The disk failed or is full: see the system's log, then run it again."
        case sqlite3.SQLITE_READONLY:
            return "The file or its folder is read-only: SQLite needs to write to both."
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return "You must be allowed to read and write the file and its folder."
        case sqlite3.SQLITE_NOTADB:
            return (
                "It is no SQLite database, or damaged: move it away, or point data_dir elsewhere."
            )
        case sqlite3.SQLITE_CORRUPT:
            return f"The file is damaged. {kind.damaged}"
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"Another process has held it for {BUSY_S:.0f} s: is one of them stopped?"
        case _:
            return "Check data_dir: its disk and its permissions."
