"""Find images of the embedded catalogue by their bytes or by the likeness of their hashes.

Each function works inside a transaction of its caller.

What was stored last lies in the small table `marks_new`, everything older in `marks`; every
question goes to both.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Collection

from celebcollect.catalogue import bands
from celebcollect.domain.batches import batches

SETTLE_AT = 50_000
"""Pictures (of five entries) whose entries are moved at once: then ten of them fall on each page of
a million's index, instead of one."""


def digest(sha256: str) -> int:
    """Return 56 bits under which a SHA-256 is found; what shares them is compared whole."""
    return int.from_bytes(hashlib.blake2b(sha256.encode(), digest_size=7).digest())


def of_bytes(connection: sqlite3.Connection, shas: Collection[str]) -> list[str]:
    """Return the records that may have one of these digests, by QID number and id."""
    keys = sorted({(1 << 60) + digest(sha) for sha in shas})
    return _records(connection, [image for _, _, image in _look_up(connection, keys)])


def of_hashes(connection: sqlite3.Connection, phashes: Collection[str], bits: int) -> list[str]:
    """
    Return the records whose hashes are like one of these, by QID number and id.

    They are of whatever version, and differ in at most `bits` bits.
    """
    images: set[int] = set()
    for batch in batches(sorted(set(phashes)), bands.BATCH):
        asked = bands.probes(batch, bits)
        found = _look_up(connection, sorted(asked))
        near = bands.near(asked, ((key, phash) for key, phash, _ in found), bits)
        images.update(image for _, phash, image in found if phash in near)
    return _records(connection, images)


def settle(connection: sqlite3.Connection, more: int) -> None:
    """
    Note that `more` pictures got entries.

    When they have become many, the new entries are moved to the old ones, which takes a second or
    two.
    """
    connection.execute("UPDATE waiting SET images = images + ?", (more,))
    if connection.execute("SELECT images FROM waiting").fetchone()[0] >= SETTLE_AT:
        # In the order of the index, so that each of its pages is touched once.
        connection.execute("INSERT OR IGNORE INTO marks SELECT key, phash, image FROM marks_new")
        connection.execute("DELETE FROM marks_new")
        connection.execute("UPDATE waiting SET images = 0")


def _look_up(connection: sqlite3.Connection, keys: Collection[int]) -> list[tuple[int, int, int]]:
    query = """
        SELECT m.key, phash, image FROM json_each(?1) CROSS JOIN marks m WHERE m.key = value
        UNION ALL
        SELECT m.key, phash, image FROM json_each(?1) CROSS JOIN marks_new m WHERE m.key = value
    """
    return connection.execute(query, (json.dumps(keys),)).fetchall()


def _records(connection: sqlite3.Connection, images: Collection[int]) -> list[str]:
    if not images:
        return []
    query = """
        SELECT data FROM json_each(?) CROSS JOIN images WHERE number = value
        ORDER BY person, images.id
    """
    return [data for (data,) in connection.execute(query, (json.dumps(sorted(set(images))),))]
