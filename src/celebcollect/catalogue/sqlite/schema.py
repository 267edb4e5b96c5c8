"""The tables of the embedded catalogue.

A record is kept whole as JSON in `data`; beside it stand the columns that queries need. Triggers
keep the counters (`work` for each person, `totals` for all), so that no count has to look at a
million rows.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from celebcollect.disk.sqlite import SqliteFile
from celebcollect.disk.sqlite_format import SqliteFormat
from celebcollect.domain.errors import CatalogueError

APPLICATION_ID = 0x43434154
"""Marks the file as ours (SQLite's `application_id`): "CCAT"."""

VERSION = 3
"""SQLite's `user_version`; a file with a higher one was written by a newer program."""

SCHEMA = """
CREATE TABLE celebrities (
  person INTEGER PRIMARY KEY,          -- the QID without its Q
  sitelinks INTEGER NOT NULL,
  origin TEXT NOT NULL,
  data TEXT NOT NULL
);
CREATE INDEX celebrities_by_fame ON celebrities (sitelinks DESC);

CREATE TABLE names (
  folded TEXT NOT NULL,                -- name or alias as it is compared
  person INTEGER NOT NULL,
  PRIMARY KEY (folded, person)
) WITHOUT ROWID;

CREATE TABLE work (
  person INTEGER PRIMARY KEY,
  rounds INTEGER NOT NULL DEFAULT 0,
  finished INTEGER NOT NULL DEFAULT 0,
  revision INTEGER NOT NULL DEFAULT 0, -- grows with every batch of stored images
  cleaned INTEGER NOT NULL DEFAULT 0,  -- revision that was cleaned last
  cleaned_with TEXT NOT NULL DEFAULT '',
  verified INTEGER NOT NULL DEFAULT 0,
  stored INTEGER NOT NULL DEFAULT 0,
  accepted INTEGER NOT NULL DEFAULT 0,
  rejected INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX work_to_clean ON work (person) WHERE revision > cleaned;
CREATE INDEX work_cleaned_with ON work (cleaned_with, person) WHERE revision > 0;

CREATE TABLE searches (
  person INTEGER NOT NULL,
  source TEXT NOT NULL,
  rounds INTEGER NOT NULL,
  offered INTEGER NOT NULL,
  exhausted INTEGER NOT NULL,
  at TEXT,
  PRIMARY KEY (person, source)
) WITHOUT ROWID;

CREATE TABLE claims (
  task TEXT NOT NULL,
  person INTEGER NOT NULL,
  owner TEXT NOT NULL,
  until REAL NOT NULL,                 -- seconds since 1970
  PRIMARY KEY (task, person)
) WITHOUT ROWID;

CREATE TABLE images (
  number INTEGER PRIMARY KEY,          -- for `marks`; without a name VACUUM would renumber the rows
  person INTEGER NOT NULL,
  id TEXT NOT NULL,
  status TEXT NOT NULL,
  reason TEXT,
  sha256 INTEGER,                      -- 56 bits of it, see marks.digest
  phash INTEGER,                       -- its 64 bits as a signed number
  data TEXT NOT NULL
);
CREATE UNIQUE INDEX images_by_id ON images (person, id);

-- Digests and hashes lie all over an index: five entries for each picture would touch five pages
-- of a large one. So they are gathered in a small table, and thousands at once are moved to the
-- large one (marks.settle).
CREATE TABLE marks (
  key INTEGER NOT NULL,                -- see bands.keys; or 2^60 plus images.sha256
  phash INTEGER NOT NULL,              -- 0 beside a SHA-256
  image INTEGER NOT NULL,
  PRIMARY KEY (key, phash, image)
) WITHOUT ROWID;
CREATE TABLE marks_new (
  key INTEGER NOT NULL,
  phash INTEGER NOT NULL,
  image INTEGER NOT NULL,
  PRIMARY KEY (key, phash, image)
) WITHOUT ROWID;
CREATE TABLE waiting (images INTEGER NOT NULL);
INSERT INTO waiting VALUES (0);        -- about how many pictures have their entries in marks_new
CREATE TRIGGER hash_new AFTER INSERT ON images WHEN new.phash IS NOT NULL BEGIN
  INSERT INTO marks_new VALUES {hash_marks};
END;
CREATE TRIGGER hash_changed AFTER UPDATE OF phash ON images
WHEN new.phash IS NOT NULL AND new.phash IS NOT old.phash BEGIN
  INSERT INTO marks_new VALUES {hash_marks};
END;
CREATE TRIGGER hash_gone AFTER UPDATE OF phash ON images
WHEN old.phash IS NOT NULL AND new.phash IS NOT old.phash BEGIN
  DELETE FROM marks WHERE {old_hash_marks};
  DELETE FROM marks_new WHERE {old_hash_marks};
END;
CREATE TRIGGER digest_new AFTER INSERT ON images WHEN new.sha256 IS NOT NULL BEGIN
  INSERT INTO marks_new VALUES ((1 << 60) + new.sha256, 0, new.number);
END;
CREATE TRIGGER digest_changed AFTER UPDATE OF sha256 ON images
WHEN new.sha256 IS NOT NULL AND new.sha256 IS NOT old.sha256 BEGIN
  INSERT INTO marks_new VALUES ((1 << 60) + new.sha256, 0, new.number);
END;
CREATE TRIGGER digest_gone AFTER UPDATE OF sha256 ON images
WHEN old.sha256 IS NOT NULL AND new.sha256 IS NOT old.sha256 BEGIN
  DELETE FROM marks WHERE key = (1 << 60) + old.sha256 AND phash = 0 AND image = old.number;
  DELETE FROM marks_new WHERE key = (1 << 60) + old.sha256 AND phash = 0 AND image = old.number;
END;
CREATE TRIGGER marks_gone AFTER DELETE ON images BEGIN
  DELETE FROM marks WHERE {old_hash_marks};
  DELETE FROM marks_new WHERE {old_hash_marks};
  DELETE FROM marks WHERE key = (1 << 60) + old.sha256 AND phash = 0 AND image = old.number;
  DELETE FROM marks_new WHERE key = (1 << 60) + old.sha256 AND phash = 0 AND image = old.number;
END;

CREATE TABLE totals (
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (status, reason)
) WITHOUT ROWID;

CREATE TABLE forgotten (person INTEGER PRIMARY KEY);
CREATE TABLE forgotten_ids (id TEXT PRIMARY KEY) WITHOUT ROWID;

CREATE TABLE notes (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TRIGGER count_new AFTER INSERT ON images BEGIN
  INSERT INTO totals VALUES (new.status, coalesce(new.reason, ''), 1)
  ON CONFLICT (status, reason) DO UPDATE SET n = n + 1;
  UPDATE work SET
    verified = verified + (new.status = 'verified'),
    stored = stored + (new.status = 'stored'),
    accepted = accepted + (new.status = 'accepted'),
    rejected = rejected + (new.status = 'rejected'),
    failed = failed + (new.status = 'failed')
  WHERE person = new.person;
END;
CREATE TRIGGER count_gone AFTER DELETE ON images BEGIN
  UPDATE totals SET n = n - 1 WHERE status = old.status AND reason = coalesce(old.reason, '');
  UPDATE work SET
    verified = verified - (old.status = 'verified'),
    stored = stored - (old.status = 'stored'),
    accepted = accepted - (old.status = 'accepted'),
    rejected = rejected - (old.status = 'rejected'),
    failed = failed - (old.status = 'failed')
  WHERE person = old.person;
END;
CREATE TRIGGER count_changed AFTER UPDATE OF status, reason ON images
WHEN new.status IS NOT old.status OR new.reason IS NOT old.reason BEGIN
  UPDATE totals SET n = n - 1 WHERE status = old.status AND reason = coalesce(old.reason, '');
  INSERT INTO totals VALUES (new.status, coalesce(new.reason, ''), 1)
  ON CONFLICT (status, reason) DO UPDATE SET n = n + 1;
  UPDATE work SET
    verified = verified + (new.status = 'verified') - (old.status = 'verified'),
    stored = stored + (new.status = 'stored') - (old.status = 'stored'),
    accepted = accepted + (new.status = 'accepted') - (old.status = 'accepted'),
    rejected = rejected + (new.status = 'rejected') - (old.status = 'rejected'),
    failed = failed + (new.status = 'failed') - (old.status = 'failed')
  WHERE person = new.person;
END;
"""

FACES = """
CREATE TABLE faces (
  person INTEGER PRIMARY KEY,
  version TEXT NOT NULL,
  mean BLOB NOT NULL,
  trusted INTEGER NOT NULL,
  image TEXT NOT NULL,
  held_against INTEGER,
  change INTEGER NOT NULL              -- grows with every write, so that what is new is found
);
CREATE UNIQUE INDEX faces_by_change ON faces (change);
CREATE INDEX faces_held_against ON faces (held_against) WHERE held_against IS NOT NULL;
"""
"""New in version 2; see catalogue.faces."""

PORTRAITS = """
ALTER TABLE searches ADD COLUMN portraits TEXT;
INSERT OR IGNORE INTO notes
VALUES ('portraits-since', json_object('at', strftime('%Y-%m-%dT%H:%M:%SZ', 'now')));
"""
"""New in version 3; see state.SearchState and state.PORTRAITS_SINCE."""

_BANDS = (
    "({row}.phash >> 48) & 65535",
    "65536 + (({row}.phash >> 32) & 65535)",
    "131072 + (({row}.phash >> 16) & 65535)",
    "196608 + ({row}.phash & 65535)",
)
"""What `bands.keys` says, in SQL."""


def statements(version: int = 0) -> list[str]:
    """Return the SQL that makes a catalogue of an empty file (0), or of one of a former version."""
    found: list[str] = []
    current = ""
    new = ", ".join(f"({key.format(row='new')}, new.phash, new.number)" for key in _BANDS)
    bands = ", ".join(key.format(row="old") for key in _BANDS)
    old = f"key IN ({bands}) AND phash = old.phash AND image = old.number"
    parts = (SCHEMA.format(hash_marks=new, old_hash_marks=old), FACES, PORTRAITS)
    for line in "".join(parts[version:]).splitlines(keepends=True):
        current += line
        # Knows the semicolons inside triggers.
        if sqlite3.complete_statement(current):
            found.append(current.strip())
            current = ""
    return found


def open_catalogue(file: Path) -> SqliteFile:
    """
    Open a catalogue, making it where it is missing and bringing a former one up to date.

    Raises:
        CatalogueError: The file cannot be opened or made, is damaged, is another program's, or was
            written by a newer program.
    """
    return SqliteFile(file, _FORMAT)


_FORMAT = SqliteFormat(
    what="the catalogue",
    error=CatalogueError,
    version=VERSION,
    statements=statements,
    application_id=APPLICATION_ID,
    # 16 MB: holds the inner pages of every index at a million images
    cache_kib=16_384,
    # 16 MB instead of 4: a page that many batches touch is then written once
    checkpoint_pages=4_000,
)
