"""What a source of pictures offers. A new source is one new file with a class of this shape (see CONTRIBUTING)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from celebcollect.domain.errors import SourceError
from celebcollect.domain.records import Celebrity, ImageCandidate


class PersonNotSearched(SourceError):
    """
    One person could not be searched now, and the reason is counted; others can be.

    Leave the state of the search as it was, so that the person is not lost, and go on with the next
    one.
    """


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
        Yield at most `limit` candidates, best first and in a stable order; fewer mean that the source has no more.

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
