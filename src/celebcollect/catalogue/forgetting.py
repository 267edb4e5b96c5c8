"""What both catalogues agree on when they forget a person."""

from __future__ import annotations

from collections.abc import Collection

from pydantic import JsonValue


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
