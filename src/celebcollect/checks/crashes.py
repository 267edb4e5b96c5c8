"""What is kept of a picture on which the face engine died.

That is no fact about its bytes, for the machine may have run out of memory: the picture is tried
again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pydantic import JsonValue

from celebcollect.checks.base import Facts, Picture, Rejection
from celebcollect.checks.beside import kept_beside, only_beside
from celebcollect.domain.reasons import Reason
from celebcollect.vision.base import EngineCrashed


class FaceEngineReason(Reason):
    """What happened to the face engine."""

    FACE_ENGINE_CRASHED = (
        "face_engine_crashed",
        "clean",
        "The face engine died of the picture, or of a lack of memory; the next two cleanings try"
        " again.",
        "Run `clean` again; with fewer `[clean] workers` each has more memory.",
    )


MAX_CRASHES = 3
"""Cleanings that try a picture, each twice; one that always kills the engine (a choice, not
measured) is to cost something only so often."""


def counted(
    results: Iterable[tuple[str, Facts | EngineCrashed]],
    pictures: Sequence[Picture],
    *,
    name: str,
    version: str,
) -> Iterator[tuple[str, Facts]]:
    """
    Yield id and facts of each picture, crashes with their number, other engines' beside them.

    Only facts with a `version` count as measured, and crashes get one when there is no hope left.

    Args:
        results: What was measured, by the ids of the pictures.
        pictures: Those that were looked at, with the facts that they had before.
        name: The check whose facts these are.
        version: What its facts are marked with.
    """
    former = {picture.image.id: picture.facts(name) for picture in pictures}
    crashes = {picture.image.id: _crashes(picture.facts(name), version) for picture in pictures}
    for id_, result in results:
        if isinstance(result, EngineCrashed):
            count = crashes[id_] + 1
            crash: Facts = {"crashes": count, "crashed": version}
            facts = crash | {"version": version} if count >= MAX_CRASHES else crash
        else:
            facts = {"version": version, **result}
        yield id_, kept_beside(former[id_], facts)


def rejection(picture: Picture, name: str) -> Rejection | None:
    """Return what a check says of a picture on which the engine died; None for all others."""
    facts = picture.facts(name)
    if "crashes" not in facts:
        return None
    again = "version" not in facts
    detail = f"attempt {facts['crashes']} of {MAX_CRASHES}" + (
        "; the next `clean` tries again" if again else ""
    )
    return Rejection(
        picture.image.id, FaceEngineReason.FACE_ENGINE_CRASHED, detail=detail, again=again
    )


def forgotten(facts: Mapping[str, Facts]) -> dict[str, Facts]:
    """Return an image's facts without the crashes, so that the engine gets another chance."""
    left = {
        name: only_beside(found) if "crashes" in found else found for name, found in facts.items()
    }
    return {name: found for name, found in left.items() if found}


def _crashes(facts: Mapping[str, JsonValue], version: str) -> int:
    count = facts.get("crashes")
    return count if isinstance(count, int) and facts.get("crashed") == version else 0
