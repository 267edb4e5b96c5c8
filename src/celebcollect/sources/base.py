"""What a source of pictures offers, and what it is built with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
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

if TYPE_CHECKING:
    from celebcollect.catalogue.base import Notes
    from celebcollect.config.sections import HttpConfig
    from celebcollect.domain.records import Celebrity, ImageCandidate
    from celebcollect.domain.tally import Tally

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


class PeopleSource(Protocol):
    """
    Finds people to collect. To be used by one thread.

    There is one, because its identifiers are those of the whole collection (docs/architecture.md).
    """

    def people(self) -> Iterator[list[Celebrity]]:
        """
        Yield people in batches, the most famous first.

        Save each batch before asking for the next one, which says that it is saved.

        Raises:
            SourceBlocked: The source asks us to stay away.
            SourceError: It cannot be reached, or refuses us.
        """
        ...

    def merged_into(self, qids: Collection[str]) -> dict[str, str]:
        """Return into which item each of these was merged; the others are left out."""
        ...

    def probe(self) -> None:
        """
        Ask for next to nothing.

        Raises:
            SourceError: It does not answer.
        """
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
