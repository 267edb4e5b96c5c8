"""One request to a JSON API and its answer, by httpx, with limits on bytes and time.

Knows no attempts and no rates: that is `web.client`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from celebcollect.config.sections import HttpConfig
from celebcollect.domain.errors import SourceError
from celebcollect.domain.text import clean_text
from celebcollect.web.api_errors import ApiError, PassingFailure
from celebcollect.web.http_library import (
    URL,
    Client,
    ConnectError,
    DecodingError,
    HTTPError,
    InvalidURL,
    Limits,
    NetworkError,
    ReadTimeout,
    RemoteProtocolError,
    Response,
    TimeoutException,
)
from celebcollect.web.retry_after import retry_after_s
from celebcollect.web.user_agent import user_agent

MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""Largest answer that is read; the largest recorded one has 57 KB."""

ApiUrl = URL


@dataclass(frozen=True, slots=True)
class JsonAnswer:
    """What came of a request."""

    status: int
    body: Any = None
    """The parsed JSON; None when it is none."""
    location: str | None = None
    """Where a redirect leads."""
    retry_after_s: float | None = None


class JsonClient:
    """
    Connections to APIs, a few at once. Thread-safe.

    No proxy and no netrc of the environment is used. Messages name the host and the status, never a
    URL, a header or text that the server sent.
    """

    def __init__(self, http: HttpConfig, *, connections: int) -> None:
        self._timeout_s = http.timeout_s
        self._http = Client(
            timeout=http.timeout_s,
            limits=Limits(max_connections=connections),
            headers={"User-Agent": user_agent(http.contact), "Accept": "application/json"},
            trust_env=False,
            follow_redirects=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, url: URL, headers: Mapping[str, str]) -> JsonAnswer:
        """
        Ask once; follows no redirect.

        Raises:
            PassingFailure: No answer, or the connection broke.
            ApiError: The answer is too large.
            SourceError: The request cannot be sent.
        """
        try:
            with self._http.stream("GET", url, headers=dict(headers)) as response:
                status = response.status_code
                if response.has_redirect_location:
                    return JsonAnswer(status, location=response.headers["Location"])
                body = _parse(self._read(response))
                wait_s = retry_after_s(response.headers.get("Retry-After"))
                return JsonAnswer(status, body, retry_after_s=wait_s)
        except TimeoutException as error:
            raise PassingFailure(
                SourceError(
                    f"{url.host} did not answer within {self._timeout_s:g} s",
                    hint="Try again later, or raise [http] timeout_s.",
                )
            ) from error
        except (NetworkError, RemoteProtocolError, DecodingError) as error:
            reason = (
                clean_text(str(error))[:200]
                if isinstance(error, ConnectError)
                else "the connection broke"
            )
            raise PassingFailure(
                SourceError(
                    f"cannot reach {url.host}: {reason}",
                    hint="Check the network and the URL in the configuration.",
                )
            ) from error
        except HTTPError:
            # What is left are requests that cannot be sent; the text of such an error may quote a
            # header.
            raise SourceError(
                f"the request to {url.host} cannot be sent",
                hint="Check the URLs in the configuration.",
            ) from None

    def _read(self, response: Response) -> bytes:
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
                raise ReadTimeout("the answer drips")
        return bytes(content)


def api_url(url: str, params: Mapping[str, str | int] | None = None) -> ApiUrl:
    """
    Return a URL with its query.

    Raises:
        SourceError: It is none.
    """
    try:
        return URL(url, params=dict(params)) if params else URL(url)
    except InvalidURL:
        raise SourceError(
            "the address of an API cannot be understood",
            hint="Check the URLs in the configuration.",
        ) from None


def same_host(url: URL, location: str, status: int) -> URL:
    """
    Return the target of a redirect that stays on its host.

    The headers, and the secrets in them, go nowhere else.

    Raises:
        ApiError: It leads to another server, or nowhere.
    """
    try:
        target = url.join(location)
    except InvalidURL:
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
