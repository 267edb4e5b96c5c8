"""What every reason means, of this program and of whatever plugs into it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache

from celebcollect.checks.base import FileReason
from celebcollect.checks.duplicate import DuplicateReason
from celebcollect.checks.faces import FaceReason
from celebcollect.checks.identity import IdentityReason
from celebcollect.checks.quality import QualityReason
from celebcollect.checks.shared import SharedReason
from celebcollect.checks.signatures import PayloadReason
from celebcollect.checks.size import SizeReason
from celebcollect.domain.reasons import Reason
from celebcollect.pictures.reasons import PictureReason
from celebcollect.sources.registry import installed
from celebcollect.sources.wikidata.reasons import WikidataReason
from celebcollect.stages.reasons import (
    CleanReason,
    CollectReason,
    ExportReason,
    MessageReason,
    StoreReason,
    TrainReason,
)
from celebcollect.vision.crashes import FaceEngineReason
from celebcollect.web.reasons import FetchReason, UrlReason


def declared() -> Iterator[type[Reason]]:
    """Yield the reasons of every room, source and check, in the order of the pipeline."""
    yield from (WikidataReason, CollectReason)
    yield from (spec.reasons for spec in installed() if spec.reasons)
    yield from (MessageReason, UrlReason, FetchReason, PictureReason, StoreReason)
    yield from (FileReason, SizeReason, PayloadReason, QualityReason, SharedReason)
    yield from (DuplicateReason, FaceReason, FaceEngineReason, IdentityReason, CleanReason)
    yield from (TrainReason, ExportReason)


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


def similar(word: str) -> list[str]:
    """Return the words that are spelt like an unknown one, the closest first."""
    return get_close_matches(word.casefold().replace("-", "_"), known_reasons(), cutoff=0.6)
