"""How a source declares itself (CONTRIBUTING, "A new source").

Imports as little as can be, and its records are tuples, which are the cheapest to define: the specs
of all sources are read at every start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from celebcollect.domain.terms import Terms, Trust

if TYPE_CHECKING:
    from celebcollect.config.fields import Section
    from celebcollect.domain.reasons import Reason
    from celebcollect.domain.records import Celebrity
    from celebcollect.sources.base import Source, SourceContext

GROUP = "celebcollect.sources"
"""The entry points that name a `SourceSpec`."""

NO_TRUST, NO_TERMS = Trust(), Terms()
NO_SECRETS: Mapping[str, str] = MappingProxyType({})


class SourceOption(NamedTuple):
    """An option of `scrape-NAME` that only this source has."""

    flag: str
    """`--save-page`; the source finds its value in `SourceContext.options` as `save_page`."""
    kind: type[int | str | Path | bool]
    metavar: str
    help: str
    least: int | None = None
    most: int | None = None

    @property
    def key(self) -> str:
        """Return the name under which the source finds the value."""
        return self.flag.lstrip("-").replace("-", "_")


def _nothing_is_missing(_settings: Any) -> str | None:
    return None


class SourceSpec(NamedTuple):
    """
    All that the rest of the program knows about a source; named by an entry point of its name.

    Settings, source and reasons are given by functions, so that they are imported when used.
    """

    name: str
    """In small letters: its section, its key in `[topics]`, its command `scrape-NAME`."""
    title: str
    """As people read it: `Wikimedia Commons`."""
    topic: str
    """Where its candidates go, unless `[topics]` says otherwise."""
    settings: Callable[[], type[Section]]
    """Returns the model of its section; each key has a default and a text below it."""
    build: Callable[[SourceContext[Any]], Source]
    """Returns the source; whatever takes long begins with the first search."""
    summary: str
    """What the help of its command says: one sentence in the imperative."""
    example: str = ""
    """What follows `celebcollect scrape-NAME` in the example of the help."""
    environment: str = ""
    """What stands before it there: `CELEBCOLLECT_NAME__TOKEN=...`."""
    options: tuple[SourceOption, ...] = ()
    order: int = 100
    """Sources with a small number are asked first."""
    trust: Trust = NO_TRUST
    terms: Terms = NO_TERMS
    reasons: Callable[[], type[Reason]] | None = None
    """Returns what it counts with `tally.drop`."""
    secrets: Mapping[str, str] = NO_SECRETS
    """Keys of its section that are secret, with what a person calls them: `API read token`."""
    unusable: Callable[[Any], str | None] = _nothing_is_missing
    """Takes the settings; says cheaply what the source lacks on this machine, or None."""
    hint: str = ""
    """What to do about that."""
    probe: Callable[[SourceContext[Any]], str] | None = None
    """For `doctor`: tries the source and returns what works; raises SourceError."""
    probe_name: str = ""
    """What `doctor` calls the thing that it tries, where that is not the source's name."""
    per_search: Callable[[Any], int] | None = None
    """Takes the settings; candidates to ask for at once, where that is not `target_images`."""
    people: Callable[[Any, Mapping[str, Any]], Iterable[Celebrity]] | None = None
    """Takes the source and its options; people whom the source itself proposes."""
    forget: Callable[[Path, str], int] | None = None
    """Takes data folder and QID; removes what the source remembers, returns how many files."""
