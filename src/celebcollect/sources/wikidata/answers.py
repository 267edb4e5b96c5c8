"""Read what a SPARQL endpoint sends back, answer or refusal, without trusting any of it."""

from __future__ import annotations

import ast
import http.client
import json
import re
import urllib.error
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from celebcollect.domain.errors import SourceError
from celebcollect.domain.tally import Tally
from celebcollect.domain.text import clean_text
from celebcollect.sources.wikidata.reasons import WikidataReason
from celebcollect.web.retry_after import SHORTEST_S, retry_after_s

_RETRY_IN = re.compile(r"retry in (\d{1,6}) second", re.IGNORECASE)


class QueryTooHeavy(SourceError):
    """The endpoint could not finish this question (time, memory, a cut answer); ask less."""


@dataclass(frozen=True, slots=True)
class Term:
    """One value of an answer, as untrusted as it came."""

    kind: str
    """`uri`, `literal` or `bnode`."""
    value: str
    language: str = ""


Row = Mapping[str, Term]


def rows_of(body: bytes, shown: str, tally: Tally) -> list[Row]:
    """
    Read a SPARQL 1.1 JSON result (W3C recommendation of 2013-03-21, section 3).

    Broken bindings are counted, not kept.

    Raises:
        QueryTooHeavy: The JSON ends early; Blazegraph writes its stack trace into the half-written
            result (Phabricator T283962).
        SourceError: Something else than a result.
    """
    no_result = SourceError(
        f"{shown} answers, but not with a SPARQL result",
        hint="Check wikidata.endpoint: is it a SPARQL endpoint?",
    )
    try:
        answer: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        if body.lstrip()[:1] in (b"{", b""):
            raise QueryTooHeavy(
                f"{shown} cut its answer off after {len(body)} bytes",
                hint="It is overloaded; try again later.",
            ) from error
        raise no_result from error
    results = answer.get("results") if isinstance(answer, dict) else None
    bindings = results.get("bindings") if isinstance(results, dict) else None
    if not isinstance(bindings, list):
        raise no_result
    rows: list[Row] = []
    for binding in bindings:
        if isinstance(binding, dict):
            rows.append(
                {name: term for name, value in binding.items() if (term := _term(value, tally))}
            )
        else:
            tally.drop(WikidataReason.BAD_VALUE)
    return rows


def _term(value: object, tally: Tally) -> Term | None:
    if isinstance(value, dict):
        kind, text, language = value.get("type"), value.get("value"), value.get("xml:lang", "")
        if (
            kind in ("uri", "literal", "typed-literal", "bnode")
            and isinstance(text, str)
            and isinstance(language, str)
        ):
            return Term("literal" if kind == "typed-literal" else kind, text, language.lower())
    tally.drop(WikidataReason.BAD_VALUE)
    return None


def text_of(error: Exception) -> str:
    """
    Return the start of an error's body.

    SPARQLWrapper has read it already for some and shows it as the repr of bytes.
    """
    if isinstance(error, urllib.error.HTTPError):
        try:
            return error.read(4096).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException):
            return ""
    shown = str(error).partition("Response:\n")[2]
    try:
        body = ast.literal_eval(shown)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return shown
    return body.decode("utf-8", "replace") if isinstance(body, bytes) else shown


def excerpt(text: str) -> str:
    """Return the start of a text from outside, without markup and fit for one line of a message."""
    return clean_text(re.sub(r"<[^>]*>", " ", text[:2000]))[:200]


def wait_of(header: str | None, body: str) -> float | None:
    """
    Return the seconds to wait.

    Of the Retry-After header, else of the sentence in Wikidata's page, or None where neither says.
    """
    said = _RETRY_IN.search(body)
    return retry_after_s(header) or (max(SHORTEST_S, float(said[1])) if said else None)


def moment_of(text: str) -> datetime | None:
    """Return an ISO date and time (UTC where no zone is named), or None."""
    try:
        moment = datetime.fromisoformat(text.rstrip(".,"))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
