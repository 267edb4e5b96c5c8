"""Remember between runs what was found out and how far a search has come.

People themselves are in the catalogue, not here.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from pydantic import AwareDatetime, Field, ValidationError

from celebcollect.catalogue.base import Notes
from celebcollect.domain.records import Celebrity, Record, now

log = logging.getLogger(__name__)

R = TypeVar("R", bound=Record)

NOTE = "wikidata/progress"

VALID_FOR = timedelta(days=7)
"""Age at which an unfinished search is begun anew: who rose in fame above a finished band since
then would be missed."""


class Fresh:
    """Answers that may be reused for a while, each bound to the endpoint that gave it."""

    def __init__(self, notes: Notes, endpoint: str) -> None:
        self._notes = notes
        self._endpoint = endpoint

    def get(self, what: str, max_age: timedelta) -> list[str] | None:
        """Return what `put` wrote under this name; None where it is old or of another endpoint."""
        saved = _load(_Answer, self._notes.note(f"wikidata/{what}"))
        fresh = (
            saved is not None and saved.endpoint == self._endpoint and saved.at > now() - max_age
        )
        return list(saved.values) if saved and fresh else None

    def put(self, what: str, values: Sequence[str]) -> None:
        """Keep an answer."""
        answer = _Answer(endpoint=self._endpoint, at=now(), values=tuple(values))
        self._notes.set_note(f"wikidata/{what}", answer.model_dump(mode="json"))

    def forget(self, what: str) -> None:
        """Drop an answer that turned out to be wrong."""
        self._notes.set_note(f"wikidata/{what}", None)


class Progress:
    """
    How far a search has come: everybody with `below` sitelinks or more is done.

    Bound to what was asked for.

    The ids of the people found are kept too, in a note per batch, so that a search that goes on
    still knows a duplicate item.
    """

    def __init__(self, notes: Notes, asked: Mapping[str, Any]) -> None:
        self._notes = notes
        self._asked = dict(asked)
        saved = _load(_Saved, notes.note(NOTE))
        if (
            saved is None
            or saved.asked != self._asked
            or saved.started_at < datetime.now(UTC) - VALID_FOR
        ):
            saved = _Saved(asked=self._asked, started_at=now())
        self._saved = saved
        self.twins: dict[str, str] = {}
        """QID by TMDB or IMDb id (`tmdb/287`) of everybody found."""
        for number in range(saved.batches):
            ids = notes.note(f"{NOTE}/{number}") or {}
            self.twins.update({str(key): str(qid) for key, qid in ids.items()})
        if self.below is not None:
            log.info(
                "going on with the search of %s below=%d found=%s",
                saved.started_at.isoformat(),
                self.below,
                dict(saved.found),
            )

    @property
    def below(self) -> int | None:
        """Return the number of sitelinks from which on everybody is done; None at the beginning."""
        return self._saved.below

    @property
    def found(self) -> dict[str, int]:
        """Return how many people with `below` sitelinks or more were found per occupation."""
        return dict(self._saved.found)

    @property
    def people(self) -> int:
        """Return how many people with `below` sitelinks or more were found."""
        return self._saved.people

    def save(
        self, below: int, *, found: Mapping[str, int], people: int, batch: Iterable[Celebrity]
    ) -> None:
        """
        Write a checkpoint.

        To be called when the people down to `below` sitelinks are safe in the catalogue.

        The ids are written first: with the checkpoint and without them, a duplicate would slip
        through after a crash in between.
        """
        ids = {key: person.qid for person in batch for key in keys_of(person)}
        batches = self._saved.batches
        if ids:
            self._notes.set_note(f"{NOTE}/{batches}", ids)
            batches += 1
        self._saved = self._saved.model_copy(
            update={"below": below, "found": dict(found), "people": people, "batches": batches}
        )
        self._notes.set_note(NOTE, self._saved.model_dump(mode="json"))

    def finish(self) -> None:
        """Forget the search: it is complete, and the next one begins anew."""
        self._notes.set_note(NOTE, None)
        for number in range(self._saved.batches):
            self._notes.set_note(f"{NOTE}/{number}", None)


def keys_of(person: Celebrity) -> list[str]:
    """Return the ids that no two people share."""
    return [
        *(f"tmdb/{number}" for number in person.tmdb_ids),
        *(f"imdb/{number}" for number in person.imdb_ids),
    ]


class _Answer(Record):
    endpoint: str
    at: AwareDatetime
    values: tuple[str, ...]


class _Saved(Record):
    asked: dict[str, Any]
    started_at: AwareDatetime
    below: int | None = None
    found: dict[str, int] = Field(default_factory=dict)
    people: int = 0
    batches: int = 0


def _load(kind: type[R], note: Mapping[str, Any] | None) -> R | None:
    """Read a note; one that another version wrote differently counts as absent."""
    try:
        return kind.model_validate(note) if note else None
    except ValidationError:
        log.info("left aside a note that is not understood kind=%s", kind.__name__)
        return None
