"""What a source of pictures offers, and how it declares itself (CONTRIBUTING, "A new source").

Imports nothing heavy: the specs of all sources are read at every start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    NamedTuple,
    Protocol,
    TypeVar,
    runtime_checkable,
)

from celebcollect.domain.errors import SourceError
from celebcollect.domain.terms import Terms, Trust

if TYPE_CHECKING:
    from celebcollect.catalogue.base import Notes
    from celebcollect.config.fields import Section
    from celebcollect.config.sections import HttpConfig
    from celebcollect.domain.reasons import Reason
    from celebcollect.domain.records import Celebrity, ImageCandidate
    from celebcollect.domain.tally import Tally

GROUP = "celebcollect.sources"
"""The entry points that name a `SourceSpec`."""

NO_TRUST, NO_TERMS = Trust(), Terms()
NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})

S = TypeVar("S")


class PersonNotSearched(SourceError):
    """
    One person could not be searched now, and the reason is counted; others can be.

    Leave the state of the search as it was, so that the person is not lost, and go on with the next
    one.
    """

    def __init__(
        self, message: str, *, hint: str = "The others are searched all the same."
    ) -> None:
        super().__init__(message, hint=hint)


class Source(Protocol):
    """
    Finds picture URLs for a person. To be used by one thread.

    What it leaves out is counted on the `Tally` that it was built with (`tally.drop(reason)`).
    """

    name: str
    """Value of `ImageCandidate.source`, and the name under which the search state is kept."""
    topic: str
    """Where its candidates go."""

    def candidates(self, person: Celebrity, limit: int) -> Iterator[ImageCandidate]:
        """
        Yield at most `limit` candidates, best first and in a stable order.

        Fewer mean that the source has no more.

        Raises:
            SourceBlocked: The source asks us to stay away; nobody else is to be searched there now.
            PersonNotSearched: The source failed for this person only.
            SourceError: The source failed for everybody (refused token, unreachable, a page that
                nobody understands).
        """
        ...

    def close(self) -> None:
        """Close what is open (a browser, connections)."""
        ...


@runtime_checkable
class NamesFiles(Protocol):
    """A source that knows under which title a file was asked for, whatever it is called now."""

    def asked_title(self, qid: str, url: str) -> str | None:
        """Return it for a candidate of the person's last search; None: asked for by none."""
        ...


class SourceContext(NamedTuple, Generic[S]):
    """What a source is built with."""

    settings: S
    """Its section of the configuration."""
    http: HttpConfig
    """`[http]`, which `web.client.ApiClient` takes."""
    topic: str
    """Where its candidates go."""
    tally: Tally
    """Takes the reasons of what the source leaves out."""
    notes: Notes
    wait: Callable[[float], bool]
    """Waits so many seconds; returns true when it was cut short because the work is to end."""
    open_data_dir: Callable[[], Path]
    options: Mapping[str, Any] = NO_OPTIONS
    """What the options of its own command say (`SourceSpec.options`); absent ones are left out."""

    @property
    def data_dir(self) -> Path:
        """The folder of everything that is kept, made when missing."""
        return self.open_data_dir()


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


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class SourceSpec:
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
    secrets: Mapping[str, str] = field(default_factory=dict)
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
