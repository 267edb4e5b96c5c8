"""Make messages of what a query has brought."""

from __future__ import annotations

from celebcollect.domain.records import SCHEMA, Celebrity, ImageCandidate
from celebcollect.sources.google.cache import CachedAnswer
from celebcollect.sources.google.records import FoundPicture


def candidate_of(
    person: Celebrity, picture: FoundPicture, rank: int, answer: CachedAnswer
) -> ImageCandidate:
    """Return the message about one picture of an answer."""
    return ImageCandidate(
        schema_version=SCHEMA,
        qid=person.qid,
        name=person.name,
        url=picture.url,
        source="google",
        profession=next(iter(person.professions), None),
        rank=rank,
        page_url=picture.page_url,
        page_title=picture.title,
        site=picture.site,
        author=picture.author,
        width_px=picture.width_px,
        height_px=picture.height_px,
        found_at=answer.at,
    )
