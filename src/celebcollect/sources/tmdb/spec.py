"""What the rest of the program knows of TMDB. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from celebcollect.domain.terms import Portrait, Trust
from celebcollect.sources.spec import SourceOption, SourceSpec
from celebcollect.sources.tmdb.terms import TERMS

if TYPE_CHECKING:
    from celebcollect.domain.records import Celebrity
    from celebcollect.sources.base import SourceContext
    from celebcollect.sources.tmdb.reasons import TmdbReason
    from celebcollect.sources.tmdb.settings import TmdbConfig
    from celebcollect.sources.tmdb.source import Tmdb

MOST_POPULAR = 10_000
"""TMDB's lists end there."""


def _settings() -> type[TmdbConfig]:
    from celebcollect.sources.tmdb.settings import TmdbConfig

    return TmdbConfig


def _reasons() -> type[TmdbReason]:
    from celebcollect.sources.tmdb.reasons import TmdbReason

    return TmdbReason


def _build(context: SourceContext[TmdbConfig]) -> Tmdb:
    from celebcollect.sources.tmdb.source import Tmdb

    return Tmdb(
        context.settings,
        context.http,
        topic=context.topic,
        tally=context.tally,
        wait=context.wait,
    )


def _unusable(settings: TmdbConfig) -> str | None:
    if settings.token.get_secret_value():
        return None
    return "no token (set CELEBCOLLECT_TMDB__TOKEN, see https://www.themoviedb.org/settings/api)"


def _probe(context: SourceContext[TmdbConfig]) -> str:
    tmdb = _build(context)
    try:
        tmdb.probe()
    finally:
        tmdb.close()
    return "the token is accepted"


def _people(source: Tmdb, options: Mapping[str, Any]) -> Iterator[Celebrity]:
    popular = options.get("popular")
    return source.popular(popular) if popular else iter(())


SPEC = SourceSpec(
    name="tmdb",
    title="TMDB",
    topic="urlsFromTmdb",
    order=20,
    settings=_settings,
    build=_build,
    summary=(
        "Look up people who need pictures on TMDB and put the picture URLs on topic urlsFromTmdb."
    ),
    example="--limit 100",
    environment="CELEBCOLLECT_TMDB__TOKEN=...",
    options=(
        SourceOption(
            "--popular", int, "N", "First add TMDB's N most popular people.", 1, MOST_POPULAR
        ),
    ),
    people=_people,
    reasons=_reasons,
    trust=Trust(Portrait.FIRST, documented=1),
    terms=TERMS,
    secrets={"token": "API read access token"},
    unusable=_unusable,
    hint="Without it TMDB is left out.",
    probe=_probe,
)
