"""What TMDB's API terms of use (2023-10-20) ask of whoever keeps TMDB pictures. Imports nothing heavy."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from celebcollect.domain.records import Image, MlUse, now

LICENCE: Final = "TMDB API terms of use"
LICENCE_URL: Final = "https://www.themoviedb.org/api-terms-of-use"

ATTRIBUTION: Final = "This product uses the TMDB API but is not endorsed or certified by TMDB."
"""The sentence that must be shown wherever TMDB pictures are shown or handed on."""

MAX_AGE: Final = timedelta(days=180)
"""The terms forbid keeping TMDB content for more than six months without asking TMDB again."""


def stale(image: Image, *, at: datetime | None = None) -> bool:
    """Tell whether a TMDB picture has been kept for so long (by now, or by `at`) that it must be fetched again or dropped."""
    kept_since = image.stored_at or image.found_at
    return (
        image.ml_use is MlUse.NEEDS_AGREEMENT
        and kept_since is not None
        and (at or now()) - kept_since > MAX_AGE
    )
