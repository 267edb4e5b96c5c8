"""The tree of the configuration as it is here: our own sections, and those of plug-ins."""

from __future__ import annotations

import logging
from collections.abc import Collection
from functools import cache

from celebcollect.checks.registry import own_sections
from celebcollect.config.fields import Section
from celebcollect.config.tree import Config, SourceTopic, tree
from celebcollect.sources.registry import usable, why_no_section
from celebcollect.sources.wikidata.settings import WikidataConfig

log = logging.getLogger(__name__)


@cache
def config_model() -> type[Config]:
    """
    Return the model of the configuration.

    Raises:
        ConfigError: There is no source at all.
    """
    sources = usable()
    sections: dict[str, type[Section]] = {"wikidata": WikidataConfig}
    sections |= {spec.name: spec.settings() for spec in sources}
    topics = {
        spec.name: SourceTopic(spec.topic, f"Candidates from {spec.title}.") for spec in sources
    }
    return tree({**sections, **_sections_of_checks(sections.keys())}, topics)


def sections_of_checks() -> tuple[str, ...]:
    """Return the names of the checks that have a section of their own."""
    model = config_model()
    return tuple(name for name in own_sections() if name in model.model_fields)


def _sections_of_checks(taken: Collection[str]) -> dict[str, type[Section]]:
    found: dict[str, type[Section]] = {}
    for name, settings in own_sections().items():
        if name in taken:
            why_not: str | None = "a source has a section of this name"
        else:
            why_not = why_no_section(name, settings)
        if why_not is None:
            found[name] = settings()
        else:
            log.warning("the check %s goes without a section of its own: %s", name, why_not)
    return found
