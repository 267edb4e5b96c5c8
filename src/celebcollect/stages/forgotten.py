"""Who is forgotten stays forgotten: under the item that Wikidata merged theirs into, too.

What `forget` knew of a person's other ids is noted, so that `unforget` can take all of it back.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from celebcollect.catalogue.base import Forgetting, Notes, People
from celebcollect.catalogue.forgetting import note_of, noted_with
from celebcollect.catalogue.keys import number
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


@dataclass(frozen=True)
class Allowed:
    """What was taken back."""

    items: list[str]
    """The person's items, by number."""
    kept_ids: list[str]
    """Ids elsewhere that stay forbidden and may be the person's: nobody noted whose they are."""


def remember(catalogue: Notes, qid: str, qids: Collection[str], ids: Collection[str]) -> None:
    """Note under which items and ids a person is forgotten, beside what was noted before."""
    former = catalogue.note(note_of(qid))
    noted = noted_with(former, qids, ids)
    if noted != former:
        catalogue.set_note(note_of(qid), noted)


def is_remembered(catalogue: ForgottenCatalogue, qid: str) -> bool:
    """Tell whether somebody is to be forgotten, or half allowed again."""
    return bool(catalogue.forgotten([qid]) or catalogue.note(note_of(qid)))


def allow_again(catalogue: ForgottenCatalogue, qid: str, ids: Collection[str] = ()) -> Allowed:
    """
    Take back that a person is to be forgotten, under all items and ids that are known to be theirs.

    Nothing that was removed comes back by that: it only may be collected again. A second time
    finishes what a crash left undone.

    Args:
        catalogue: What is changed.
        qid: Any item of the person.
        ids: Ids elsewhere that are theirs too, where the catalogue does not know.
    """
    noted = {one: _remembered(catalogue, one) for one in {qid, *catalogue.all_forgotten()}}
    items, theirs, is_noted = _same_person(catalogue, noted, qid)
    theirs |= set(ids)
    # Any of the notes leads to all of it, in case that a crash leaves but one.
    for one in items:
        remember(catalogue, one, items, theirs)
    catalogue.allow(items, theirs)
    for one in sorted(items, key=lambda one: one == qid):
        catalogue.set_note(note_of(one), None)
    others = {text for _, known in noted.values() for text in known}
    kept = [] if is_noted or ids else sorted(set(catalogue.forgotten_ids()) - others)
    return Allowed(sorted(items, key=number), kept)


def _remembered(catalogue: Notes, qid: str) -> tuple[set[str], set[str]]:
    noted = catalogue.note(note_of(qid)) or {}
    return {f"Q{item}" for item in noted.get("items", ())}, set(noted.get("ids", ()))


def _same_person(
    catalogue: Notes, noted: dict[str, tuple[set[str], set[str]]], qid: str
) -> tuple[set[str], set[str], bool]:
    """Return the items and ids that notes connect with an item, and whether any names it."""
    items, ids = {qid}, set[str]()
    while True:
        for one in items - noted.keys():
            noted[one] = _remembered(catalogue, one)
        near = [
            (one, known)
            for one, (named, known) in noted.items()
            if one in items or named & items or known & ids
        ]
        more = {name for one, _ in near for name in (one, *noted[one][0])}
        known_ids = {text for _, known in near for text in known}
        if more <= items and known_ids <= ids:
            return items, ids, any(qid in named for named, _ in noted.values())
        items |= more
        ids |= known_ids


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
    # Each that was merged, also into an item that is forbidden already: `unforget` goes along them.
    for qid, into in merged.items():
        remember(catalogue, qid, [qid, into], ())
    for into, qid in new.items():
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
