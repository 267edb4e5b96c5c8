"""The sources that are installed, ours and those of other packages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from celebcollect.domain.errors import UsageError
from celebcollect.plugins import EntryPoint, PluginRefused, discover
from celebcollect.sources.base import GROUP, SourceSpec

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


@dataclass(frozen=True)
class Sources:
    """The sources that can be had, in the order in which they are asked."""

    specs: tuple[SourceSpec, ...]
    problems: tuple[str, ...] = ()
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
        raise UsageError(
            f"unknown source: {name}", hint=f"Sources are {', '.join(self.names) or 'none'}."
        )

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

    discovered = discover(GROUP, accept)
    specs = sorted(discovered.plugins, key=lambda spec: (spec.order, spec.name))
    return Sources(tuple(specs), discovered.problems)
