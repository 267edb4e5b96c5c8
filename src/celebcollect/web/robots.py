"""Ask a host's robots.txt before fetching from it (RFC 9309), and keep the answer for a day."""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from celebcollect.web.exchange import FetchFailed

PRODUCT = "celebcollect"
"""The name by which rules may address us: the product of our User-Agent."""

MAX_BYTES = 512_000
"""RFC 9309 asks crawlers to read at least 500 KiB; what follows is left aside."""

_KEPT_S = 86_400.0
"""RFC 9309, section 2.4: no longer than a day."""

_FAILURE_KEPT_S = 5.0
"""Long enough for the workers that wait for the same answer, short enough for another try in the
same run."""

_MAX_RULES = 5_000
_MAX_PATTERN = 2_000
_KEPT_CHARS = 8_000_000
"""Text of all rules that are kept in memory, over all hosts."""


@dataclass(frozen=True)
class Rules:
    """What one robots.txt says to us: patterns that allow (True) or disallow."""

    rules: tuple[tuple[bool, str], ...] = ()

    def allows(self, url: str) -> bool:
        """Tell whether a URL may be fetched: the longest matching pattern decides, `allow` among equals (RFC 9309, section 2.2.2)."""
        parts = urlsplit(url)
        path = _normal(parts.path or "/") + (f"?{_normal(parts.query)}" if parts.query else "")
        if path == "/robots.txt":
            return True
        path = path.replace("*", "%2A").replace("$", "%24")
        matching = [
            (len(pattern), allow) for allow, pattern in self.rules if _matches(pattern, path)
        ]
        return max(matching)[1] if matching else True


ALLOW_ALL = Rules()


def parse(data: bytes) -> Rules:
    """Read the groups that name us, or else those for `*`; what cannot be understood is left aside."""
    ours: list[tuple[bool, str]] = []
    anybody: list[tuple[bool, str]] = []
    named = False
    agents: set[str] = set()
    in_rules = False
    for line in data[:MAX_BYTES].decode("utf-8-sig", "replace").splitlines():
        key, colon, value = line.partition("#")[0].partition(":")
        key, value = key.strip().lower(), value.strip()
        if not colon:
            continue
        if key == "user-agent":
            if in_rules:
                agents, in_rules = set(), False
            agents.add(_product(value))
            named = named or PRODUCT in agents
        elif key in ("allow", "disallow"):
            in_rules = True
            rule = (key == "allow", _pattern(value))
            if value and PRODUCT in agents:
                ours.append(rule)
            elif value and "*" in agents:
                anybody.append(rule)
    return Rules(tuple((ours if named else anybody)[:_MAX_RULES]))


def _product(value: str) -> str:
    if value.startswith("*"):
        return "*"
    found = re.match(r"[A-Za-z_-]+", value)
    return found[0].lower() if found else ""


def _normal(text: str) -> str:
    """Bring percent escapes to one form: unreserved characters plain, others escaped in upper case."""
    escaped = quote(text, safe="%/?#[]@!$&'()*+,;=:~-._")
    return re.sub(r"%([0-9A-Fa-f]{2})", lambda match: _plain(match[1]), escaped)


def _plain(code: str) -> str:
    char = chr(int(code, 16))
    return char if char.isascii() and (char.isalnum() or char in "-._~") else f"%{code.upper()}"


def _pattern(value: str) -> str:
    text = _normal(value[:_MAX_PATTERN])
    end = "$" if text.endswith("$") else ""
    return re.sub(r"\*+", "*", text.removesuffix("$").replace("$", "%24")) + end


def _matches(pattern: str, path: str) -> bool:
    """Match `*` and a final `$` from left to right; no regular expression, so that no pattern can take long."""
    anchored = pattern.endswith("$")
    first, *rest = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    for place, piece in enumerate(rest):
        if anchored and place == len(rest) - 1:
            return len(path) - len(piece) >= at and path.endswith(piece)
        found = path.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return not anchored or at == len(path)


class RobotsCache:
    """The rules of each origin (scheme, host and port), asked for once a day. Thread-safe."""

    def __init__(self, ask: Callable[[str], Rules]) -> None:
        """`ask` fetches and reads the robots.txt at a URL, or raises `FetchFailed` when nobody can know what it says."""
        self._ask = ask
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[float, Rules | FetchFailed]] = OrderedDict()
        self._asking: dict[str, threading.Lock] = {}
        self._chars = 0

    def rules(self, origin: str) -> Rules:
        """
        Return the rules for an origin such as `https://example.org:8443`; blocks while they are asked for.

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
            )
        return known

    def _find_out(self, origin: str) -> Rules | FetchFailed:
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

    def _answer(self, url: str) -> Rules | FetchFailed:
        try:
            return self._ask(url)
        except FetchFailed as failure:
            return failure

    def _known(self, origin: str) -> Rules | FetchFailed | None:
        entry = self._kept.get(origin)
        if entry is None or entry[0] < time.monotonic():
            return None
        self._kept.move_to_end(origin)
        return entry[1]

    def _keep(self, origin: str, known: Rules | FetchFailed) -> None:
        replaced = self._kept.pop(origin, None)
        self._chars += _chars(known) - (_chars(replaced[1]) if replaced else 0)
        self._kept[origin] = (
            time.monotonic() + (_KEPT_S if isinstance(known, Rules) else _FAILURE_KEPT_S),
            known,
        )
        while self._chars > _KEPT_CHARS and len(self._kept) > 1:
            self._chars -= _chars(self._kept.popitem(last=False)[1][1])


def _chars(known: Rules | FetchFailed) -> int:
    return 200 + (
        sum(100 + len(pattern) for _, pattern in known.rules) if isinstance(known, Rules) else 0
    )
