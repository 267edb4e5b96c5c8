"""What the failures of a SPARQL endpoint mean: ask again, ask less, stay away, or give up."""

from __future__ import annotations

import http.client
import re
import ssl
import urllib.error
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from celebcollect.domain.errors import SourceBlocked, SourceError
from celebcollect.domain.tally import Tally
from celebcollect.sources.wikidata.answers import (
    QueryTooHeavy,
    excerpt,
    moment_of,
    wait_of,
)
from celebcollect.web.retry_after import SHORTEST_S, retry_after_s
from celebcollect.web.urls import shown_url

# Blazegraph names the Java exception; QLever says `Operation timed out` (with status 429) or that
# it could not allocate memory.
_TOO_HEAVY = re.compile(r"TimeoutException|timed out|Tried to allocate|cancelled", re.IGNORECASE)
_BANNED = re.compile(r"banned until ([0-9T:.+Z-]{10,40})")


class PassingTrouble(Exception):
    """Trouble that may be over at the next try."""

    def __init__(self, final: SourceError, retry_after_s: float = 0) -> None:
        super().__init__(final.message)
        self.final = final
        self.retry_after_s = retry_after_s


class Refusals:
    """Tells what a failure of one endpoint means, by raising it."""

    def __init__(self, address: str, *, shown: str, tally: Tally) -> None:
        self._address = address
        self._shown = shown
        self._tally = tally

    def refuse_redirect(self, url: str) -> None:
        """
        Refuse what came from elsewhere.

        A redirect is followed as a GET without the question, by `urllib`.
        """
        if url != self._address:
            raise SourceError(
                f"the SPARQL endpoint {self._shown} has moved to {shown_url(url)}",
                hint="Set wikidata.endpoint to the new address.",
            )

    def explain(self, error: urllib.error.HTTPError, body: str) -> NoReturn:
        """Turn an HTTP error into what it means to us; raises always."""
        self.refuse_redirect(error.url)
        status, said = error.code, excerpt(body)
        what = f"{self._shown} answers {status}" + (f": {said}" if said else "")
        if status in (429, 500) and _TOO_HEAVY.search(body):
            self.too_heavy("the endpoint's time or memory limit was reached", error)
        if status == 429:
            self._tally.count("throttled")
            pause_s = wait_of(error.headers.get("Retry-After"), body) or SHORTEST_S
            until = datetime.now(UTC).replace(microsecond=0) + timedelta(
                seconds=min(pause_s, 10 * 86_400)
            )
            blocked = SourceBlocked(
                f"{self._shown} asks us to stay away until {until:%Y-%m-%d %H:%M} UTC (429)",
                hint="Run it again later; it goes on where it stopped.",
                until=until,
            )
            raise PassingTrouble(blocked, pause_s) from error
        if status == 403 and (banned := _BANNED.search(body)):
            raise SourceBlocked(
                f"{self._shown} has banned us until {banned[1]}",
                hint="Run it after that; it goes on where it stopped.",
                until=moment_of(banned[1]),
            ) from error
        if status == 403:
            raise SourceError(
                what,
                hint=(
                    "Wikimedia refuses programs that do not say who runs them: set http.contact to"
                    " a mail address or a URL."
                ),
            ) from error
        if status >= 500:
            raise PassingTrouble(
                SourceError(what, hint="The endpoint has trouble; try again later."),
                retry_after_s(error.headers.get("Retry-After")) or 0,
            ) from error
        if 300 <= status < 400:
            raise SourceError(
                f"{what} (moved to {shown_url(error.headers.get('Location') or '?')})",
                hint="Set wikidata.endpoint to the new address.",
            ) from error
        raise SourceError(
            what,
            hint=(
                "Check wikidata.endpoint and wikidata.dialect: is it a SPARQL endpoint of Wikidata?"
            ),
        ) from error

    def too_heavy(self, why: str, error: BaseException) -> NoReturn:
        """Count a question that was too much, and raise it."""
        self._tally.count("timeouts")
        raise QueryTooHeavy(
            f"{self._shown} did not finish a question: {why}",
            hint="It is overloaded; try again later.",
        ) from error

    def unreachable(self, error: Exception) -> NoReturn:
        """Raise what kept us from the endpoint: passing trouble, but for wrong addresses."""
        reason = getattr(error, "reason", None) or error
        text = (
            (reason.strerror if isinstance(reason, OSError) else None)
            or str(reason)
            or type(reason).__name__
        )
        final = SourceError(
            f"cannot reach the SPARQL endpoint {self._shown}: {excerpt(text)}",
            hint="Check the network and wikidata.endpoint.",
        )
        if isinstance(reason, (ssl.SSLCertVerificationError, http.client.InvalidURL, UnicodeError)):
            raise final from error
        raise PassingTrouble(final) from error
