"""Follow items that were merged: the old item says only which one it is now."""

from __future__ import annotations

from collections.abc import Callable, Collection

from celebcollect.domain.batches import batches
from celebcollect.sources.wikidata import queries
from celebcollect.sources.wikidata.answers import Row
from celebcollect.sources.wikidata.values import qid_of

BATCH = 500
"""Items per question: each is one look into an index."""

DEEP = 5
"""Merges one after the other that are followed; bots shorten longer chains within days."""


def merged_into(select: Callable[[str], list[Row]], qids: Collection[str]) -> dict[str, str]:
    """
    Return into which item each of these was merged, those that were not left out.

    An item that was merged several times leads to the last one.
    """
    found: dict[str, str] = {}
    asked = set(qids)
    for _ in range(DEEP):
        step = _ask(select, sorted(asked))
        found |= step
        asked = set(step.values()) - found.keys()
        if not asked:
            break
    return {qid: _last(found, qid) for qid in qids if qid in found}


def _ask(select: Callable[[str], list[Row]], qids: Collection[str]) -> dict[str, str]:
    step: dict[str, str] = {}
    for some in batches(qids, BATCH):
        for row in select(queries.merged(some)):
            item, into = qid_of(row.get("item")), qid_of(row.get("into"))
            if item and into and item != into:
                step[item] = into
    return step


def _last(found: dict[str, str], qid: str) -> str:
    for _ in range(DEEP):
        qid = found.get(qid, qid)
    return qid
