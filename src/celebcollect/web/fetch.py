"""Fetch a picture's bytes from anywhere on the web, as a polite guest who trusts nobody.

Says nothing about what the bytes are: that is for `pictures`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from celebcollect.config.sections import HttpConfig, StoreConfig
from celebcollect.web import robots, urls
from celebcollect.web.body import Admit, ResponseBody, ResponseStart, admit_all
from celebcollect.web.budget import FetchBudget
from celebcollect.web.failures import FetchFailed
from celebcollect.web.head import ResponseHead, bad_response
from celebcollect.web.hosts import Hosts
from celebcollect.web.opt_out import opted_out
from celebcollect.web.reasons import FetchReason
from celebcollect.web.refusals import (
    MAX_WORDS_BYTES,
    SLOW_DOWN,
    joined,
    refusal_of,
    says_more_in_its_body,
)
from celebcollect.web.request_target import RequestTarget, request_target
from celebcollect.web.transfer import CutOff, Sink
from celebcollect.web.user_agent import user_agent

__all__ = ["FetchFailed", "Fetched", "Fetcher"]

MAX_REDIRECTS = 5

_REDIRECTS = frozenset((301, 302, 303, 307, 308))

_GIVES_BODY = frozenset((200, 203))
"""203: a proxy on the way has changed something, and says so."""

_WIRE_OVERHEAD = 1_048_576
"""Bytes that headers, framing and redirects may take beside the picture itself."""

_ACCEPT = "image/jpeg, image/png, image/webp, image/*;q=0.8, */*;q=0.1"
"""The formats that we read first: servers that choose by this header send those."""


@dataclass(frozen=True)
class Fetched:
    """The bytes behind a URL, and where they came from in the end."""

    data: bytes
    content_type: str
    """As the server says; not to be trusted."""
    final_url: str


class Fetcher:
    """Fetches pictures. Thread-safe; close it at the end."""

    def __init__(
        self,
        store: StoreConfig,
        http: HttpConfig,
        *,
        is_whole: Callable[[bytes], bool] = lambda _: False,
        ca_file: str | None = None,
    ) -> None:
        """
        Take the limits from `[store]` and `[http]`.

        Args:
            store: How much of a picture, and from where.
            http: How long to wait, and whom to name.
            is_whole: Asked about the bytes of a body in chunks that ended without its last line.
            ca_file: Replaces certifi's list of certificate authorities.
        """
        self._limits = store
        self._is_whole = is_whole
        self._timeout_s = http.timeout_s
        self._hosts = Hosts(
            per_host=store.per_host,
            allow_private=store.allow_private_addresses,
            ca_file=ca_file,
            host_wait_s=store.host_wait_s,
        )
        self._robots = robots.RobotsCache(self._ask_robots) if store.respect_robots else None
        self._headers = {"User-Agent": user_agent(http.contact), "Accept-Encoding": "identity"}

    def get(self, url: str, admit: Admit = admit_all) -> Fetched:
        """
        Fetch a URL, following redirects; blocks for at most `picture_timeout_s`.

        Args:
            url: Of a picture, from anywhere.
            admit: Called again and again while a picture proves to be large; may wait, at the
                expense of the picture's time. See `body.Admit`.

        Raises:
            FetchFailed: There are no bytes to be had, or we must not ask for them.
        """
        limits = self._limits
        budget = FetchBudget.of(
            time_s=limits.picture_timeout_s,
            max_bytes=limits.max_bytes + _WIRE_OVERHEAD,
            timeout_s=self._timeout_s,
        )
        for _ in range(MAX_REDIRECTS + 1):
            target = self._target(url)
            with self._hosts.watched(target):
                if self._robots and not self._robots.rules(target.origin).allows(target.url):
                    raise FetchFailed(FetchReason.ROBOTS_DISALLOWED, target.host)
                answer = self._ask(target, budget, admit)
            if isinstance(answer, Fetched):
                return answer
            url = answer
        raise FetchFailed(FetchReason.TOO_MANY_REDIRECTS, f"more than {MAX_REDIRECTS}")

    def close(self) -> None:
        """Close all connections."""
        self._hosts.close()

    def _target(self, url: str) -> RequestTarget:
        reason = urls.refusal(url, allow_private=self._limits.allow_private_addresses)
        if reason:
            raise FetchFailed(reason, url[:200])
        return request_target(url)

    def _ask(self, target: RequestTarget, budget: FetchBudget, admit: Admit) -> Fetched | str:
        """Return the bytes, or the URL that we are sent on to."""
        body: ResponseBody | None = None
        words: ResponseStart | None = None

        def choose(head: ResponseHead) -> Sink | None:
            nonlocal body, words
            if opted_out(head.values("x-robots-tag")):
                raise FetchFailed(FetchReason.OPTED_OUT, "X-Robots-Tag")
            if head.status not in _GIVES_BODY and head.whole_range is None:
                if not says_more_in_its_body(head):
                    return None
                words = ResponseStart(head, MAX_WORDS_BYTES)
                return words.write
            body = ResponseBody(head, self._limits.max_bytes, admit)
            return body.write

        headers = {**self._headers, "Accept": _ACCEPT}
        try:
            head = self._hosts.ask(target, headers, budget, choose)
        except CutOff as cut_off:
            # A small number of servers leave the last line of a body in chunks out, and browsers
            # take it: whether all is there shows in the bytes alone.
            if body is None or not self._is_whole(body.so_far()):
                raise
            head = cut_off.head
        if body is not None:
            data = body.data()
            if head.whole_range not in (None, len(data)):
                raise bad_response("another size than the range")
            return Fetched(data, head.value("content-type"), target.url)
        if head.status in _REDIRECTS and head.value("location"):
            return joined(target.url, head.value("location"))
        raise refusal_of(head, words.data() if words else b"")

    def _ask_robots(self, url: str) -> robots.RobotsRules:
        """
        Fetch a robots.txt (RFC 9309, section 2.3.1).

        4xx means that there are no rules, 5xx and silence that nobody knows.
        """
        time_s = min(self._timeout_s, self._limits.picture_timeout_s)
        budget = FetchBudget.of(
            time_s=time_s, max_bytes=robots.MAX_BYTES + _WIRE_OVERHEAD, timeout_s=self._timeout_s
        )
        for _ in range(MAX_REDIRECTS + 1):
            target = self._target(url)
            head, text = self._read_start(target, budget)
            if text is not None:
                return robots.parse(text)
            if head.status in _REDIRECTS and head.value("location"):
                url = joined(target.url, head.value("location"))
                continue
            refusal = refusal_of(head)
            if head.status >= 500 or head.status in SLOW_DOWN:
                raise FetchFailed(
                    FetchReason.ROBOTS_UNREACHABLE,
                    refusal.detail,
                    transient=True,
                    retry_after_s=refusal.retry_after_s,
                    said_stop=refusal.said_stop,
                    is_doubtful=refusal.is_doubtful,
                )
            return robots.ALLOW_ALL
        # RFC 9309, section 2.3.1.2: more than five redirects may be taken as unavailable
        return robots.ALLOW_ALL

    def _read_start(
        self, target: RequestTarget, budget: FetchBudget
    ) -> tuple[ResponseHead, bytes | None]:
        """Return the head of an answer and its body as far as a robots.txt is read, if any."""
        body: ResponseStart | None = None

        def choose(head: ResponseHead) -> Sink | None:
            nonlocal body
            if head.status not in _GIVES_BODY:
                return None
            body = ResponseStart(head, robots.MAX_BYTES)
            return body.write

        headers = {**self._headers, "Accept": "text/plain, */*;q=0.1"}
        head = self._hosts.ask(target, headers, budget, choose)
        return head, body.data() if body is not None else None
