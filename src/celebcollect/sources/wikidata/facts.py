"""Make people out of rows.

Every value comes from outside: what cannot be what it claims to be is counted and left out, never
guessed.
"""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from pydantic import ValidationError

from celebcollect.domain.records import Celebrity
from celebcollect.domain.tally import Tally
from celebcollect.domain.text import MAX_NAME_CHARS, clean_text
from celebcollect.sources.wikidata.answers import Row, Term
from celebcollect.sources.wikidata.queries import ABOUT, ALIAS, LABEL, WDT
from celebcollect.sources.wikidata.reasons import WikidataReason
from celebcollect.sources.wikidata.seeds import Seed
from celebcollect.sources.wikidata.values import commons_url, is_unknown, iso_day, qid_of, read_day

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

_TMDB = re.compile(r"[1-9]\d{0,9}")
_IMDB = re.compile(r"nm\d{1,20}")  # tt: films, co: companies, ch: characters; only nm is a person


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
            elif not is_unknown(term):
                self._tally.drop(WikidataReason.BAD_VALUE)
        ordered = sorted(
            items, key=lambda item: (self._order.get(item, len(self._order)), int(item[1:]))
        )
        return _unique(next(iter(self._spoken(item, LABEL)), item) for item in ordered)

    def _days(self, qid: str, of: str) -> tuple[str, ...]:
        days = {
            day
            for term in self._values.get((qid, WDT + of), [])
            if (day := read_day(term, self._tally))
        }
        return tuple(iso_day(day) for day in sorted(days))[:MAX_VALUES]

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
            url = commons_url(term)
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


def _unique(texts: Iterable[str], *, but: str = "") -> tuple[str, ...]:
    return tuple(text for text in dict.fromkeys(texts) if text != but)[:MAX_VALUES]
