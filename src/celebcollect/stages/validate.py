"""`validate`: pass on candidates whose URL is well-formed, public and new for the person.

Fetches and resolves nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from concurrent.futures import Future
from typing import Protocol

from celebcollect.bus.base import Item
from celebcollect.catalogue.base import Forgetting, Images
from celebcollect.domain.records import Image, ImageCandidate
from celebcollect.domain.tally import Tally
from celebcollect.stages.messages import decode_candidate
from celebcollect.stages.reasons import CollectReason, MessageReason
from celebcollect.stages.runner import Output, Stage, handled
from celebcollect.web import urls

log = logging.getLogger(__name__)

GROUP = "validate"
BATCH = 500

AHEAD = 3
"""Batches that are judged while earlier ones wait for the log and the catalogue."""


class CandidateCatalogue(Images, Forgetting, Protocol):
    """What `validate` needs: which candidates are known, and who is to be forgotten."""


def validate_stage(
    catalogue: CandidateCatalogue,
    *,
    candidate_topics: Sequence[str],
    verified_topic: str,
    allow_private: bool,
    tally: Tally,
) -> Stage[ImageCandidate]:
    """Return the stage that moves each (person, canonical URL) to `verified_topic` once."""
    validator = _Validator(catalogue, verified_topic, allow_private=allow_private, tally=tally)
    return Stage(
        group=GROUP,
        topics=tuple(candidate_topics),
        decode=decode_candidate,
        handle=validator.handle,
        batch=BATCH,
        ahead=AHEAD,
        close=validator.close,
    )


class _Validator:
    def __init__(
        self,
        catalogue: CandidateCatalogue,
        verified_topic: str,
        *,
        allow_private: bool,
        tally: Tally,
    ) -> None:
        self._catalogue, self._verified_topic = catalogue, verified_topic
        self._allow_private, self._tally = allow_private, tally
        self._under_way: dict[str, None] = {}
        """Ids of images that are being published and marked while the next batch is judged."""

    def handle(self, candidates: list[ImageCandidate]) -> Future[Output]:
        gone = self._catalogue.forgotten({candidate.qid for candidate in candidates})
        allowed = [candidate for candidate in candidates if candidate.qid not in gone]
        self._tally.drop(CollectReason.FORGOTTEN, len(candidates) - len(allowed))
        fresh = _well_formed(allowed, allow_private=self._allow_private, tally=self._tally)
        # In this order: what is marked in between is in one of the two.
        known = fresh.keys() & self._under_way.keys()
        known |= self._catalogue.known(fresh.keys())
        if known:
            self._tally.drop(MessageReason.KNOWN, len(known))
        new = [entry for image_id, entry in fresh.items() if image_id not in known]
        items: list[Item] = [(candidate.qid, candidate.to_json()) for candidate, _ in new]
        images = [image for _, image in new]
        self._under_way.update(dict.fromkeys(image.id for image in images))
        return handled(
            Output(
                {self._verified_topic: items},
                lambda too_large: self._mark(images, items, too_large),
            )
        )

    def close(self) -> None:
        self._under_way.clear()

    def _mark(
        self, images: Sequence[Image], items: Sequence[Item], too_large: Collection[Item]
    ) -> None:
        """Write down which candidates are known from now on.

        Only after the publish: marked first, a candidate that a crash kept from being published
        would be taken for known for ever, and so would one that the topic does not take.
        """
        refused = {value for _, value in too_large}
        passed = [
            image for image, (_, value) in zip(images, items, strict=True) if value not in refused
        ]
        if passed:
            self._catalogue.add_verified(passed)
            self._tally.count("verified", len(passed))
        for image in images:
            del self._under_way[image.id]


def _well_formed(
    candidates: Sequence[ImageCandidate], *, allow_private: bool, tally: Tally
) -> dict[str, tuple[ImageCandidate, Image]]:
    """Return the candidates with an acceptable URL by image id, the first of each identity."""
    kept: dict[str, tuple[ImageCandidate, Image]] = {}
    for candidate in candidates:
        reason = urls.refusal(candidate.url, allow_private=allow_private)
        if reason:
            log.debug(
                "dropped reason=%s qid=%s source=%s url=%r",
                reason,
                candidate.qid,
                candidate.source,
                candidate.url,
            )
            tally.drop(reason)
            continue
        image = Image.verified(candidate, urls.canonical(candidate.url))
        if image.id in kept:
            tally.drop(MessageReason.REPEATED)
        else:
            kept[image.id] = candidate, image
    return kept
