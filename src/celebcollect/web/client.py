"""Talk to the APIs of sources as a polite guest: one User-Agent, a pace per host, Retry-After, retries with an end.

Pictures are not downloaded here (that is `web.fetch`), and what an answer means is the source's
business.
"""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import stamina
import stamina.instrumentation

from celebcollect.config.sections import HttpConfig
from celebcollect.domain.errors import Interrupted, SourceBlocked, SourceError
from celebcollect.domain.records import now
from celebcollect.domain.text import clean_text
from celebcollect.web.pace import Pace, Wait
from celebcollect.web.retry_after import retry_after_s
from celebcollect.web.user_agent import user_agent

log = logging.getLogger(__name__)

# We say ourselves that we try again, with host, attempt and pause; stamina's own line would say it
# once more without them.
stamina.instrumentation.set_on_retry_hooks(())

MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""Largest answer that is read; the largest recorded one has 57 KB."""
_MAX_REDIRECTS = 5
_FIRST_BACKOFF_S, _LONGEST_BACKOFF_S = 0.5, 8.0


def server_time(url: str, http: HttpConfig) -> datetime | None:
    """Return the time (UTC, whole seconds) that the server of `url` puts on its answers; None when it cannot be reached or tells none."""
    try:
        answer = httpx.head(
            url,
            headers={"User-Agent": user_agent(http.contact)},
            timeout=http.timeout_s,
            trust_env=False,
        )
        told = parsedate_to_datetime(answer.headers.get("Date", ""))
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return None
    return told.astimezone(UTC) if told.tzinfo else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How gently an API is asked."""

    rate_per_s: float
    burst: int = 1
    """At most so many requests start in any `burst / rate_per_s` seconds."""
    connections: int = 2
    attempts: int = 5
    total_s: float = 60
    """No new attempt once the first one was so long ago."""
    longest_wait_s: float = 60
    """A longer Retry-After is not waited for: it ends in `SourceBlocked`."""


class ApiError(SourceError):
    """An API answered, but not with what was asked for; `body` is its parsed JSON, or None."""

    def __init__(self, message: str, *, status: int, body: Any = None) -> None:
        super().__init__(message, hint="Try again later; the API may be out of order.")
        self.status = status
        self.body = body


class _Passing(Exception):
    """A failure that may be over at the next attempt, and what to say if it is not."""

    def __init__(self, error: SourceError, retry_after_s: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.retry_after_s = retry_after_s


def passes(status: int, body: Any) -> bool:  # noqa: ARG001 - a source may look at the body too
    """Tell whether the same request may succeed later: too many requests (429) and server errors (5xx)."""
    return status == 429 or status >= 500


class ApiClient:
    """
    Ask JSON APIs, in any number of threads.

    `may_pass(status, body)` says whether a failure is worth another attempt, `on_request` is called
    before each request, `wait` does all the waiting (see `web.pace.Wait`). No proxy and no netrc of
    the environment is used. Messages name the host and the status, never a URL, a header or text
    that the server sent.
    """

    def __init__(
        self,
        http: HttpConfig,
        manners: Manners,
        *,
        may_pass: Callable[[int, Any], bool] = passes,
        on_request: Callable[[], None] = lambda: None,
        wait: Wait | None = None,
    ) -> None:
        self._timeout_s = http.timeout_s
        self._manners = manners
        self._may_pass = may_pass
        self._on_request = on_request
        self._wait = wait or threading.Event().wait
        self._paces: dict[str, Pace] = {}
        self._lock = threading.Lock()
        self._at_once = threading.BoundedSemaphore(manners.connections)
        self._http = httpx.Client(
            timeout=http.timeout_s,
            limits=httpx.Limits(max_connections=manners.connections),
            headers={"User-Agent": user_agent(http.contact), "Accept": "application/json"},
            trust_env=False,
            follow_redirects=False,
        )

    def get_json(
        self,
        url: str,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """
        Return the parsed JSON of a successful answer, after as many attempts as `Manners` allows.

        Raises:
            ApiError: The API refused (4xx), kept failing (5xx), answered no JSON, too much, or from
                somewhere else.
            SourceBlocked: It asks us to stay away for longer than we wait, or did not stop saying
                429.
            SourceError: The host cannot be reached.
            Interrupted: The work is to stop.
        """
        try:
            target = httpx.URL(url, params=dict(params)) if params else httpx.URL(url)
        except httpx.InvalidURL:
            raise SourceError(
                "the address of an API cannot be understood",
                hint="Check the URLs in the configuration.",
            ) from None
        try:
            # The waiting is done by the pace, where a stop interrupts it and other threads see it;
            # stamina counts and ends.
            for attempt in stamina.retry_context(
                on=_Passing,
                attempts=self._manners.attempts,
                timeout=self._manners.total_s,
                wait_initial=0,
                wait_max=0,
                wait_jitter=0,
            ):
                with attempt:
                    return self._attempt(target, headers or {}, attempt.num)
        except _Passing as passing:
            raise _final(passing) from passing.__cause__
        raise AssertionError("stamina ended without a result")

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _attempt(self, url: httpx.URL, headers: Mapping[str, str], number: int) -> Any:
        try:
            return self._follow(url, headers)
        except _Passing as passing:
            asked_s = passing.retry_after_s
            if asked_s is not None and asked_s > self._manners.longest_wait_s:
                raise _blocked(passing.error.message, asked_s) from passing
            # Jitter, so that workers on several machines do not come back together.
            backoff_s = min(
                _LONGEST_BACKOFF_S, _FIRST_BACKOFF_S * 2 ** (number - 1)
            ) * random.uniform(0.75, 1)  # noqa: S311
            delay_s = max(backoff_s, asked_s or 0)
            self._pace(url.host).hold(delay_s)
            log.info(
                "request failed host=%s attempt=%d wait_s=%.1f reason=%s",
                url.host,
                number,
                delay_s,
                passing,
            )
            raise

    def _follow(self, url: httpx.URL, headers: Mapping[str, str]) -> Any:
        for _ in range(_MAX_REDIRECTS):
            status, body, target = self._send(url, headers)
            if target is None:
                return self._judge(url.host, status, body)
            url = _same_host(url, target, status)
        raise ApiError(f"{url.host} redirects in circles", status=status)

    def _send(self, url: httpx.URL, headers: Mapping[str, str]) -> tuple[int, Any, str | None]:
        """Return status, parsed JSON (None if it is none) and the target of a redirect."""
        # A place among the connections first, the start after that: a request that has its start
        # must not queue any more.
        with self._at_once:
            if self._pace(url.host).take(self._wait):
                raise Interrupted(
                    f"stopped while waiting to ask {url.host}",
                    hint="What was finished is kept; run it again.",
                )
            self._on_request()
            return self._exchange(url, headers)

    def _exchange(self, url: httpx.URL, headers: Mapping[str, str]) -> tuple[int, Any, str | None]:
        try:
            with self._http.stream("GET", url, headers=dict(headers)) as response:
                if response.has_redirect_location:
                    return response.status_code, None, response.headers["Location"]
                body = _parse(self._read(response))
                if self._may_pass(response.status_code, body):
                    error = ApiError(
                        f"{url.host} answered HTTP {response.status_code}",
                        status=response.status_code,
                        body=body,
                    )
                    raise _Passing(error, retry_after_s(response.headers.get("Retry-After")))
                return response.status_code, body, None
        except httpx.TimeoutException as error:
            raise _Passing(
                SourceError(
                    f"{url.host} did not answer within {self._timeout_s:g} s",
                    hint="Try again later, or raise [http] timeout_s.",
                )
            ) from error
        except (httpx.NetworkError, httpx.RemoteProtocolError, httpx.DecodingError) as error:
            reason = (
                clean_text(str(error))[:200]
                if isinstance(error, httpx.ConnectError)
                else "the connection broke"
            )
            raise _Passing(
                SourceError(
                    f"cannot reach {url.host}: {reason}",
                    hint="Check the network and the URL in the configuration.",
                )
            ) from error
        except httpx.HTTPError:
            # What is left are requests that cannot be sent; the text of such an error may quote a
            # header.
            raise SourceError(
                f"the request to {url.host} cannot be sent",
                hint="Check the URLs in the configuration.",
            ) from None

    def _read(self, response: httpx.Response) -> bytes:
        # a server may not drip its answer for ever
        deadline = time.monotonic() + 3 * self._timeout_s
        content = bytearray()
        for chunk in response.iter_bytes():
            content += chunk
            if len(content) > MAX_ANSWER_BYTES:
                raise ApiError(
                    f"{response.url.host} answered with more than {MAX_ANSWER_BYTES} bytes",
                    status=response.status_code,
                )
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("the answer drips")
        return bytes(content)

    def _judge(self, host: str, status: int, body: Any) -> Any:
        if not 200 <= status < 300:
            raise ApiError(f"{host} answered HTTP {status}", status=status, body=body)
        if body is None:  # half an answer looks like this too, so it is worth another attempt
            raise _Passing(ApiError(f"{host} answered HTTP {status} without JSON", status=status))
        return body

    def _pace(self, host: str) -> Pace:
        with self._lock:
            return self._paces.setdefault(host, Pace(self._manners.rate_per_s, self._manners.burst))


def _same_host(url: httpx.URL, location: str, status: int) -> httpx.URL:
    """Return the target of a redirect that stays at home; the headers, and the secrets in them, go nowhere else."""
    try:
        target = url.join(location)
    except httpx.InvalidURL:
        raise ApiError(f"{url.host} redirects to something that is no URL", status=status) from None
    upgrade = (
        url.scheme == "http"
        and target.scheme == "https"
        and url.port is None
        and target.port is None
    )
    if target.host != url.host or not (
        upgrade or (target.scheme, target.port) == (url.scheme, url.port)
    ):
        raise ApiError(f"{url.host} redirects to another server", status=status)
    return target


def _parse(content: bytes) -> Any:
    """Return the parsed JSON, or None for what is none (the literal `null` is as useless to us)."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _final(passing: _Passing) -> SourceError:
    error = passing.error
    if isinstance(error, ApiError) and error.status == 429:
        return _blocked(error.message, max(60.0, passing.retry_after_s or 0))
    return error


def _blocked(message: str, seconds: float) -> SourceBlocked:
    until = now() + timedelta(seconds=seconds)
    return SourceBlocked(
        f"{message} and asks us to stay away until {until:%Y-%m-%d %H:%M:%S} UTC",
        hint="Run the same command again after that.",
        until=until,
    )
