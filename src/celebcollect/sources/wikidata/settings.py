"""`[wikidata]`: whom to look for."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from celebcollect.config.fields import HttpUrl, Section


def _date_or_none(value: object) -> object:
    # TOML has no null, and its dates need no quotes, but may have them.
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        raise ValueError('must be a date like 1950-01-31, or ""') from None


class WikidataConfig(Section):
    """`[wikidata]`: whom to look for."""

    endpoint: HttpUrl = "https://query.wikidata.org/sparql"
    """SPARQL endpoint."""
    dialect: Literal["auto", "wdqs", "qlever"] = "auto"
    """auto: find out; wdqs: Wikidata Query Service; qlever: QLever."""
    occupations: tuple[str, ...] = ("Q33999", "Q177220", "Q937857", "Q82955", "Q36180")
    """Occupations, by QID or name, with all their subclasses: actor, singer, footballer,
    politician, writer."""
    born_after: Annotated[date | None, BeforeValidator(_date_or_none)] = date(1950, 1, 1)
    """First birthday that counts; "" for everybody, also people whose birth is unknown."""
    min_sitelinks: int = Field(default=20, ge=0)
    """Fame: least number of Wikimedia pages about the person."""
    limit: int = Field(default=200, ge=1)
    """People per occupation, most famous first."""
    language: str = Field(default="en", pattern=r"^[a-z]{2,12}(-[a-z0-9]{1,12})*$")
    """Language of names and descriptions; then Wikidata's "mul" and "en"."""
    timeout_s: float = Field(default=70, gt=0, le=600)
    """Seconds to wait for an answer; the public endpoint gives up after 60."""
    min_interval_s: float = Field(default=1, ge=0, le=3600)
    """Least seconds of pause after a query; a slow query is followed by a pause as long as
    itself."""
