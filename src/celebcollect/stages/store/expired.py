"""Drop pictures that their source's terms let nobody keep for longer, and have them fetched again.

What is older than its source's terms permit (`domain.terms.Terms.keep_days`) leaves the data set,
the disk and the catalogue's measurements, and its candidate is downloaded anew. What the source no
longer serves is then a failed download like any other.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from celebcollect.bus.base import Bus, Item
from celebcollect.catalogue.base import Images, Notes, Work
from celebcollect.catalogue.tasks import CLEAN
from celebcollect.disk.owners import this_owner
from celebcollect.domain.batches import batches
from celebcollect.domain.records import Image, Status, now
from celebcollect.images.base import ImageStore
from celebcollect.sources.terms import must_go
from celebcollect.stages.reasons import StoreReason
from celebcollect.stages.store.again import to_fetch_again

log = logging.getLogger(__name__)

NOTE = "expired"
"""When all rows were looked at last."""

LOOK_EVERY = timedelta(days=1)

_LEASE_S = 300.0
_BATCH = 200
_WITH_A_FILE = (Status.STORED, Status.ACCEPTED, Status.REJECTED)


class ExpiryCatalogue(Images, Work, Notes, Protocol):
    """What the expiry of pictures needs of the catalogue."""


def drop_expired(
    catalogue: ExpiryCatalogue,
    folder: ImageStore,
    bus: Bus,
    *,
    clean_topic: str,
    at: datetime | None = None,
) -> int:
    """
    Turn pictures that were kept for too long into failed downloads that are due at once.

    Returns how many there were, by now or by `at`.

    Looks at all rows, once a day. Withdraws first, removes the file second and changes the row
    third, so a crash anywhere leaves a row that is found again. Pictures of people whom a cleaner
    holds just now wait for the next look.

    Raises:
        CelebCollectError: The log, the catalogue or the disk failed.
    """
    moment = at or now()
    if not _is_time(catalogue, moment):
        return 0
    old = (
        row
        for status in _WITH_A_FILE
        for row in catalogue.images(status=status)
        if must_go(row, at=moment)
    )
    dropped, held = 0, False
    # A list: rows change their status under the walk through them.
    for rows in batches(list(old), _BATCH):
        qids = sorted({row.qid for row in rows})
        mine = catalogue.claim(CLEAN, qids, owner=this_owner(), lease_s=_LEASE_S)
        try:
            for qid in mine:
                dropped += _drop(
                    catalogue,
                    folder,
                    bus,
                    [row for row in rows if row.qid == qid],
                    clean_topic=clean_topic,
                    moment=moment,
                )
        finally:
            catalogue.release(CLEAN, mine, owner=this_owner())
        held |= len(mine) < len(qids)
    if not held:
        catalogue.set_note(NOTE, {"looked_at": moment.isoformat()})
    return dropped


def _is_time(catalogue: Notes, moment: datetime) -> bool:
    note = catalogue.note(NOTE)
    return note is None or abs(moment - datetime.fromisoformat(note["looked_at"])) >= LOOK_EVERY


def _drop(
    catalogue: ExpiryCatalogue,
    folder: ImageStore,
    bus: Bus,
    rows: Sequence[Image],
    *,
    clean_topic: str,
    moment: datetime,
) -> int:
    """Drop rows of one person, whom nobody cleans meanwhile."""
    ids = {row.id for row in rows}
    everything = catalogue.person_images(rows[0].qid)
    # Asked again, now that nobody else changes them.
    gone: list[Image] = []
    kept: set[str | None] = set()
    for row in everything:
        if row.status not in _WITH_A_FILE:
            continue
        if row.id in ids and must_go(row, at=moment):
            gone.append(row)
        else:
            kept.add(row.sha256)
    withdrawn = sorted({f"{row.qid}/{row.sha256}" for row in gone if row.status is Status.ACCEPTED})
    tombstones: list[Item] = [(key, None) for key in withdrawn]
    bus.publish(clean_topic, tombstones)
    # The same bytes may have come from elsewhere too; then the file stays, and cleaning again
    # decides which row stands for it.
    for path in {row.path for row in gone if row.path and row.sha256 not in kept}:
        folder.remove(path)
    catalogue.record_verdicts(
        [
            to_fetch_again(
                row,
                StoreReason.KEPT_TOO_LONG,
                f"since {row.stored_at or row.found_at:%Y-%m-%d}",
                moment,
            )
            for row in gone
        ]
    )
    if gone:
        catalogue.clean_again([gone[0].qid])
        log.info("pictures kept for too long dropped qid=%s pictures=%d", gone[0].qid, len(gone))
    return len(gone)
