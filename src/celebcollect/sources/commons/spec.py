"""What the rest of the program knows of Wikimedia Commons. Imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celebcollect.domain.terms import Portrait, Terms, Trust
from celebcollect.sources.spec import SourceSpec

if TYPE_CHECKING:
    from celebcollect.sources.base import SourceContext
    from celebcollect.sources.commons.reasons import CommonsReason
    from celebcollect.sources.commons.settings import CommonsConfig
    from celebcollect.sources.commons.source import Commons


def _settings() -> type[CommonsConfig]:
    from celebcollect.sources.commons.settings import CommonsConfig

    return CommonsConfig


def _reasons() -> type[CommonsReason]:
    from celebcollect.sources.commons.reasons import CommonsReason

    return CommonsReason


def _build(context: SourceContext[CommonsConfig]) -> Commons:
    from celebcollect.sources.commons.source import Commons

    return Commons(
        context.settings,
        context.http,
        topic=context.topic,
        tally=context.tally,
        wait=context.wait,
    )


SPEC = SourceSpec(
    name="commons",
    title="Wikimedia Commons",
    topic="urlsFromCommons",
    order=30,
    settings=_settings,
    build=_build,
    summary=(
        "Look up people who need pictures on Wikimedia Commons and put the picture URLs on topic"
        " urlsFromCommons."
    ),
    example="--qid Q42",
    reasons=_reasons,
    trust=Trust(Portrait.NAMED, documented=2),
    terms=Terms(names_licences=True),
)
