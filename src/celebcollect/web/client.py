"""Ask the APIs of sources as a polite guest: at a rate, with Retry-After and attempts with an end.

Pictures are not downloaded here (that is `web.fetch`), and what an answer means is the source's
business.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import stamina
import stamina.instrumentation

from celebcollect.config.sections import HttpConfig
from celebcollect.domain.errors import Interrupted
from celebcollect.web.api_errors import ApiError, PassingFailure, blocked
from celebcollect.web.json_client import ApiUrl, JsonAnswer, JsonClient, api_url, same_host
from celebcollect.web.rate_limiter import RateLimiter, Wait

__all__ = ["ApiClient", "ApiError", "RequestPolicy", "passes"]

log = logging.getLogger(__name__)

# We say ourselves that we try again, with host, attempt and pause; stamina's own line would say it
# once more without them.
stamina.instrumentation.set_on_retry_hooks(())

_MAX_REDIRECTS = 5
_FIRST_BACKOFF_S, _LONGEST_BACKOFF_S = 0.5, 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPolicy:
    """How often an API is asked, and how patiently."""

    rate_per_s: float
    burst: int = 1
    """At most so many requests start in any `burst / rate_per_s` seconds."""
    connections: int = 2
    attempts: int = 5
    total_s: float = 60
    """No new attempt once the first one was so long ago."""
    longest_wait_s: float = 60
    """A longer Retry-After is not waited for: it ends in `SourceBlocked`."""


def passes(status: int, body: Any) -> bool:  # noqa: ARG001 - a source may look at the body too
    """Tell whether the same request may succeed later: after 429 and server errors (5xx)."""
    return status == 429 or status >= 500


class ApiClient:
    """
    Ask JSON APIs, in any number of threads.

    `may_pass(status, body)` says whether a failure is worth another attempt, `on_request` is called
    before each request, `wait` does all the waiting (see `web.rate_limiter.Wait`).
    """

    def __init__(
        self,
        http: HttpConfig,
        policy: RequestPolicy,
        *,
        may_pass: Callable[[int, Any], bool] = passes,
        on_request: Callable[[], None] = lambda: None,
        wait: Wait | None = None,
    ) -> None:
        self._policy = policy
        self._may_pass = may_pass
        self._on_request = on_request
        self._wait = wait or threading.Event().wait
        self._limiters: dict[str, RateLimiter] = {}
        self._lock = threading.Lock()
        self._at_once = threading.BoundedSemaphore(policy.connections)
        self._http = JsonClient(http, connections=policy.connections)

    def get_json(
        self,
        url: str,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """
        Return the parsed JSON of a successful answer, after as many attempts as the policy allows.

        Raises:
            ApiError: The API refused (4xx), kept failing (5xx), answered no JSON, too much, or from
                somewhere else.
            SourceBlocked: It asks us to stay away for longer than we wait, or did not stop saying
                429.
            SourceError: The host cannot be reached.
            Interrupted: The work is to stop.
        """
        target = api_url(url, params)
        try:
            # The rate limiter does the waiting, where a stop interrupts it and other threads see
            # it; stamina counts and ends.
            for attempt in stamina.retry_context(
                on=PassingFailure,
                attempts=self._policy.attempts,
                timeout=self._policy.total_s,
                wait_initial=0,
                wait_max=0,
                wait_jitter=0,
            ):
                with attempt:
                    return self._attempt(target, headers or {}, attempt.num)
        except PassingFailure as failure:
            raise failure.final() from failure.__cause__
        raise AssertionError("stamina ended without a result")

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _attempt(self, url: ApiUrl, headers: Mapping[str, str], number: int) -> Any:
        try:
            return self._follow(url, headers)
        except PassingFailure as failure:
            asked_s = failure.retry_after_s
            if asked_s is not None and asked_s > self._policy.longest_wait_s:
                raise blocked(failure.error.message, asked_s) from failure
            # Jitter, so that workers on several machines do not come back together.
            backoff_s = min(
                _LONGEST_BACKOFF_S, _FIRST_BACKOFF_S * 2 ** (number - 1)
            ) * random.uniform(0.75, 1)  # noqa: S311
            delay_s = max(backoff_s, asked_s or 0)
            self._limiter(url.host).hold(delay_s)
            log.info(
                "request failed host=%s attempt=%d wait_s=%.1f reason=%s",
                url.host,
                number,
                delay_s,
                failure,
            )
            raise

    def _follow(self, url: ApiUrl, headers: Mapping[str, str]) -> Any:
        for _ in range(_MAX_REDIRECTS):
            answer = self._send(url, headers)
            if answer.location is None:
                return self._judge(url.host, answer)
            url = same_host(url, answer.location, answer.status)
        raise ApiError(f"{url.host} redirects in circles", status=answer.status)

    def _send(self, url: ApiUrl, headers: Mapping[str, str]) -> JsonAnswer:
        # A place among the connections first, the start after that: a request that has its start
        # must not queue any more.
        with self._at_once:
            if self._limiter(url.host).take(self._wait):
                raise Interrupted(
                    f"stopped while waiting to ask {url.host}",
                    hint="What was finished is kept; run it again.",
                )
            self._on_request()
            return self._http.get(url, headers)

    def _judge(self, host: str, answer: JsonAnswer) -> Any:
        status, body = answer.status, answer.body
        error = ApiError(f"{host} answered HTTP {status}", status=status, body=body)
        if self._may_pass(status, body):
            raise PassingFailure(error, answer.retry_after_s)
        if not 200 <= status < 300:
            raise error
        if body is None:  # half an answer looks like this too, so it is worth another attempt
            error = ApiError(f"{host} answered HTTP {status} without JSON", status=status)
            raise PassingFailure(error)
        return body

    def _limiter(self, host: str) -> RateLimiter:
        policy = self._policy
        with self._lock:
            return self._limiters.setdefault(host, RateLimiter(policy.rate_per_s, policy.burst))
