"""Whose terms hold for a picture, and what they ask of whoever keeps it or learns from it.

A picture is its finder's content, and also that of the source whose host it lies on, whoever found
it: both terms hold. What no installed source knows has no terms.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from urllib.parse import urlsplit

from celebcollect.domain.records import Image
from celebcollect.domain.terms import MlUse
from celebcollect.sources.registry import installed
from celebcollect.sources.spec import SourceSpec


def holders(source: str, url: str) -> tuple[SourceSpec, ...]:
    """Return the installed sources whose terms hold for a picture at `url` that `source` found."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    return _holders(source, host)


@lru_cache(maxsize=4096)
def _holders(source: str, host: str) -> tuple[SourceSpec, ...]:
    finder = installed().find(source)
    return tuple(spec for spec in installed() if spec is finder or spec.terms.own(host))


def ml_use(source: str, url: str) -> MlUse:
    """Say whether machine learning on a picture needs an agreement with one of its holders."""
    return MlUse.NEEDS_AGREEMENT if any(_strict(source, url)) else MlUse.UNSPECIFIED


def ml_permitted(
    source: str, url: str, agreements: Collection[str], *, told: MlUse = MlUse.UNSPECIFIED
) -> bool:
    """
    Say whether somebody who holds these agreements, e.g. `tmdb`, may learn from a picture.

    An agreement with the finder does not cover a picture on the host of another source.

    Args:
        source: Who found the picture.
        url: Where it was found.
        agreements: Names of sources.
        told: What a message says. It can forbid what no installed source forbids: then the finder's
            agreement is needed. It can permit nothing, for anybody may publish.
    """
    held = {name.strip().casefold() for name in agreements}
    needed = {spec.name for spec in _strict(source, url)}
    if not needed and told is MlUse.NEEDS_AGREEMENT:
        needed = {source.strip().casefold()}
    return needed <= held


def must_go(image: Image, *, at: datetime) -> bool:
    """Tell whether a picture has been kept for longer than the terms of its holders permit."""
    kept_since = image.stored_at or image.found_at
    limits = [
        spec.terms.keep_days
        for spec in holders(image.source, image.url)
        if spec.terms.keep_days is not None
    ]
    return bool(limits) and kept_since is not None and at - kept_since > timedelta(min(limits))


def strict_sources() -> tuple[SourceSpec, ...]:
    """Return the installed sources that permit machine learning only by agreement."""
    return tuple(spec for spec in installed() if spec.terms.ml_use is MlUse.NEEDS_AGREEMENT)


def _strict(source: str, url: str) -> Iterator[SourceSpec]:
    return (spec for spec in holders(source, url) if spec.terms.ml_use is MlUse.NEEDS_AGREEMENT)
