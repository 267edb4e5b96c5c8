"""Bring downloads that failed for a passing reason back when their time has come.

The catalogue is the queue of what is due, so this works across runs and processes, which a retry
library cannot. `store.failures` says when; tries within a run are those of `store.engine`.
"""

from __future__ import annotations

from typing import Protocol

from celebcollect.bus.base import Bus, Item
from celebcollect.catalogue.base import Images, Work
from celebcollect.disk.owners import this_owner
from celebcollect.domain.batches import batches
from celebcollect.domain.records import SCHEMA, Image, ImageCandidate, Status, now

_BATCH = 500

_LEASE_S = 600.0
"""Until the next look of the same worker; the claims are not given back, so that no other worker
publishes the same in between."""


class DueCatalogue(Images, Work, Protocol):
    """What is due, and claims that share it among workers."""


def publish_due(catalogue: DueCatalogue, bus: Bus, *, verified_topic: str) -> int:
    """
    Put the candidates whose `retry_at` has come on the verified topic again; return how many.

    Several workers share the people among them; a candidate that is published twice all the same
    does no harm, because `store` skips a row that was tried meanwhile. Reads all failed rows.
    """
    moment = now()
    failed = catalogue.images(status=Status.FAILED)
    due = (row for row in failed if row.retry_at is not None and row.retry_at <= moment)
    published = 0
    for rows in batches(due, _BATCH):
        mine = set(
            catalogue.claim(
                "retry", sorted({row.qid for row in rows}), owner=this_owner(), lease_s=_LEASE_S
            )
        )
        items: list[Item] = [
            (row.qid, _candidate(row).to_json()) for row in rows if row.qid in mine
        ]
        bus.publish(verified_topic, items)
        published += len(items)
    return published


def _candidate(row: Image) -> ImageCandidate:
    # The size of the candidate was the source's claim; the row does not keep it.
    fields = row.model_dump(include=set(ImageCandidate.model_fields) - {"width_px", "height_px"})
    return ImageCandidate.model_validate({"schema": SCHEMA, **fields})
