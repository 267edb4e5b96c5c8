"""`web.client.ApiClient` against a server that fails, refuses and asks for patience."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from api_server import ApiServer, Reply
from celebcollect import __version__
from celebcollect.domain.errors import Interrupted, SourceBlocked, SourceError
from celebcollect.domain.records import now
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


def test_asks_once_and_says_who_it_is(server: ApiServer, clients: Clients) -> None:
    """A good answer takes one request, with our User-Agent, the headers and the parameters."""
    server.on("/a", Reply({"x": [1]}))
    api = clients.make(contact="me@example.org")

    assert api.get_json(
        f"{server.url}/a", {"q": 'A+B & "C" #1 100% é Ж'}, {"Authorization": "Bearer t"}
    ) == {"x": [1]}
    (request,) = server.requests
    assert request.query == {"q": 'A+B & "C" #1 100% é Ж'}
    assert request.headers["user-agent"] == f"celebcollect/{__version__} (me@example.org)"
    assert request.headers["authorization"] == "Bearer t"


@pytest.mark.parametrize(
    "fault",
    [
        Reply(status=500),
        Reply(status=502, body="<html>"),
        Reply(status=503),
        Reply(status=429),
        Reply(fault="reset"),
        Reply({"x": 1}, fault="cut"),
        Reply("{"),
    ],
)
def test_passing_faults_are_tried_again(server: ApiServer, clients: Clients, fault: Reply) -> None:
    """What may pass is asked for again, each time after a longer wait."""
    server.on("/a", fault, fault, Reply({"ok": True}))

    assert clients.make().get_json(f"{server.url}/a") == {"ok": True}
    assert len(server.requests) == 3
    assert 0.3 < clients.waits[0] <= 0.5
    assert 0.7 < clients.waits[1] <= 1


def test_gives_up_after_five_attempts(server: ApiServer, clients: Clients) -> None:
    """What keeps failing is asked for five times; the error names host and status."""
    server.on("/secret", Reply({"status_code": 11}, status=500))

    with pytest.raises(ApiError, match=r"^127\.0\.0\.1 answered HTTP 500$") as caught:
        clients.make().get_json(f"{server.url}/secret")
    assert len(server.requests) == 5
    assert (caught.value.status, caught.value.body) == (500, {"status_code": 11})


def test_gives_up_when_time_is_over(server: ApiServer, clients: Clients) -> None:
    """No attempt is begun once the time for all of them is over."""
    server.on("/a", Reply(status=500))

    with pytest.raises(ApiError):
        clients.make(policy=RequestPolicy(rate_per_s=100, total_s=0.001)).get_json(
            f"{server.url}/a"
        )
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
def test_refusals_are_not_repeated(server: ApiServer, clients: Clients, status: int) -> None:
    """A refusal is final, and comes with the status and the parsed body."""
    server.on("/a", Reply({"status_code": 7}, status=status))

    with pytest.raises(ApiError) as caught:
        clients.make().get_json(f"{server.url}/a")
    assert len(server.requests) == 1
    assert (caught.value.status, caught.value.body) == (status, {"status_code": 7})


@pytest.mark.parametrize(("header", "least_s"), [("3", 3), ("0", 1), ("nonsense", 0.3)])
def test_retry_after_is_waited_for(
    server: ApiServer, clients: Clients, header: str, least_s: float
) -> None:
    """The server's wish to wait is honoured; 0 means a second, nonsense the usual wait."""
    server.on("/a", Reply(status=429, headers={"Retry-After": header}), Reply({}))
    clients.make().get_json(f"{server.url}/a")

    assert least_s - 0.1 < clients.waits[0] <= least_s + 0.2


def test_long_retry_after_blocks(server: ApiServer, clients: Clients) -> None:
    """A wish to wait for longer than we do ends the source for now, and says until when."""
    server.on("/a", Reply(status=503, headers={"Retry-After": "3600"}))

    with pytest.raises(SourceBlocked, match="asks us to stay away until") as caught:
        clients.make().get_json(f"{server.url}/a")
    assert len(server.requests) == 1
    assert caught.value.until is not None
    assert abs(caught.value.until - now() - timedelta(hours=1)) < timedelta(seconds=5)


def test_absurd_retry_after_stays_in_the_calendar(server: ApiServer, clients: Clients) -> None:
    """A wish to wait for thirty years becomes a day."""
    server.on("/a", Reply(status=429, headers={"Retry-After": "999999999"}))

    with pytest.raises(SourceBlocked) as caught:
        clients.make().get_json(f"{server.url}/a")
    assert caught.value.until is not None
    assert caught.value.until - now() <= timedelta(days=1)


def test_429_without_end_blocks(server: ApiServer, clients: Clients) -> None:
    """A server that does not stop saying 429 blocks the source for a minute at least."""
    server.on("/a", Reply(status=429, headers={"Retry-After": "1"}))

    with pytest.raises(SourceBlocked) as caught:
        clients.make().get_json(f"{server.url}/a")
    assert len(server.requests) == 5
    assert caught.value.until is not None
    assert caught.value.until - now() >= timedelta(seconds=55)


def test_rest_holds_for_all_requests(server: ApiServer, clients: Clients) -> None:
    """A Retry-After on one path holds for every path of the host."""
    server.on("/a", Reply(status=429, headers={"Retry-After": "30"}))
    server.on("/b", Reply({}))
    api = clients.make(policy=RequestPolicy(rate_per_s=1000, burst=1000, attempts=1))

    with pytest.raises(SourceBlocked):
        api.get_json(f"{server.url}/a")
    api.get_json(f"{server.url}/b")

    assert clients.waits[0] == pytest.approx(30, abs=1)


def test_source_decides_what_passes(server: ApiServer, clients: Clients) -> None:
    """A source may call an answer passing whatever its status, and a server error final."""
    server.on("/busy", Reply({"code": 25}), Reply({"code": 1}))
    server.on("/broken", Reply({"code": 44}, status=500))
    api = clients.make(may_pass=lambda status, body: body["code"] == 25)

    assert api.get_json(f"{server.url}/busy") == {"code": 1}
    with pytest.raises(ApiError):
        api.get_json(f"{server.url}/broken")
    assert server.paths() == ["/busy", "/busy", "/broken"]


def test_slow_answers_time_out(server: ApiServer, clients: Clients) -> None:
    """An answer that does not come, or drips without end, is given up in time."""
    server.on("/hang", Reply(fault="hang"))
    server.on("/drip", Reply(fault="drip"))
    api = clients.make(timeout_s=0.2, policy=RequestPolicy(rate_per_s=1000, attempts=2))
    started = time.monotonic()

    for path in ("/hang", "/drip"):
        with pytest.raises(SourceError, match=r"^127\.0\.0\.1 did not answer within 0\.2 s$"):
            api.get_json(f"{server.url}{path}")
    assert len(server.requests) == 4
    assert time.monotonic() - started < 20  # the server hangs for 30 s, and drips for ever


def test_dead_host_is_named(clients: Clients) -> None:
    """A refused connection names the host and the system's reason, after a few attempts."""
    with ApiServer() as server:
        url = server.url

    with pytest.raises(SourceError, match=r"^cannot reach 127\.0\.0\.1: .*refused") as caught:
        clients.make().get_json(f"{url}/secret")
    assert not isinstance(caught.value, ApiError)
    assert "secret" not in str(caught.value)


def test_stop_interrupts_the_wait(server: ApiServer, clients: Clients) -> None:
    """A stop ends a long wait at once."""
    server.on("/a", Reply(status=503, headers={"Retry-After": "50"}))
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    started = time.monotonic()

    with pytest.raises(Interrupted):
        clients.make(wait=stop.wait).get_json(f"{server.url}/a")
    assert time.monotonic() - started < 25  # half of what the server asked for
    assert len(server.requests) == 1
