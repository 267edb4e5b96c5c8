"""What every reason and every error means, of this program and of whatever plugs into it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Literal

from pydantic.fields import FieldInfo

from celebcollect.checks.registry import installed_checks
from celebcollect.domain.attribute_docstrings import attribute_docstrings
from celebcollect.domain.errors import EXIT_CODES, CelebCollectError, UsageError
from celebcollect.domain.reasons import Reason
from celebcollect.pictures.reasons import PictureReason
from celebcollect.sources.registry import usable
from celebcollect.sources.wikidata.reasons import WikidataReason
from celebcollect.stages.reasons import (
    CleanReason,
    CollectReason,
    ExportReason,
    MessageReason,
    StoreReason,
    TrainReason,
)
from celebcollect.vision.model_sets import NUMBERS_FILE
from celebcollect.vision.own_models import OwnModels
from celebcollect.web.reasons import FetchReason, UrlReason


def declared() -> Iterator[type[Reason]]:
    """Yield the reasons of every room, source and check, in the order of the pipeline."""
    yield from (WikidataReason, CollectReason)
    yield from (spec.reasons() for spec in usable() if spec.reasons)
    yield from (MessageReason, UrlReason, FetchReason, PictureReason, StoreReason)
    yield from dict.fromkeys(kind for spec in installed_checks().specs for kind in spec.reasons)
    yield from (CleanReason, TrainReason, ExportReason)


@cache
def known_reasons() -> Mapping[str, Reason]:
    """Return every reason by its word; of two that share a word the first."""
    found: dict[str, Reason] = {}
    for reasons in declared():
        for reason in reasons:
            found.setdefault(reason.value, reason)
    return found


def meaning(word: str) -> str:
    """Return what a reason says, or nothing for a word of another version of this program."""
    reason = known_reasons().get(word)
    return reason.meaning if reason else ""


def error_kinds() -> Iterator[type[CelebCollectError]]:
    """Yield every class of error, each below the one that it refines."""

    def below(kind: type[CelebCollectError]) -> Iterator[type[CelebCollectError]]:
        yield kind
        for child in kind.__subclasses__():
            if child.__module__ == CelebCollectError.__module__:
                yield from below(child)

    return below(CelebCollectError)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a word means that the program has shown."""

    word: str
    kind: Literal["reason", "error", "exit code", "file"]
    meaning: str
    advice: str
    """What to do; empty where nothing needs doing."""
    stage: str | None = None
    """Of a reason: the stage that counts it."""
    exit_code: int | None = None
    """Of an error: what the command ends with."""


def explain(word: str) -> Explanation:
    """
    Return what a reason, a class of error or an exit code means.

    Raises:
        UsageError: Nobody uses the word; the hint names those that are spelt like it.
    """
    explanations = _explanations()
    wanted = word.strip().casefold()
    for spelling in (wanted, wanted.replace("-", "_"), wanted.replace("_", "")):
        if spelling in explanations:
            return explanations[spelling]
    similar = get_close_matches(wanted.replace("-", "_"), explanations)
    named = ", ".join(explanations[spelling].word for spelling in similar)
    raise UsageError(
        f"{word!r} is no reason and no error of this version",
        hint=f"Similar: {named}."
        if named
        else "`celebcollect status` shows the reasons that were counted.",
    )


@cache
def _explanations() -> Mapping[str, Explanation]:
    """Return everything that can be explained, by its word in small letters."""
    found: dict[str, Explanation] = {}
    for code, what in EXIT_CODES.items():
        advice = "" if code == 0 else "The last lines on stderr say what happened and what to do."
        found[str(code)] = Explanation(str(code), "exit code", _sentence(what), advice)
    for kind in error_kinds():
        about = _sentence((kind.__doc__ or "").strip().partition("\n")[0])
        found[kind.__name__.casefold()] = Explanation(
            kind.__name__, "error", about, kind.advice, exit_code=kind.exit_code
        )
    found[NUMBERS_FILE] = _own_models()
    for word, reason in known_reasons().items():
        found[word.casefold()] = Explanation(
            word, "reason", reason.meaning, reason.advice, stage=reason.stage
        )
    return found


def _own_models() -> Explanation:
    """Return what the file says that lies beside one's own face models."""
    keys = attribute_docstrings(OwnModels)
    said = [
        f"{name} ({_needed(field)}): {' '.join(keys.get(name, 'see [clean]').split())}"
        for name, field in OwnModels.model_fields.items()
    ]
    return Explanation(
        NUMBERS_FILE,
        "file",
        "\n  ".join(("A TOML file beside face models of your own. Its keys:", *said)),
        "Put it into a folder with the files that it names: `celebcollect models get NAME --from"
        " FOLDER`.",
    )


def _needed(field: FieldInfo) -> str:
    return "needed" if field.is_required() else f"else {json.dumps(field.default)}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."
