"""What both catalogues agree on when they forget a person."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from celebcollect.catalogue.keys import number
from celebcollect.domain.records import Celebrity


def note_of(qid: str) -> str:
    """Return the key of the note that says under which items and ids somebody is forgotten."""
    # By number, as in the catalogue's list of the forgotten: no QID is left for a search to find.
    return f"forgotten-{number(qid)}"


def noted_with(
    noted: Mapping[str, Any] | None, qids: Iterable[str], ids: Iterable[str]
) -> dict[str, Any]:
    """Return what such a note holds with more items and ids."""
    noted = noted or {}
    return {
        "items": sorted({*noted.get("items", ()), *map(number, qids)}),
        "ids": sorted({*noted.get("ids", ()), *ids}),
    }


def refused_ids(
    people: Sequence[Celebrity], refused: Collection[str]
) -> Iterator[tuple[str, set[str]]]:
    """Yield the people who have one of the refused ids, with those that they have."""
    for person in people:
        theirs = set(person.external_ids) & set(refused)
        if theirs:
            yield person.qid, theirs


def is_note_about(key: str, qid: str) -> bool:
    """Tell whether a whole note is about one person, as `clean/Q42` is."""
    return qid in key.split("/")


def without(value: JsonValue, gone: Collection[str]) -> JsonValue:
    """
    Return a note's value without what names one of these ids.

    That is entries under it or with it as their value, and items of lists.
    """
    if isinstance(value, dict):
        return {
            key: without(entry, gone)
            for key, entry in value.items()
            if key not in gone and not _is(entry, gone)
        }
    if isinstance(value, list):
        return [without(item, gone) for item in value if not _is(item, gone)]
    return value


def _is(value: JsonValue, gone: Collection[str]) -> bool:
    return isinstance(value, str) and value in gone
