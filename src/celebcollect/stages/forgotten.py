"""Who is forgotten stays forgotten: under the item that Wikidata merged theirs into, too.

What `forget` knew of a person's other ids is noted, so that `unforget` can take all of it back.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Protocol

from celebcollect.catalogue.base import Forgetting, Notes, People
from celebcollect.domain.errors import SourceError
from celebcollect.domain.records import now

log = logging.getLogger(__name__)

ASK_EVERY = timedelta(days=1)
NOTE = "forgotten-merged"
"""When Wikidata was asked last, and about how many."""


class ForgottenCatalogue(People, Forgetting, Notes, Protocol):
    """What is remembered of people who are to be forgotten."""


class Merging(Protocol):
    """Who knows which items were merged: Wikidata."""

    def merged_into(self, qids: Collection[str]) -> dict[str, str]:
        """Return into which item each of these was merged."""


def _key(qid: str) -> str:
    return f"forgotten-{_number(qid)}"


def _number(qid: str) -> int:
    # As in the catalogue's list of the forgotten: no QID is left that a search would find.
    return int(qid[1:])


def remember(catalogue: Notes, qid: str, qids: Collection[str], ids: Collection[str]) -> None:
    """Note under which items and ids a person is forgotten, beside what was noted before."""
    items, others = _remembered(catalogue, qid)
    noted = {
        "items": sorted(_number(one) for one in {*items, *qids}),
        "ids": sorted({*others, *ids}),
    }
    catalogue.set_note(_key(qid), noted)


def _remembered(catalogue: Notes, qid: str) -> tuple[set[str], set[str]]:
    noted = catalogue.note(_key(qid)) or {}
    items = {f"Q{item}" for item in noted.get("items", ())}
    return items, {str(text) for text in noted.get("ids", ())}


def allow_again(catalogue: ForgottenCatalogue, qid: str) -> list[str]:
    """
    Take back that a person is to be forgotten; return under which items that was.

    Nothing that was removed comes back by that: it only may be collected again.
    """
    items, ids = _remembered(catalogue, qid)
    allowed = sorted(catalogue.forgotten([qid, *items]), key=_number)
    catalogue.allow(allowed, ids)
    # Last: a crash before this allows the same once more.
    for one in allowed:
        catalogue.set_note(_key(one), None)
    return allowed


def follow_merged(catalogue: ForgottenCatalogue, wikidata: Merging, *, daily: bool) -> list[str]:
    """
    Forbid the items into which those of forgotten people were merged; return the new ones.

    Wikidata is not asked where nobody is forgotten; with `daily`, only where it was not since
    yesterday, or somebody was forgotten since. Without an answer the work goes on: the next one
    asks again.
    """
    gone = catalogue.all_forgotten()
    if not gone or (daily and _is_fresh(catalogue, len(gone))):
        return []
    try:
        merged = wikidata.merged_into(gone)
    except SourceError as error:
        log.warning("nobody says whether forgotten people have another item: %s", error.message)
        return []
    new = {into: qid for qid, into in merged.items() if into not in set(gone)}
    for into, qid in new.items():
        remember(catalogue, qid, [qid, into], ())
        catalogue.forbid([into])
        known = catalogue.people([into])
        log.warning(
            "a forgotten person has another item now qid=%s was=%s%s",
            into,
            qid,
            f"; `celebcollect forget {into}` removes what is there" if known else "",
        )
    count = len(gone) + len(new)
    catalogue.set_note(NOTE, {"asked_at": now().isoformat(), "people": count})
    return sorted(new)


def _is_fresh(catalogue: Notes, people: int) -> bool:
    noted = catalogue.note(NOTE)
    if noted is None or noted["people"] != people:
        return False
    return abs(now() - datetime.fromisoformat(noted["asked_at"])) < ASK_EVERY
