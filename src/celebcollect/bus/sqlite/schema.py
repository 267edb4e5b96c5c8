"""The SQLite file of the embedded log: what is in it, and how former versions are brought up."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from celebcollect.disk.sqlite import SqliteFile
from celebcollect.disk.sqlite_format import SqliteFormat
from celebcollect.domain.errors import BusError

FILE = "log.sqlite3"

OFFSET_BITS = 40
"""A message's row id is its topic's id, shifted, plus its offset: 2**40 messages in each of 2**23
topics."""

_FIRST = """
CREATE TABLE topics (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  compacted INTEGER NOT NULL,
  next_offset INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE messages (
  id INTEGER PRIMARY KEY,              -- see OFFSET_BITS
  key BLOB,
  value BLOB,
  timestamp_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE newest (                  -- of each key of a compacted topic
  topic INTEGER NOT NULL,
  key BLOB NOT NULL,
  id INTEGER NOT NULL,
  PRIMARY KEY (topic, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE committed (
  consumers TEXT NOT NULL,
  topic INTEGER NOT NULL,
  next_offset INTEGER NOT NULL,
  PRIMARY KEY (consumers, topic)
) STRICT, WITHOUT ROWID;

CREATE TABLE holders (                 -- the process that consumes for a group
  consumers TEXT PRIMARY KEY,
  pid INTEGER NOT NULL,
  host TEXT NOT NULL,
  since TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""

_SECOND = """
CREATE TABLE purged (id INTEGER PRIMARY KEY) STRICT;
"""
"""Gaps in the offsets of topics that are not compacted, so that lags stay exact."""


def statements(version: int) -> list[str]:
    """Return the SQL that makes a log of an empty file (0), or of one of a former version."""
    script = "".join((_FIRST, _SECOND)[version:])
    return [part for part in script.split("\n\n") if sqlite3.complete_statement(part)]


def open_log(folder: Path) -> SqliteFile:
    """
    Open the log in `folder`, making both where they are missing.

    Raises:
        BusError: The folder cannot be written, the file is damaged, is another program's, or was
            written by a newer program.
    """
    return SqliteFile(folder / FILE, _FORMAT)


_FORMAT = SqliteFormat(
    what="the message log in",
    error=BusError,
    version=2,
    statements=statements,
    damaged=(
        "Restore it from a backup, or move it away to start an empty log"
        " (what waits in it is then lost)."
    ),
    page_bytes=8_192,
    # 16 MB: each page is copied into the file once per that much log
    checkpoint_pages=2_000,
)
