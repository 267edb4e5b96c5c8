"""What TMDB's API terms of use ask of whoever keeps its pictures. Imports nothing heavy."""

from __future__ import annotations

from celebcollect.domain.terms import MlUse, Terms

TERMS = Terms(
    name="TMDB API terms of use",
    url="https://www.themoviedb.org/api-terms-of-use",
    # As of 2023-10-20: no training on TMDB content without an agreement, no copies older than six
    # months, and this sentence wherever its pictures are shown or handed on.
    ml_use=MlUse.NEEDS_AGREEMENT,
    keep_days=180,
    attribution="This product uses the TMDB API but is not endorsed or certified by TMDB.",
    hosts=("tmdb.org",),
)
