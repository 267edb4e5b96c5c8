"""The checks that are installed, the built-in ones and those of other packages.

A package declares `name = "module:SPEC"` among the entry points of `GROUP`. A check that cannot be
used is told in one line and left out.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from pydantic import ConfigDict

from celebcollect.config.sections import Section
from celebcollect.plugins import EntryPoint, PluginRefused, entry_points

if TYPE_CHECKING:
    from celebcollect.checks.base import CheckSpec

log = logging.getLogger(__name__)

GROUP = "celebcollect.checks"
"""The entry points that name a `CheckSpec`."""

_OURS = "celebcollect"
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


class UnreadSection(Section):
    """The section of a check that cannot be used: it may stay in the file, and nobody reads it."""

    model_config = ConfigDict(extra="ignore")


class InstalledChecks(NamedTuple):
    """The checks of all packages."""

    specs: tuple[CheckSpec, ...]
    """In the order in which they are asked."""
    problems: tuple[str, ...]
    """One line for each check that cannot be used."""
    broken: tuple[str, ...] = ()
    """Their names."""


@cache
def installed_checks() -> InstalledChecks:
    """Import the checks of all packages; log a warning for each one that cannot be used."""
    return _loaded(entry_points(GROUP))


@cache
def own_sections() -> Mapping[str, Callable[[], type[Section]]]:
    """
    Return what gives the configuration sections of other packages' checks, by name.

    The built-in checks share `[clean]` and `[store]`. They are not imported here, because this is
    asked at every start and they need numpy and Pillow.
    """
    own = [entry.name for entry in entry_points(GROUP) if entry.package == _OURS]
    others = [entry for entry in entry_points(GROUP) if entry.package != _OURS]
    if not others:
        return {}
    found = _loaded(others)
    sections = {spec.name: spec.settings for spec in found.specs if spec.settings}
    unread: dict[str, Callable[[], type[Section]]] = {
        name: lambda: UnreadSection for name in found.broken if _NAME.fullmatch(name)
    }
    return {name: gives for name, gives in (unread | sections).items() if name not in own}


def _loaded(entries: list[EntryPoint]) -> InstalledChecks:
    specs: dict[str, CheckSpec] = {}
    problems, broken = [], []
    for entry in entries:
        try:
            spec = _accepted(entry)
            if entry.name in specs:
                raise PluginRefused("there is one of this name already")
            specs[entry.name] = spec
        except PluginRefused as refused:
            line = f"the check {entry.name} of package {entry.package} is left out: {refused}"
            problems.append(" ".join(line.split())[:300])
            broken.append(entry.name)
            _warn(problems[-1])
    ordered = sorted(specs.values(), key=lambda spec: (spec.order, spec.name))
    return InstalledChecks(tuple(ordered), tuple(problems), tuple(broken))


def _accepted(entry: EntryPoint) -> CheckSpec:
    """Return what an entry point names. Raises `PluginRefused` where it is of no use."""
    from celebcollect.checks.base import CheckSpec  # not needed at every start

    found = entry.load()
    if not isinstance(found, CheckSpec):
        raise PluginRefused(f"{entry.target} is no CheckSpec")
    if found.name != entry.name or not _NAME.fullmatch(found.name):
        raise PluginRefused(f"it calls itself {found.name!r}, which is not its name here")
    return found


@cache
def _warn(problem: str) -> None:
    """Tell of a problem once, however often checks are looked for."""
    log.warning("%s", problem)
