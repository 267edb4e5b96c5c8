"""Read single values of Wikidata: items, days, addresses of files."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from celebcollect.domain.tally import Tally
from celebcollect.sources.wikidata.answers import Term
from celebcollect.sources.wikidata.queries import WD
from celebcollect.sources.wikidata.reasons import WikidataReason

Day = tuple[int, int, int]

_QID = re.compile(r"Q[1-9][0-9]{0,11}")
_DATE = re.compile(r"([+-]?)(\d{1,4})-(\d\d)-(\d\d)(T.{0,30})?")


def qid_of(term: Term | None) -> str | None:
    """Return the QID that an entity's IRI names."""
    if term is None or term.kind != "uri" or not term.value.startswith(WD):
        return None
    qid = term.value[len(WD) :]
    return qid if _QID.fullmatch(qid) else None


def read_day(term: Term, tally: Tally) -> Day | None:
    """
    Return a date, or None when it is unknown or (counted) no date.

    The year may be negative; year-only dates come as January 1.
    """
    if is_unknown(term):
        return None
    parts = _DATE.fullmatch(term.value) if term.kind == "literal" and term.value.isascii() else None
    if parts:
        # Wikibase writes month or day 00 where only the year is known.
        year, month, day = int(parts[1] + parts[2]), int(parts[3]) or 1, int(parts[4]) or 1
        if year and month <= 12 and day <= 31:
            return year, month, day
    tally.drop(WikidataReason.BAD_VALUE)
    return None


def iso_day(day: Day) -> str:
    """Return a day as ISO 8601 writes it; the year may be negative."""
    year, month, day_of_month = day
    return f"{'-' if year < 0 else ''}{abs(year):04d}-{month:02d}-{day_of_month:02d}"


def is_unknown(term: Term) -> bool:
    """
    Tell whether this is Wikidata's `unknown value`.

    It is a blank node in dumps and QLever, and a made-up IRI in the query service.
    """
    return term.kind == "bnode" or (term.kind == "uri" and "/.well-known/genid/" in term.value)


def commons_url(term: Term) -> str | None:
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
