"""Make people out of rows.

Every value comes from outside: what cannot be what it claims to be is counted and left out, never
guessed.
"""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from pydantic import ValidationError

from celebcollect.domain.records import Celebrity
from celebcollect.domain.tally import Tally
from celebcollect.domain.text import MAX_NAME_CHARS, clean_text
from celebcollect.sources.wikidata.answers import Row, Term
from celebcollect.sources.wikidata.queries import ABOUT, ALIAS, LABEL, WD, WDT
from celebcollect.sources.wikidata.reasons import WikidataReason

log = logging.getLogger(__name__)

MAX_VALUES = 50
"""Values kept of one kind for one person; real people have some aliases in a language and a few
occupations."""

MAX_CHARS = 2000
"""Longest value that is looked at; labels have 250 characters, names of files 240 bytes,
percent-encoded at most three times as many."""

PHOTOGRAPHS = frozenset((".jpg", ".jpeg", ".jpe", ".png", ".webp"))
"""File types on Commons that hold photographs; the others are drawings (.svg), scans (.tif, .pdf,
.djvu), films and sounds."""

Day = tuple[int, int, int]

_QID = re.compile(r"Q[1-9][0-9]{0,11}")
_DATE = re.compile(r"([+-]?)(\d{1,4})-(\d\d)-(\d\d)(T.{0,30})?")
_SITELINKS = re.compile(r"\d{1,6}")
_TMDB = re.compile(r"[1-9]\d{0,9}")
_IMDB = re.compile(r"nm\d{1,20}")  # tt: films, co: companies, ch: characters; only nm is a person


@dataclass(slots=True)
class Seed:
    """Somebody whom a band of fame named, before anything else is known."""

    qid: str
    sitelinks: int
    occupations: set[str] = field(default_factory=set)
    """Of those asked for, under which the person was found."""
    births: set[Day] = field(default_factory=set)


def read_seeds(rows: Iterable[Row], occupation: str, seeds: dict[str, Seed], tally: Tally) -> None:
    """Add the people that one seed query named to `seeds`."""
    for row in rows:
        qid, sitelinks = qid_of(row.get("person")), row.get("sitelinks")
        if not qid or sitelinks is None or not _SITELINKS.fullmatch(sitelinks.value):
            tally.drop(WikidataReason.BAD_VALUE)
            continue
        seed = seeds.setdefault(qid, Seed(qid, int(sitelinks.value)))
        seed.occupations.add(occupation)
        birth = row.get("birth")
        if birth and (day := _read_day(birth, tally)):
            seed.births.add(day)


def too_old(seed: Seed, born_after: date) -> WikidataReason | None:
    """
    Return why somebody is not surely born on that day or later, or None.

    The earliest of several births counts.
    """
    if not seed.births:
        return WikidataReason.UNKNOWN_BIRTH
    return (
        WikidataReason.BORN_BEFORE
        if min(seed.births) < (born_after.year, born_after.month, born_after.day)
        else None
    )


def qid_of(term: Term | None) -> str | None:
    """Return the QID that an entity's IRI names."""
    if term is None or term.kind != "uri" or not term.value.startswith(WD):
        return None
    qid = term.value[len(WD) :]
    return qid if _QID.fullmatch(qid) else None


class Facts:
    """
    The rows of one details query by item and property.

    `languages` are in the order of preference; `order` ranks the occupations asked for and their
    subclasses, so that the one under which a person was found comes first among the professions.
    """

    def __init__(
        self,
        rows: Iterable[Row],
        asked: Iterable[str],
        *,
        languages: Sequence[str],
        order: Mapping[str, int],
        tally: Tally,
    ) -> None:
        self._languages = languages
        self._order = order
        self._tally = tally
        self._values: defaultdict[tuple[str, str], list[Term]] = defaultdict(list)
        people = set(asked)
        for row in rows:
            item, of, value = qid_of(row.get("item")), row.get("property"), row.get("value")
            if (
                item is None
                or of is None
                or value is None
                or len(value.value) > MAX_CHARS
                or not (item in people or of.value == LABEL)
            ):
                tally.drop(WikidataReason.BAD_VALUE)
            else:
                self._values[item, of.value].append(value)

    def person(self, seed: Seed) -> Celebrity | None:
        """
        Return the person, or None (counted) when there is no name in any of the languages.

        An alias or an id is not one.
        """
        labels = self._spoken(seed.qid, LABEL)
        name = next(iter(labels), None)
        if name is None:
            self._tally.drop(WikidataReason.NO_NAME)
            log.info(
                "person without a name qid=%s languages=%s", seed.qid, ",".join(self._languages)
            )
            return None
        births = self._days(seed.qid, "P569")
        if len(births) > 1:
            self._tally.count("several_births")
            log.debug("several births qid=%s births=%s", seed.qid, ",".join(births))
        try:
            return Celebrity(
                qid=seed.qid,
                name=name,
                description=next(iter(self._spoken(seed.qid, ABOUT)), None),
                aliases=_unique((*labels, *self._spoken(seed.qid, ALIAS)), but=name),
                professions=self._linked(seed.qid, "P106"),
                births=births,
                deaths=self._days(seed.qid, "P570"),
                genders=self._linked(seed.qid, "P21"),
                citizenships=self._linked(seed.qid, "P27"),
                sitelinks=seed.sitelinks,
                tmdb_ids=self._ids(seed.qid, "P4985", _TMDB, WikidataReason.BAD_TMDB_ID),
                imdb_ids=self._ids(seed.qid, "P345", _IMDB, WikidataReason.BAD_IMDB_ID),
                portraits=self._portraits(seed.qid),
                commons_category=self._category(seed.qid),
            )
        except ValidationError:
            self._tally.drop(WikidataReason.BAD_VALUE)
            log.info("unusable person qid=%s", seed.qid)
            return None

    def _literals(self, qid: str, of: str) -> list[Term]:
        terms = self._values.get((qid, of), [])
        literals = [term for term in terms if term.kind == "literal"]
        if len(literals) < len(terms):
            self._tally.drop(WikidataReason.BAD_VALUE, len(terms) - len(literals))
        return literals

    def _spoken(self, qid: str, of: str) -> list[str]:
        """Return texts by language, then by alphabet (the order of rows means nothing)."""
        ranked = []
        for term in self._literals(qid, of):
            text = clean_text(term.value)[:MAX_NAME_CHARS].rstrip()
            if text and term.language in self._languages:
                ranked.append((self._languages.index(term.language), text))
        return [text for _, text in sorted(ranked)]

    def _linked(self, qid: str, of: str) -> tuple[str, ...]:
        """Return the labels of linked items, and the QID of those without one in our languages."""
        items = set()
        for term in self._values.get((qid, WDT + of), []):
            if item := qid_of(term):
                items.add(item)
            elif not _is_unknown(term):
                self._tally.drop(WikidataReason.BAD_VALUE)
        ordered = sorted(
            items, key=lambda item: (self._order.get(item, len(self._order)), int(item[1:]))
        )
        return _unique(next(iter(self._spoken(item, LABEL)), item) for item in ordered)

    def _days(self, qid: str, of: str) -> tuple[str, ...]:
        days = {
            day
            for term in self._values.get((qid, WDT + of), [])
            if (day := _read_day(term, self._tally))
        }
        return tuple(_iso(day) for day in sorted(days))[:MAX_VALUES]

    def _ids(
        self, qid: str, of: str, shape: re.Pattern[str], reason: WikidataReason
    ) -> tuple[str, ...]:
        found = {term.value for term in self._literals(qid, WDT + of)}
        kept = {value for value in found if value.isascii() and shape.fullmatch(value)}
        if len(kept) < len(found):
            self._tally.drop(reason, len(found) - len(kept))
        return tuple(sorted(kept, key=lambda value: (len(value), value)))[:MAX_VALUES]

    def _portraits(self, qid: str) -> tuple[str, ...]:
        kept = set()
        for term in self._values.get((qid, WDT + "P18"), []):
            url = _commons_url(term)
            if url is None:
                self._tally.drop(WikidataReason.BAD_VALUE)
            elif PurePosixPath(unquote(urlsplit(url).path)).suffix.lower() not in PHOTOGRAPHS:
                self._tally.drop(WikidataReason.NOT_A_PHOTOGRAPH)
            else:
                kept.add(url)
        return tuple(sorted(kept))[:MAX_VALUES]

    def _category(self, qid: str) -> str | None:
        names = sorted(
            clean_text(term.value).removeprefix("Category:")
            for term in self._literals(qid, WDT + "P373")
        )
        # MediaWiki: Help:Page_name
        usable = [
            name
            for name in names
            if name and len(name.encode()) <= 255 and not set(name) & set("#<>[]|{}")
        ]
        if len(usable) < len(names):
            self._tally.drop(WikidataReason.BAD_VALUE, len(names) - len(usable))
        return usable[0] if usable else None


def _read_day(term: Term, tally: Tally) -> Day | None:
    """
    Return a date, or None when it is unknown or (counted) no date.

    The year may be negative; year-only dates come as January 1.
    """
    if _is_unknown(term):
        return None
    parts = _DATE.fullmatch(term.value) if term.kind == "literal" and term.value.isascii() else None
    if parts:
        # Wikibase writes month or day 00 where only the year is known.
        year, month, day = int(parts[1] + parts[2]), int(parts[3]) or 1, int(parts[4]) or 1
        if year and month <= 12 and day <= 31:
            return year, month, day
    tally.drop(WikidataReason.BAD_VALUE)
    return None


def _iso(day: Day) -> str:
    year, month, day_of_month = day
    return f"{'-' if year < 0 else ''}{abs(year):04d}-{month:02d}-{day_of_month:02d}"


def _is_unknown(term: Term) -> bool:
    """
    Tell whether this is Wikidata's `unknown value`.

    A blank node in dumps and QLever, a made-up IRI in the query service.
    """
    return term.kind == "bnode" or (term.kind == "uri" and "/.well-known/genid/" in term.value)


def _commons_url(term: Term) -> str | None:
    """Return the https address of a file on Commons, or None when the value is something else."""
    try:
        parts = urlsplit(term.value)
    except ValueError:
        return None
    prefix = "/wiki/Special:FilePath/"
    usable = (
        term.kind == "uri"
        and term.value.isascii()
        and parts.scheme in ("http", "https")
        and parts.netloc == "commons.wikimedia.org"
    )
    if (
        not usable
        or not parts.path.startswith(prefix)
        or len(parts.path) == len(prefix)
        or parts.query
        or parts.fragment
    ):
        return None
    return f"https://{parts.netloc}{parts.path}"


def _unique(texts: Iterable[str], *, but: str = "") -> tuple[str, ...]:
    return tuple(text for text in dict.fromkeys(texts) if text != but)[:MAX_VALUES]
