"""Ask a host's robots.txt before fetching from it (RFC 9309), and keep the answer for a day.

Protego, Scrapy's parser, reads the rules. What is here decides how much of a file it gets to see
and how long its answer counts.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from protego import Protego

from celebcollect import __version__
from celebcollect.web.failures import FetchFailed

PRODUCT = "celebcollect"
"""The name by which rules may address us: the product of our User-Agent."""

MAX_BYTES = 512_000
"""RFC 9309 asks crawlers to read at least 500 KiB; what follows is left aside."""

_NAME = f"{PRODUCT}/{__version__}"
"""With the version, so that rules for `celebcollect/0.1` address it too."""

_KEPT_S = 86_400.0
"""RFC 9309, section 2.4: no longer than a day."""

_FAILURE_KEPT_S = 5.0
"""Long enough for the workers that wait for the same answer, short enough for another try in the
same run."""

_MAX_NAMES = 8
"""Spellings of our name and of `*` in one file that are told apart."""

_OTHERS = "User-agent: others"

_KEPT_BYTES = 32_000_000
"""Memory for the rules of all hosts, as `RobotsRules.size` estimates it."""

_LINE_BYTES = 500
"""What one parsed line takes (Protego 0.7, measured with `tracemalloc`: 300 to 520)."""


@dataclass(frozen=True)
class RobotsRules:
    """What one robots.txt says to us."""

    _parsed: Protego
    size: int
    """Estimated bytes in memory."""

    def allows(self, url: str) -> bool:
        """Tell whether a URL may be fetched: the longest matching pattern decides."""
        return self._parsed.can_fetch(url, _NAME)


def parse(data: bytes) -> RobotsRules:
    """Read the groups that name us, or else those for `*`."""
    lines = data[:MAX_BYTES].decode("utf-8-sig", "replace").splitlines()
    text = "\n".join(_with_few_names(lines))
    return RobotsRules(Protego.parse(text), 1_000 + len(lines) * _LINE_BYTES + 5 * len(text))


def _with_few_names(lines: list[str]) -> list[str]:
    """
    Give all programs that are not us one name.

    Protego keeps a copy of each rule for every name above it: half a megabyte of names and rules
    would become gigabytes.
    """
    kept: set[str] = set()
    result = []
    for line in lines:
        start = line.strip().lower()
        # All spellings of `User-agent` begin like this, and no other directive does.
        if start.startswith("user"):
            if len(kept) < _MAX_NAMES and ("*" in start or PRODUCT in start):
                kept.add(start)
            if start not in kept:
                line = _OTHERS
        result.append(line)
    return result


ALLOW_ALL = parse(b"")


class RobotsCache:
    """The rules of each origin (scheme, host, port), asked for once a day. Thread-safe."""

    def __init__(self, ask: Callable[[str], RobotsRules]) -> None:
        """`ask` fetches the robots.txt at a URL, or raises `FetchFailed` when nobody can know."""
        self._ask = ask
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[float, RobotsRules | FetchFailed]] = OrderedDict()
        self._asking: dict[str, threading.Lock] = {}
        self._size = 0

    def rules(self, origin: str) -> RobotsRules:
        """
        Return the rules for an origin such as `https://example.org:8443`; may block to ask.

        Raises:
            FetchFailed: The rules cannot be known now, so nothing may be fetched (RFC 9309, section
                2.3.1.4).
        """
        with self._lock:
            known = self._known(origin)
        if known is None:
            known = self._find_out(origin)
        if isinstance(known, FetchFailed):
            raise FetchFailed(
                known.reason,
                known.detail,
                transient=known.transient,
                retry_after_s=known.retry_after_s,
                said_stop=known.said_stop,
                is_doubtful=known.is_doubtful,
            )
        return known

    def _find_out(self, origin: str) -> RobotsRules | FetchFailed:
        with self._lock:
            asking = self._asking.setdefault(origin, threading.Lock())
        with asking:  # one request, although many workers may turn to a new host at once
            with self._lock:
                known = self._known(origin)
            if known is None:
                known = self._answer(f"{origin}/robots.txt")
                with self._lock:
                    self._asking.pop(origin, None)
                    self._keep(origin, known)
            return known

    def _answer(self, url: str) -> RobotsRules | FetchFailed:
        try:
            return self._ask(url)
        except FetchFailed as failure:
            return failure

    def _known(self, origin: str) -> RobotsRules | FetchFailed | None:
        entry = self._kept.get(origin)
        if entry is None or entry[0] < time.monotonic():
            return None
        self._kept.move_to_end(origin)
        return entry[1]

    def _keep(self, origin: str, known: RobotsRules | FetchFailed) -> None:
        replaced = self._kept.pop(origin, None)
        self._size += _size(known) - (_size(replaced[1]) if replaced else 0)
        kept_s = _KEPT_S if isinstance(known, RobotsRules) else _FAILURE_KEPT_S
        self._kept[origin] = (time.monotonic() + kept_s, known)
        while self._size > _KEPT_BYTES and len(self._kept) > 1:
            self._size -= _size(self._kept.popitem(last=False)[1][1])


def _size(known: RobotsRules | FetchFailed) -> int:
    return known.size if isinstance(known, RobotsRules) else 1_000
