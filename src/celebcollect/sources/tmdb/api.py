"""What we read of TMDB's answers. Everything that comes from there may be anything."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from celebcollect.domain.records import Celebrity

IMDB_ID = re.compile(r"nm[0-9]{5,12}")


class TmdbAnswer(BaseModel):
    """Base of what we read: frozen, fields that we do not know are left aside."""

    model_config = ConfigDict(frozen=True, extra="ignore")


FilePath = Annotated[
    str, StringConstraints(pattern=r"\A/[A-Za-z0-9_-]{1,100}\.(?:jpg|jpeg|png|webp)$")
]
"""Becomes part of a URL."""


class TmdbPortrait(TmdbAnswer):
    """A portrait of a person."""

    file_path: FilePath
    width: int | None = Field(default=None, ge=1)
    height: int | None = Field(default=None, ge=1)
    vote_average: float = 0
    vote_count: int = 0


class TmdbImages(TmdbAnswer):
    """Portraits, each still to be checked: one bad entry must not cost the others."""

    profiles: tuple[Any, ...] = ()


class ExternalIds(TmdbAnswer):
    """The person elsewhere; unknown ids are null or empty."""

    wikidata_id: str | None = None
    imdb_id: str | None = None


class Person(TmdbAnswer):
    """A person with what was asked to be appended."""

    id: int = Field(ge=1)
    name: str | None = None
    adult: bool | None = None
    birthday: str | None = None
    imdb_id: str | None = None
    profile_path: str | None = None
    """The portrait that TMDB shows first."""
    external_ids: ExternalIds = ExternalIds()
    images: TmdbImages = TmdbImages()

    @property
    def imdb_ids(self) -> set[str]:
        """Return the IMDb ids of both places that have one."""
        return {found for found in (self.imdb_id, self.external_ids.imdb_id) if found}


def _rows(value: Any) -> Any:
    """Keep the rows that can be read: one bad row must not cost the others."""
    if not isinstance(value, list):
        return value
    rows = []
    for row in value:
        try:
            rows.append(PersonRow.model_validate(row))
        except ValidationError:
            continue
    return rows


class PersonRow(TmdbAnswer):
    """A person in a list."""

    id: int = Field(ge=1)
    name: str | None = None
    original_name: str | None = None
    adult: bool | None = None


class FindResult(TmdbAnswer):
    """Answer of `/find`: empty lists for an id that TMDB does not know."""

    person_results: Annotated[tuple[PersonRow, ...], BeforeValidator(_rows)]


class PeoplePage(TmdbAnswer):
    """A page of a list of people."""

    results: Annotated[tuple[PersonRow, ...], BeforeValidator(_rows)]
    total_pages: int = 1


class ImageSettings(TmdbAnswer):
    """Where the pictures are."""

    secure_base_url: Annotated[
        str,
        StringConstraints(
            pattern=r"\Ahttps?://[A-Za-z0-9.:\[\]-]+/[A-Za-z0-9/._~-]*$", max_length=500
        ),
    ]
    profile_sizes: tuple[str, ...]


class Configuration(TmdbAnswer):
    """Answer of `/configuration`."""

    images: ImageSettings


def best_first(person: Person) -> tuple[list[TmdbPortrait], int]:
    """
    Return the portraits and how many entries were unusable.

    The one that TMDB shows first leads, then come the best voted; equals keep TMDB's order.
    """
    usable: dict[str, TmdbPortrait] = {}
    bad = 0
    for entry in person.images.profiles:
        try:
            profile = TmdbPortrait.model_validate(entry)
        except ValidationError:
            bad += 1
            continue
        usable.setdefault(profile.file_path, profile)
    return (
        sorted(
            usable.values(),
            key=lambda one: (
                one.file_path != person.profile_path,
                -one.vote_average,
                -one.vote_count,
            ),
        ),
        bad,
    )


def is_same(found: Person, person: Celebrity) -> bool:
    """
    Tell whether TMDB's person is proved to be ours.

    The Wikidata id or an IMDb id proves it, or else the birthday.

    A birthday proves nothing against another Wikidata or IMDb id, and nothing on 1 January, where
    both sides put people of whom only the year is known.
    """
    if found.external_ids.wikidata_id == person.qid or found.imdb_ids & set(person.imdb_ids):
        return True
    if found.external_ids.wikidata_id or (found.imdb_ids and person.imdb_ids):
        return False
    return found.birthday in full_dates(person.births)


def full_dates(dates: Iterable[str]) -> set[str]:
    """Return those ISO dates (a time after them is cut off) that name a day, not just a year."""
    days = {
        match[1]
        for date in dates
        if (match := re.match(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T|\Z)", date))
    }
    return {day for day in days if not day.endswith("-01-01")}


def celebrity(found: Person, *, origin: str) -> Celebrity:
    """
    Return what TMDB knows of a person whom Wikidata knows too.

    Raises:
        ValueError: The name or the Wikidata id cannot be used.
    """
    birthday, imdb_ids = found.birthday or "", sorted(filter(IMDB_ID.fullmatch, found.imdb_ids))
    return Celebrity(
        qid=found.external_ids.wikidata_id or "",
        name=found.name or "",
        births=(birthday,) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", birthday) else (),
        tmdb_ids=(str(found.id),),
        imdb_ids=tuple(imdb_ids),
        origin=origin,
    )
