"""`[tmdb]`: the keys of TMDB."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from celebcollect.config.fields import HttpUrl, Section


class TmdbConfig(Section):
    """`[tmdb]`: API version 3 with a version 4 read token."""

    base_url: HttpUrl = "https://api.themoviedb.org/3"
    """API version 3."""
    token: SecretStr = SecretStr("")
    """Version 4 read token; better in $CELEBCOLLECT_TMDB__TOKEN than in a file."""
    image_size: Literal["original", "h632"] = "original"
    """original: as uploaded; h632: 632 pixels high, enough for most faces and much smaller."""
    requests_per_s: float = Field(default=20, gt=0, le=1000)
    """Most requests per second, a second's worth at once; TMDB allows about 40."""
