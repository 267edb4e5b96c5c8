"""`web.client.ApiClient` against a hostile server: its limits, its silence, its rate."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from api_server import ApiServer, Reply, Request
from celebcollect.domain.errors import SourceError
from celebcollect.web import json_client
from celebcollect.web.client import ApiError, RequestPolicy
from web.client_maker import Clients


@pytest.fixture
def server() -> Iterator[ApiServer]:
    """An API without scripts."""
    with ApiServer() as running:
        yield running


@pytest.fixture
def clients() -> Iterator[Clients]:
    """Makes clients."""
    with Clients() as maker:
        yield maker


@pytest.mark.parametrize(
    "body",
    ["[" * 200_000, "{'a': 1}", "<html></html>", "", b"\xff\xfe\x00", '{"n": ' + "9" * 5000 + "}"],
)
def test_hostile_json_is_an_error(server: ApiServer, clients: Clients, body: str | bytes) -> None:
    """What is no JSON, or JSON that breaks parsers, is told as such."""
    server.on("/a", Reply(body))

    with pytest.raises(ApiError, match="answered HTTP 200 without JSON"):
        clients.make().get_json(f"{server.url}/a")


def test_huge_answers_are_cut(
    server: ApiServer, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer beyond the cap is not read to its end and not asked for again."""
    monkeypatch.setattr(json_client, "MAX_ANSWER_BYTES", 1000)
    server.on("/a", Reply("1" * 1001))

    with pytest.raises(ApiError, match="more than 1000 bytes"):
        clients.make().get_json(f"{server.url}/a")
    assert len(server.requests) == 1


def test_redirect_at_home_is_followed(server: ApiServer, clients: Clients) -> None:
    """A redirect to the same server is followed, headers included."""
    server.on("/a", Reply(status=301, headers={"Location": "/b?x=1"}))
    server.on("/b", Reply({"here": 1}))

    counted: list[int] = []
    api = clients.make(on_request=lambda: counted.append(1))

    assert api.get_json(f"{server.url}/a", headers={"Authorization": "Bearer t"}) == {"here": 1}
    assert server.requests[1].headers["authorization"] == "Bearer t"
    assert len(counted) == 2


def test_proxies_of_the_environment_are_not_used(
    server: ApiServer, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy in the environment sees none of our requests, and none of our tokens."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    server.on("/a", Reply({}))

    assert clients.make().get_json(f"{server.url}/a") == {}


@pytest.mark.parametrize(
    "target",
    [
        "http://localhost:{port}/b",
        "http://127.0.0.1:1/b",
        "https://127.0.0.1:{port}/b",
        "//evil.example/",
        "file:///etc/passwd",
        "http://[",
        "/a",
    ],
)
def test_other_redirects_are_refused(server: ApiServer, clients: Clients, target: str) -> None:
    """A redirect to another host, port or scheme, or in circles, is refused with the token."""
    server.on("/a", Reply(status=302, headers={"Location": target.format(port=server.port)}))

    with pytest.raises(ApiError, match="redirects") as caught:
        clients.make().get_json(f"{server.url}/a", headers={"Authorization": "Bearer t"})
    assert set(server.paths()) == {"/a"}
    assert caught.value.status == 302


def test_no_secret_in_logs_or_errors(
    server: ApiServer, clients: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    """No log line and no error message shows a header, and our own lines show no URL."""
    caplog.set_level(logging.DEBUG)
    server.on(
        "/a",
        Reply(status=429),
        Reply(status=500),
        Reply(status=404, body={"echo": "Bearer s3cret"}),
    )

    with pytest.raises(ApiError) as caught:
        clients.make().get_json(
            f"{server.url}/a", {"query": "private"}, {"Authorization": "Bearer s3cret"}
        )
    assert caplog.records
    assert "s3cret" not in caplog.text + str(caught.value) + repr(caught.value)
    assert "private" not in "".join(
        record.getMessage() for record in caplog.records if record.name.startswith("celebcollect")
    )


def test_unsendable_header_is_not_quoted(server: ApiServer, clients: Clients) -> None:
    """A header that cannot be sent is an error without the header."""
    with pytest.raises(SourceError, match="cannot be sent") as caught:
        clients.make().get_json(f"{server.url}/a", headers={"Authorization": "Bearer s3\ncret"})
    assert "s3" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("url", ["http://[", "http://a b/", "http://\x00/"])
def test_unusable_address_is_an_error(clients: Clients, url: str) -> None:
    """An address that is none is an error of the configuration, not a crash."""
    with pytest.raises(SourceError):
        clients.make().get_json(url)


@pytest.mark.slow
def test_rate_and_connections_on_the_wire(server: ApiServer, clients: Clients) -> None:
    """Eight busy threads: three windows pass for four of requests, and two are asked at once."""
    together = threading.Barrier(2)

    def first_two(_: Request) -> Reply:
        together.wait(10)
        return Reply({})

    server.on("/a", first_two, first_two, Reply({}))
    api = clients.make(
        policy=RequestPolicy(rate_per_s=60, burst=60, connections=2), wait=time.sleep
    )
    before = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: api.get_json(f"{server.url}/a"), range(181)))

    assert 180 / (time.monotonic() - before) <= 60
    assert server.most_at_once == 2


def test_nobody_slips_through_a_rest(server: ApiServer, clients: Clients) -> None:
    """Threads that wait for a connection send nothing before the server's rest is over."""

    def busy(_: Request) -> Reply:
        time.sleep(0.1)
        return (
            Reply(status=429, headers={"Retry-After": "1"})
            if len(server.requests) == 1
            else Reply({})
        )

    server.on("/a", busy)
    api = clients.make(
        policy=RequestPolicy(rate_per_s=1000, burst=1000, connections=1), wait=time.sleep
    )
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: api.get_json(f"{server.url}/a"), range(4)))
    times = [request.at for request in server.requests]

    assert len(times) == 5
    assert times[1] - times[0] >= 1


def test_even_pace_on_the_wire(server: ApiServer, clients: Clients) -> None:
    """Without a burst, a busy client is no faster than its rate."""
    server.on("/a", Reply({}))
    api = clients.make(policy=RequestPolicy(rate_per_s=20), wait=time.sleep)
    before = time.monotonic()
    for _ in range(21):
        api.get_json(f"{server.url}/a")

    assert 20 / (time.monotonic() - before) <= 20
