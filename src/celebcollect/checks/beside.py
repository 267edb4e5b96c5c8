"""Keep what several face engines measured of a picture side by side.

A check's facts are those of one engine, and name its version. Those of others stay below `BESIDE`,
so that whoever changes the engine and changes it back measures nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from pydantic import JsonValue

from celebcollect.checks.base import Facts, Picture, missing

BESIDE = "beside"
"""Key of what other engines measured, by their versions."""

MAX_BESIDE = 2
"""Engines whose facts are kept beside those of the one in use: some 1 KB for each face (a choice,
not measured)."""


def kept_beside(former: Mapping[str, JsonValue], now: Facts) -> Facts:
    """Return the facts of now, with the former ones beside them; of too many the oldest go."""
    others = _others(former)
    version = former.get("version")
    if isinstance(version, str) and version != now.get("version"):
        others[version] = {name: value for name, value in former.items() if name != BESIDE}
    others.pop(str(now.get("version")), None)
    kept = dict(list(others.items())[-MAX_BESIDE:])
    plain = {name: value for name, value in now.items() if name != BESIDE}
    return {**plain, BESIDE: cast("JsonValue", kept)} if kept else plain


def known_beside(
    name: str, version: str, pictures: Sequence[Picture]
) -> Iterator[tuple[str, Facts]]:
    """Yield id and facts of the pictures that this engine has measured before another one did."""
    for picture in missing(name, version, pictures):
        former = picture.facts(name)
        known = _others(former).get(version)
        if known is not None:
            yield picture.image.id, kept_beside(former, known)


def is_new(former: Mapping[str, JsonValue], now: Mapping[str, JsonValue]) -> bool:
    """Tell whether something was measured in between, and not only taken from beside."""
    plain = [{key: facts[key] for key in facts if key != BESIDE} for facts in (former, now)]
    return plain[0] != plain[1] and now.get("version") not in _others(former)


def only_beside(facts: Mapping[str, JsonValue]) -> Facts:
    """Return what is left of facts when those of the engine in use are forgotten."""
    others = _others(facts)
    kept: Facts = {BESIDE: cast("JsonValue", others)}
    return kept if others else {}


def _others(facts: Mapping[str, JsonValue]) -> dict[str, Facts]:
    return dict(cast("Mapping[str, Facts]", facts.get(BESIDE) or {}))
