"""`validate`: let through the candidates whose URL is well-formed, public and not yet known for the person. Fetches and resolves nothing."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from celebcollect.bus.base import Item
from celebcollect.catalogue.base import Catalogue
from celebcollect.domain.records import Image, ImageCandidate
from celebcollect.domain.tally import Tally
from celebcollect.stages.reasons import CollectReason, MessageReason
from celebcollect.stages.runner import Output, Stage, decode_candidate
from celebcollect.web import urls

log = logging.getLogger(__name__)

GROUP = "validate"
BATCH = 500


def validate_stage(
    catalogue: Catalogue,
    *,
    candidate_topics: Sequence[str],
    verified_topic: str,
    allow_private: bool,
    tally: Tally,
) -> Stage[ImageCandidate]:
    """Return the stage that moves candidates from the sources' topics to `verified_topic`, each (person, canonical URL) once."""
    under_way: dict[str, None] = {}
    """Ids of images that are being published and marked while the next batch is judged."""

    def handle(candidates: list[ImageCandidate]) -> Output:
        gone = catalogue.forgotten({candidate.qid for candidate in candidates})
        allowed = [candidate for candidate in candidates if candidate.qid not in gone]
        tally.drop(CollectReason.FORGOTTEN, len(candidates) - len(allowed))
        fresh = _well_formed(allowed, allow_private=allow_private, tally=tally)
        # In this order: what is marked in between is in one of the two.
        known = fresh.keys() & under_way.keys()
        known |= catalogue.known(fresh.keys())
        if known:
            tally.drop(MessageReason.KNOWN, len(known))
        new = [entry for image_id, entry in fresh.items() if image_id not in known]
        items: list[Item] = [(candidate.qid, candidate.to_json()) for candidate, _ in new]

        def mark(too_large: Collection[Item]) -> None:
            # Only after the publish: marked first, a candidate that a crash kept from being
            # published would be taken for known for ever, and so would one that the topic does not
            # take.
            refused = {value for _, value in too_large}
            passed = [
                image
                for (_, image), (_, value) in zip(new, items, strict=True)
                if value not in refused
            ]
            if passed:
                catalogue.add_verified(passed)
                tally.count("verified", len(passed))
            for _, image in new:
                del under_way[image.id]

        under_way.update(dict.fromkeys(image.id for _, image in new))
        return Output({verified_topic: items}, mark)

    return Stage(
        group=GROUP,
        topics=tuple(candidate_topics),
        decode=decode_candidate,
        handle=handle,
        batch=BATCH,
        ahead=3,
        background=True,
        close=under_way.clear,
    )


def _well_formed(
    candidates: Sequence[ImageCandidate], *, allow_private: bool, tally: Tally
) -> dict[str, tuple[ImageCandidate, Image]]:
    """Return the candidates that their URL does not speak against, the first of each identity, by image id."""
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
