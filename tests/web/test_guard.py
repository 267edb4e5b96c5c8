"""No connection to a private address, whatever name, redirect or resolver leads there."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

from celebcollect.web import guard
from celebcollect.web.fetch import Fetcher, FetchFailed
from picture_web import PictureWeb, answer, picture, serve

Resolver = Callable[[dict[str, list[str]]], list[str]]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    """Let names of our own lead to addresses, in turn; gives the names that were asked for."""
    real = socket.getaddrinfo
    asked: list[str] = []
    turns: dict[str, list[str]] = {}

    def resolve(host: str, port: int, *arguments: Any, **options: Any) -> Any:
        if host not in turns:
            return real(host, port, *arguments, **options)
        asked.append(host)
        group = turns[host].pop(0) if len(turns[host]) > 1 else turns[host][0]
        return [
            entry
            for address in group.split()
            for entry in real(address, port, *arguments, **options)
        ]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)

    def add(names: dict[str, list[str]]) -> list[str]:
        turns.update(names)
        return asked

    return add


@pytest.fixture
def one_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take 127.0.0.1 for a public address, which a server of ours plays; 127.0.0.2 is not."""
    monkeypatch.setattr(guard, "is_public", lambda address: str(address) == "127.0.0.1")


def guarded(fetcher: Callable[..., Fetcher]) -> Fetcher:
    return fetcher(allow_private_addresses=False, respect_robots=False)


@pytest.mark.parametrize(
    "addresses",
    [
        "127.0.0.1",
        "127.0.0.1 93.184.216.34",
        "93.184.216.34 127.0.0.1",
        "::1",
        "169.254.169.254",
        "64:ff9b::7f00:1",
    ],
)
def test_a_public_name_that_leads_to_a_private_address_is_refused(
    fetcher: Callable[..., Fetcher], resolver: Resolver, addresses: str
) -> None:
    """One private address among several is enough, and nothing is connected to."""
    resolver({"images.example.com": [addresses]})

    with serve() as web, pytest.raises(FetchFailed) as failed:
        guarded(fetcher).get(web.url("/x.jpg", "images.example.com"))

    assert failed.value.reason == "private_address"
    assert not failed.value.transient
    assert web.connections == 0


def test_a_name_is_resolved_once_and_the_checked_address_is_used(
    fetcher: Callable[..., Fetcher], resolver: Resolver, one_public: None
) -> None:
    """A name that changes its address after the check (DNS rebinding) changes nothing."""
    asked = resolver({"rebind.example.com": ["127.0.0.1", "127.0.0.2"]})
    with serve() as web, serve("127.0.0.2", web.port) as private:
        web.routes["/x.jpg"] = answer(picture())

        fetched = guarded(fetcher).get(web.url("/x.jpg", "rebind.example.com"))

    assert fetched.data == picture()
    assert asked == ["rebind.example.com"]
    assert (web.connections, private.connections) == (1, 0)


def test_a_name_is_checked_again_when_it_is_connected_to_again(
    fetcher: Callable[..., Fetcher], resolver: Resolver, one_public: None
) -> None:
    """A host that turns private after its first answer is refused on the next connection."""
    resolver({"turn.example.com": ["127.0.0.1", "127.0.0.2"]})
    with serve() as web, serve("127.0.0.2", web.port) as private:
        web.routes["/x.jpg"] = lambda _: iter([answer(picture(), Connection="close")])
        downloads = guarded(fetcher)
        downloads.get(web.url("/x.jpg", "turn.example.com"))

        with pytest.raises(FetchFailed) as failed:
            downloads.get(web.url("/x.jpg", "turn.example.com"))

    assert failed.value.reason == "private_address"
    assert private.connections == 0


@pytest.mark.parametrize(
    "to",
    [
        "http://127.0.0.2:{port}/",
        "http://private.example.com:{port}/",
        "//127.0.0.2:{port}/",
        "http://2130706434:{port}/",
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_a_private_address_is_refused(
    fetcher: Callable[..., Fetcher], resolver: Resolver, one_public: None, to: str, status: int
) -> None:
    """Every hop passes the same guard as the first URL."""
    resolver({"public.example.com": ["127.0.0.1"], "private.example.com": ["127.0.0.2"]})
    with serve() as web, serve("127.0.0.2", web.port) as private:
        web.routes["/x.jpg"] = answer(status=status, Location=to.format(port=web.port))

        with pytest.raises(FetchFailed) as failed:
            guarded(fetcher).get(web.url("/x.jpg", "public.example.com"))

    assert failed.value.reason == "private_address"
    assert (web.connections, private.connections) == (1, 0)


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ("file:///etc/passwd", "not_http"),
        ("gopher://127.0.0.1:70/x", "not_http"),
        ("data:image/png;base64,AAAA", "not_http"),
        ("http://localhost/", "private_name"),
        ("http://169.254.169.254/latest/", "private_address"),
        ("http://[::ffff:127.0.0.1]/", "private_address"),
        ("http://user@public.example.com/", "userinfo"),
        ("http://public.example.com:25/", "bad_port"),
        ("http://[::1", "malformed_url"),
        ("http://exa mple.com/", "malformed_url"),
    ],
)
def test_a_redirect_is_judged_like_any_url(
    fetcher: Callable[..., Fetcher], resolver: Resolver, one_public: None, to: str, reason: str
) -> None:
    """Other schemes, private names and malformed targets end the download with their reason."""
    resolver({"public.example.com": ["127.0.0.1"]})
    with serve() as web:
        web.routes["/x.jpg"] = answer(status=302, Location=to)

        with pytest.raises(FetchFailed) as failed:
            guarded(fetcher).get(web.url("/x.jpg", "public.example.com"))

    assert failed.value.reason == reason


def test_the_guard_also_stands_before_robots_txt(
    fetcher: Callable[..., Fetcher], resolver: Resolver
) -> None:
    """Asking for the rules of a host is a connection like any other."""
    resolver({"images.example.com": ["127.0.0.1"]})

    with serve() as web, pytest.raises(FetchFailed) as failed:
        fetcher(allow_private_addresses=False).get(web.url("/x.jpg", "images.example.com"))

    assert failed.value.reason == "private_address"
    assert web.connections == 0


def test_the_setting_opens_the_guard(fetcher: Callable[..., Fetcher], resolver: Resolver) -> None:
    """With `allow_private_addresses` names and addresses of this machine are fetched from."""
    resolver({"images.example.com": ["127.0.0.1"]})
    with serve() as web:
        web.routes["/x.jpg"] = answer(picture())

        fetched = [
            fetcher().get(web.url("/x.jpg", host)).data
            for host in ("127.0.0.1", "images.example.com", "localhost", "2130706433")
        ]

    assert fetched == [picture()] * 4


def test_proxies_of_the_environment_are_not_used(
    fetcher: Callable[..., Fetcher], web: PictureWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy would connect for us, past the guard; only the configuration could name one."""
    with serve() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url("/"))
        monkeypatch.setenv("http_proxy", proxy.url("/"))
        monkeypatch.setenv("ALL_PROXY", proxy.url("/"))
        web.routes["/x.jpg"] = answer(picture())

        fetcher().get(web.url("/x.jpg"))

    assert proxy.connections == 0


def test_the_next_address_of_a_host_is_tried_when_the_first_does_not_answer(
    fetcher: Callable[..., Fetcher], resolver: Resolver
) -> None:
    """A host with a dead and a living address is reached."""
    resolver({"two.example.com": ["127.0.0.3 127.0.0.1"]})
    with serve() as web:
        web.routes["/x.jpg"] = answer(picture())

        fetched = fetcher().get(web.url("/x.jpg", "two.example.com"))

    assert fetched.data == picture()


def test_a_name_without_an_address_is_a_passing_fault(
    fetcher: Callable[..., Fetcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Name servers fail and come back, so the picture is worth another try."""

    def fail(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    with pytest.raises(FetchFailed) as failed:
        guarded(fetcher).get("http://nowhere.example.com/x.jpg")

    assert (failed.value.reason, failed.value.transient) == ("unresolvable", True)
