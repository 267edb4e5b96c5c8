"""Ask a SPARQL endpoint one question at a time, as a guest who knows how endpoints fail.

The home of SPARQLWrapper.

SPARQLWrapper sends and receives; the pace, the time limits, the retries and the meaning of errors
are ours, because it has none of them.
"""

from __future__ import annotations

import contextlib
import http.client
import logging
import math
import threading
import time
import urllib.error
from collections.abc import Callable
from urllib.parse import urlsplit

from SPARQLWrapper import JSON, POST, SPARQLWrapper
from SPARQLWrapper.SPARQLExceptions import SPARQLWrapperException

from celebcollect.domain.errors import ConfigError, Interrupted, SourceError
from celebcollect.domain.tally import Tally
from celebcollect.sources.wikidata.answers import (
    QueryTooHeavy,
    Row,
    excerpt,
    rows_of,
    text_of,
)
from celebcollect.sources.wikidata.refusals import PassingTrouble, Refusals
from celebcollect.sources.wikidata.settings import WikidataConfig
from celebcollect.web.urls import shown_url

log = logging.getLogger(__name__)

MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""A band of 20,000 people answers in about 5 MB; whatever is larger had better be asked in
parts."""

ATTEMPTS = 6
"""Tries of one question. Wikidata bans who causes more than 30 errors a minute; ours stay below 1
every 2 seconds."""

FIRST_ATTEMPTS = 3
"""Tries as long as the endpoint has never answered: a wrong address should be told within
seconds."""

PATIENCE_S = 300.0
"""Longest time spent on waiting for one question; who is asked to wait longer is blocked."""

HEAVY_TRIES = 3
"""Tries of a question that timed out and cannot be made smaller."""


class Endpoint:
    """
    A SPARQL endpoint. To be used by one thread.

    One request at a time, and a pause of max(query time, `min_interval_s`) after each.

    `wait` sleeps that many seconds and tells whether the user asked to stop, as
    `threading.Event.wait` does; `clock` is in seconds.
    """

    def __init__(
        self,
        settings: WikidataConfig,
        *,
        user_agent: str,
        tally: Tally,
        wait: Callable[[float], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if urlsplit(settings.endpoint).username is not None:
            raise ConfigError(
                "wikidata.endpoint must not carry a user name or a password",
                hint="Remove what stands before the @: the address is shown in messages.",
            )
        self.shown = shown_url(settings.endpoint)
        """The address without anything that may be secret."""
        self._settings = settings
        self._refusals = Refusals(settings.endpoint, shown=self.shown, tally=tally)
        self._user_agent = user_agent
        self._tally = tally
        self._wait = wait or threading.Event().wait
        self._clock = clock
        self._ready_at = -math.inf
        self._answered = False

    def select(self, query: str) -> list[Row]:
        """
        Return the rows of a SELECT query; passing trouble is waited out.

        Raises:
            QueryTooHeavy: A timeout in any of its forms; nothing of a partial answer is kept.
            SourceBlocked: We are banned, or throttled for longer than we wait.
            SourceError: Unreachable, refused, or an answer that is no SPARQL result.
        """
        give_up_at = self._clock() + PATIENCE_S
        attempt = 1
        while True:
            try:
                return self._ask(query)
            except PassingTrouble as trouble:
                pause_s = max(trouble.retry_after_s, 2.0 ** (attempt - 1))
                if (
                    attempt >= (ATTEMPTS if self._answered else FIRST_ATTEMPTS)
                    or self._clock() + pause_s > give_up_at
                ):
                    raise trouble.final from trouble
                log.warning(
                    "asking again endpoint=%s attempt=%d in_s=%.0f reason=%s",
                    self.shown,
                    attempt,
                    pause_s,
                    trouble.final.message,
                )
                self._tally.count("retries")
                self._sleep(pause_s)
                attempt += 1

    def select_stubbornly(self, query: str) -> list[Row]:
        """
        Return the rows of a query that cannot be made smaller.

        A timeout is passing trouble, up to a point. Raises as `select` does.
        """
        for attempt in range(1, HEAVY_TRIES):
            try:
                return self.select(query)
            except QueryTooHeavy:
                self._sleep(2.0**attempt)
        return self.select(query)

    def _ask(self, query: str) -> list[Row]:
        self._sleep(self._ready_at - self._clock())
        wrapper = SPARQLWrapper(self._settings.endpoint, agent=self._user_agent)
        wrapper.setMethod(POST)  # a GET with some hundred QIDs is longer than servers take
        wrapper.setReturnFormat(JSON)
        wrapper.setOnlyConneg(True)  # else it sends three made-up `format` parameters
        wrapper.setQuery(query)
        # of each socket operation; it takes whole seconds, and 0 for endless
        wrapper.setTimeout(math.ceil(self._settings.timeout_s))
        self._tally.count("requests")
        started = self._clock()
        try:
            response = wrapper.query().response
            with contextlib.closing(response):
                self._answered = True
                self._refusals.refuse_redirect(response.geturl())
                return rows_of(self._body(response, started), self.shown, self._tally)
        except QueryTooHeavy:
            self._tally.count("timeouts")
            raise
        except (SPARQLWrapperException, urllib.error.HTTPError) as error:
            refusal = error if isinstance(error, urllib.error.HTTPError) else error.__context__
            if not isinstance(refusal, urllib.error.HTTPError):
                raise SourceError(
                    f"the SPARQL endpoint {self.shown} failed: {excerpt(str(error))}",
                    hint="Check wikidata.endpoint and wikidata.dialect, or try again later.",
                ) from error
            self._answered = True
            self._refusals.explain(refusal, text_of(error))
        except TimeoutError as error:
            self._refusals.too_heavy(f"no answer within {self._settings.timeout_s:g} s", error)
        except http.client.IncompleteRead as error:
            self._refusals.too_heavy("the answer was cut off", error)
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            self._refusals.unreachable(error)
        finally:
            # The failed ones count too: a query that ran into the time limit has used up the minute
            # that Wikidata grants per minute.
            now = self._clock()
            self._ready_at = now + max(now - started, self._settings.min_interval_s)

    def _sleep(self, seconds: float) -> None:
        if seconds > 0 and self._wait(seconds):
            raise Interrupted(
                "stopped while waiting for the SPARQL endpoint",
                hint="What was finished is kept; run it again.",
            )

    def _body(self, response: http.client.HTTPResponse, started: float) -> bytes:
        """
        Read the answer within twice the time limit and the size limit.

        The socket's own timeout lets a dripping server go on for ever.
        """
        chunks: list[bytes] = []
        size = 0
        while chunk := response.read1(1 << 16):
            chunks.append(chunk)
            size += len(chunk)
            if size > MAX_ANSWER_BYTES or self._clock() - started > 2 * self._settings.timeout_s:
                raise QueryTooHeavy(
                    f"{self.shown} answers with too much (stopped after {size} bytes)",
                    hint="A smaller [wikidata] limit asks for less.",
                )
        return b"".join(chunks)
