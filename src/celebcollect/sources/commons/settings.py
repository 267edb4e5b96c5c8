"""`[commons]`: the keys of Wikimedia Commons."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from celebcollect.config.fields import HttpUrl, Section

THUMBNAIL_WIDTHS_PX = (20, 40, 60, 120, 250, 330, 500, 960, 1280, 1920, 3840)
"""The widths that Wikimedia scales to (mediawiki.org, Common thumbnail sizes, 2026); others are
answered with 400 or 429."""


def _thumbnail_width(value: int) -> int:
    if value not in (0, *THUMBNAIL_WIDTHS_PX):
        raise ValueError(f"must be 0 or one of {', '.join(map(str, THUMBNAIL_WIDTHS_PX))}")
    return value


class CommonsConfig(Section):
    """`[commons]`: the MediaWiki API of Wikimedia Commons."""

    api_url: HttpUrl = "https://commons.wikimedia.org/w/api.php"
    """MediaWiki API."""
    width_px: Annotated[int, AfterValidator(_thumbnail_width)] = 1280
    """Width of the pictures; smaller originals come as they are; 0: always the original. Wikimedia
    scales to 20, 40, 60, 120, 250, 330, 500, 960, 1280, 1920 and 3840 only."""
    requests_per_s: float = Field(default=2, gt=0, le=1000)
    """Most requests to the API per second; Wikimedia allows 200 per minute to programs that say
    whom to write to."""
