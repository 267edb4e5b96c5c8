"""Where a request for a URL goes, in the characters that go over the wire."""

from __future__ import annotations

from dataclasses import dataclass

from celebcollect.web.url_parts import DEFAULT_PORTS, split_url


@dataclass(frozen=True, slots=True)
class RequestTarget:
    """Scheme, host, port and path of a request."""

    scheme: str
    host: str
    """Without brackets; the host that `refusal` judged, whatever another parser would have read."""
    port: int | None
    path: str
    """With the query, escaped, without dot segments: robots.txt must see what the server will."""

    @property
    def netloc(self) -> str:
        """Return host and port as the Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (
            host
            if self.port is None or self.port == DEFAULT_PORTS[self.scheme]
            else f"{host}:{self.port}"
        )

    @property
    def connection_port(self) -> int:
        """Return the port to connect to."""
        return self.port or DEFAULT_PORTS[self.scheme]

    @property
    def origin(self) -> str:
        """Return scheme, host and port."""
        return f"{self.scheme}://{self.netloc}"

    @property
    def url(self) -> str:
        """Return the whole URL."""
        return self.origin + self.path


def request_target(url: str) -> RequestTarget:
    """
    Return where to send a request for a URL; its fragment stays here.

    Raises:
        ValueError: The URL has no host, or cannot be understood.
    """
    parts = split_url(url)
    return RequestTarget(parts.scheme, str(parts.host), parts.port, parts.target)
