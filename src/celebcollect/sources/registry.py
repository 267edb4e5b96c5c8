"""The sources that are installed, ours and those of other packages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from celebcollect.domain.errors import ConfigError, UsageError
from celebcollect.plugins import EntryPoint, PluginRefused, discover
from celebcollect.sources.spec import GROUP, SourceSpec

if TYPE_CHECKING:
    from celebcollect.config.fields import Section

RESERVED = frozenset(
    (
        *("data_dir", "kafka", "topics", "mongo", "http", "images", "store", "clean", "train"),
        *("run", "wikidata", "verified", "import"),
    )
)
"""Sections, topics and commands of our own."""

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,244}(?<!\.dead)")
_OUR_TOPICS = ("urlsVerifie", "dataclean")


class Sources:
    """The sources that can be had, in the order in which they are asked."""

    def __init__(self, specs: tuple[SourceSpec, ...], problems: tuple[str, ...] = ()) -> None:
        self.specs = specs
        self.problems = problems
        """A sentence about each plug-in that was left out."""

    def __iter__(self) -> Iterator[SourceSpec]:
        return iter(self.specs)

    @property
    def names(self) -> tuple[str, ...]:
        """Return their names."""
        return tuple(spec.name for spec in self.specs)

    def named(self, name: str) -> SourceSpec:
        """
        Return the source of this name.

        Raises:
            UsageError: There is none.
        """
        for spec in self.specs:
            if spec.name == name:
                return spec
        sources = ", ".join(self.names)
        raise UsageError(f"unknown source: {name}", hint=f"Sources are {sources}.")

    def find(self, name: str) -> SourceSpec | None:
        """Return the source of this name as a message may spell it, or None."""
        wanted = name.strip().casefold()
        return next((spec for spec in self.specs if spec.name == wanted), None)


@cache
def installed() -> Sources:
    """Return the sources of all installed packages; looks for them once in a process."""
    taken: dict[str, str] = {}

    def accept(entry: EntryPoint, found: object) -> SourceSpec:
        if not isinstance(found, SourceSpec):
            raise PluginRefused(f"{entry.target} is no SourceSpec")
        if found.name != entry.name or not _NAME.fullmatch(found.name):
            raise PluginRefused(f"it calls itself {found.name!r}, which is not its name here")
        if found.name in RESERVED:
            raise PluginRefused("the name belongs to celebcollect itself")
        if not _TOPIC.fullmatch(found.topic) or found.topic in _OUR_TOPICS:
            raise PluginRefused(f"{found.topic!r} can be no topic of its own")
        for what in (f"the name {found.name}", f"the topic {found.topic}"):
            if what in taken:
                raise PluginRefused(f"{what} is taken by package {taken[what]}")
        taken.update(
            {f"the name {found.name}": entry.package, f"the topic {found.topic}": entry.package}
        )
        return found

    specs, problems = discover(GROUP, accept)
    specs.sort(key=lambda spec: (spec.order, spec.name))
    return Sources(tuple(specs), tuple(problems))


@cache
def usable() -> Sources:
    """
    Return the installed sources whose settings can be part of the configuration.

    Raises:
        ConfigError: There is no source at all.
    """
    found = installed()
    specs: list[SourceSpec] = []
    problems = list(found.problems)
    for spec in found:
        why_not = why_no_section(spec.name, spec.settings, spec.secrets) or _why_no_reasons(spec)
        if why_not is None:
            specs.append(spec)
        else:
            problems.append(f"the source {spec.name!r} is left out: {why_not}")
    if not specs:
        raise ConfigError(
            "no source of pictures is registered, not even our own",
            hint="Install celebcollect again; its entry points are missing.",
        )
    return Sources(tuple(specs), tuple(problems))


def why_no_section(
    name: str, settings: Callable[[], type[Section]], secrets: Iterable[str] = ()
) -> str | None:
    """Say why a plug-in's settings cannot become a section, or return None."""
    from celebcollect.config.fields import Section
    from celebcollect.config.tree import Config, TopicsConfig

    if hasattr(Config, name) or hasattr(TopicsConfig, name) or name in RESERVED:
        return f"{name} means something else in the configuration"
    try:
        model = settings()
        if not issubclass(model, Section):
            return "its settings are no Section of celebcollect.config.fields"
        model()
    except Exception as error:  # noqa: BLE001 - a plug-in may raise anything
        told = " ".join(str(error).split())[:200]
        return f"its settings have no defaults ({type(error).__name__}: {told})"
    missing = set(secrets) - model.model_fields.keys()
    return f"its settings have no key {', '.join(sorted(missing))}" if missing else None


def _why_no_reasons(spec: SourceSpec) -> str | None:
    from celebcollect.domain.reasons import Reason

    try:
        if spec.reasons is None or issubclass(spec.reasons(), Reason):
            return None
    except Exception as error:  # noqa: BLE001 - a plug-in may raise anything
        return f"its reasons cannot be had ({type(error).__name__})"
    return "its reasons are no subclass of celebcollect.domain.reasons.Reason"
