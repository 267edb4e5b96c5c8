"""The Wikidata source against an endpoint that throttles, bans, refuses or fails.

It may fail for a while, or not be there.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from celebcollect.domain.errors import ConfigError, Interrupted, SourceBlocked, SourceError
from celebcollect.sources.wikidata.people import Wikidata
from sources.sparql_server import Reply, SparqlServer
from sources.wikidata_world import AGENT, World, crowd, error_body

CROWD = crowd(range(8), sitelinks={number: 40 + number for number in range(8)})
EVERYBODY = {f"Q900{number:06d}" for number in range(8)}


@pytest.mark.parametrize(
    "page", ["wdqs_429.html", "wdqs_429_retry_0.html", "wikimedia_429_thumbnail.txt"]
)
def test_is_blocked_when_throttled_again_and_again(shared_data: Path, page: str) -> None:
    """
    Nobody is asked for ever.

    After some throttled tries, with pauses, the source stops with a time.
    """
    with SparqlServer(CROWD, fault=lambda _: Reply(429, error_body(page))) as server:
        world = World(server.url)
        with pytest.raises(SourceBlocked, match="stay away until") as blocked:
            world.people()

    assert blocked.value.until is not None
    assert len(server.asked) == 6
    least = 9 if page == "wdqs_429.html" else 1
    assert sorted(pause for pause in world.clock.waited if pause >= 0.9) == [
        max(least, pause) for pause in (1, 2, 4, 8, 16)
    ]


@pytest.mark.parametrize("header", ["0", "1"])
def test_waits_at_least_a_second_when_throttled(shared_data: Path, header: str) -> None:
    """
    After a 429 the next request comes when Retry-After says.

    When it says 0, a second passes.
    """
    body = error_body("wdqs_429_retry_0.html")
    with SparqlServer(CROWD, faults=[Reply(429, body, {"Retry-After": header})]) as server:
        world = World(server.url, dialect="wdqs", real_time=True)
        found = world.people()

    assert set(found) == EVERYBODY
    assert server.asked[1].started - server.asked[0].ended >= 1.0
    assert server.asked[0].query == server.asked[1].query
    assert world.tally["throttled"] == 1


@pytest.mark.parametrize(
    ("headers", "least_s", "most_s"),
    [
        ({"Retry-After": "17"}, 17, 17),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 1, 1),
        ({"Retry-After": "soon"}, 9, 9),  # the recorded body says 9 seconds
        ({}, 9, 9),
    ],
)
def test_reads_every_form_of_retry_after(
    shared_data: Path, headers: dict[str, str], least_s: float, most_s: float
) -> None:
    """Seconds, an HTTP date, and the sentence in Wikidata's page where the header says nothing."""
    with SparqlServer(CROWD, faults=[Reply(429, error_body("wdqs_429.html"), headers)]) as server:
        world = World(server.url)
        world.people()

    assert least_s <= world.clock.waited[0] <= most_s


def test_reads_retry_after_as_a_date() -> None:
    """
    An HTTP date counts from now.

    Made here and not when the tests are collected, which may be minutes earlier.
    """
    in_two_minutes = format_datetime(datetime.now(UTC) + timedelta(seconds=120), usegmt=True)
    with SparqlServer(
        CROWD, faults=[Reply(429, error_body("wdqs_429.html"), {"Retry-After": in_two_minutes})]
    ) as server:
        world = World(server.url)
        world.people()

    assert 60 <= world.clock.waited[0] <= 120


def test_is_blocked_when_throttled_for_longer_than_it_waits() -> None:
    """
    A Retry-After of an hour is told with its time.

    Until then the endpoint is not asked again, unless we are somebody else.
    """
    with SparqlServer(CROWD, faults=[Reply(429, b"", {"Retry-After": "3600"})]) as server:
        world = World(server.url)
        with pytest.raises(
            SourceBlocked, match=r"stay away until \d{4}-\d\d-\d\d \d\d:\d\d UTC"
        ) as blocked:
            world.people()
        with pytest.raises(SourceBlocked) as again:
            World(server.url, notes=world.notes).people()
        asked = len(server.asked)
        somebody_else = Wikidata(
            world.settings,
            user_agent="other (mailto:me@example.org)",
            tally=world.tally,
            notes=world.notes,
        )
        found = [person.qid for batch in somebody_else.people() for person in batch]

    assert asked == 1
    assert blocked.value.until is not None
    assert abs(blocked.value.until - datetime.now(UTC) - timedelta(hours=1)) < timedelta(minutes=1)
    assert again.value.until == blocked.value.until
    assert set(found) == EVERYBODY


def test_tells_the_time_of_a_ban(shared_data: Path) -> None:
    """
    A ban stops the source at once, with the end that Wikidata names.

    It is asked again after that only.
    """
    with SparqlServer(CROWD, faults=[Reply(403, error_body("wdqs_403_ban.txt"))]) as server:
        world = World(server.url)
        with pytest.raises(SourceBlocked, match="banned us until 2026-11-24T12:00:00Z") as blocked:
            world.people()

    assert len(server.asked) == 1
    assert blocked.value.until == datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert blocked.value.exit_code == 3
    note = world.notes.note("wikidata/blocked")
    assert note is not None
    assert note["until"] == "2026-11-24T12:00:00+00:00"


def test_forgets_a_block_that_is_over() -> None:
    """A block of the past, or a note that makes no sense, does not keep us away."""
    with SparqlServer(CROWD) as server:
        world = World(server.url)
        for until in ("2020-01-01T00:00:00+00:00", "2020-01-01T00:00:00", "tomorrow"):
            world.notes.set_note(
                "wikidata/blocked", {"endpoint": server.url, "agent": AGENT, "until": until}
            )
            assert set(world.people()) == EVERYBODY

    assert world.notes.note("wikidata/blocked") is None


@pytest.mark.parametrize(
    ("reply", "message", "hint"),
    [
        (
            Reply(403, b"<html>Please set a user-agent</html>"),
            r"answers 403: Please set a user-agent",
            "http.contact",
        ),
        (
            Reply(400, b"Bad query at line 3"),
            "answers 400: Bad query at line 3",
            "wikidata.dialect",
        ),
        (Reply(404, b"no such page"), "answers 404", "wikidata.endpoint"),
        (Reply(401, b""), "answers 401", "wikidata.endpoint"),
        (Reply(405, b""), "answers 405", "wikidata.endpoint"),
        (
            Reply(307, b"", {"Location": "https://elsewhere.example/sparql"}),
            "moved to https://elsewhere.example/sparql",
            "wikidata.endpoint",
        ),
        (
            Reply(200, b"<html>Welcome to the hotel's network</html>"),
            "not with a SPARQL result",
            "wikidata.endpoint",
        ),
        (Reply(200, b"[1, 2]"), "not with a SPARQL result", "wikidata.endpoint"),
        (
            Reply(200, b'{"results": {"bindings": {"a": 1}}}'),
            "not with a SPARQL result",
            "wikidata.endpoint",
        ),
    ],
)
def test_explains_a_refusal(reply: Reply, message: str, hint: str) -> None:
    """
    What asking again cannot help ends the search with one line; exit code 3.

    The line says what it is and what to do.
    """
    with (
        SparqlServer(CROWD, fault=lambda _: reply) as server,
        pytest.raises(SourceError, match=message) as failure,
    ):
        World(server.url).people()

    assert hint in failure.value.hint
    assert failure.value.exit_code == 3
    assert "\n" not in failure.value.message
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "there", [None, Reply(200, b'{"results": {"bindings": []}}')], ids=["400", "200"]
)
def test_follows_no_redirect(there: Reply | None) -> None:
    """A moved endpoint is told, whatever the new one says: urllib would ask it for nothing."""
    with SparqlServer(CROWD, faults=[there]) as other:
        moved = Reply(301, b"", {"Location": other.url})
        with (
            SparqlServer(CROWD, faults=[moved]) as server,
            pytest.raises(SourceError, match=f"has moved to {other.url}"),
        ):
            World(server.url).people()


@pytest.mark.parametrize(
    "reply",
    [
        Reply(502, b"bad gateway"),
        Reply(503, b""),
        Reply(504, b""),
        Reply(500, b"out of luck"),
        Reply(hang_up=True),
    ],
)
def test_asks_again_after_passing_trouble(reply: Reply) -> None:
    """Gateway errors and lost connections are asked again, each time after a longer pause."""
    with SparqlServer(CROWD, faults=[None, reply, reply, reply]) as server:
        world = World(server.url)
        found = world.people()

    assert set(found) == EVERYBODY
    assert [pause for pause in world.clock.waited if pause >= 0.9] == [1, 2, 4]
    assert world.tally["retries"] == 3


def test_gives_up_after_some_tries() -> None:
    """
    Trouble that does not pass ends in an error that names endpoint and status.

    The number of requests is bounded.
    """
    down = Reply(503, b"down for maintenance")

    with (
        SparqlServer(CROWD, faults=[None], fault=lambda _: down) as server,
        pytest.raises(SourceError, match="/sparql answers 503: down for"),
    ):
        World(server.url).people()

    assert len(server.asked) == 1 + 6


def test_names_an_endpoint_that_is_not_there(dead_port: int) -> None:
    """
    Nobody listens: exit code 3 with the address and the reason within three tries.

    No credentials are shown.
    """
    url = f"http://127.0.0.1:{dead_port}/sparql"
    world = World(f"{url}?key=secret")
    with pytest.raises(
        SourceError, match=rf"cannot reach the SPARQL endpoint {url}: Connection refused"
    ) as failure:
        world.people()

    assert failure.value.exit_code == 3
    assert "wikidata.endpoint" in failure.value.hint
    assert "secret" not in str(failure.value)
    assert world.tally["requests"] == 3


def test_refuses_a_password_in_the_address() -> None:
    """An address with a password is a mistake, and the password is not repeated."""
    with pytest.raises(ConfigError) as failure:
        World("http://me:hidden@127.0.0.1:1/sparql")

    assert "hidden" not in failure.value.message


def test_pauses_between_requests() -> None:
    """
    After each answer comes a pause of the least interval.

    It is as long as the answer took, if that is longer.
    """
    with SparqlServer(CROWD, faults=[Reply(delay_s=0.4)]) as server:
        World(server.url, min_interval_s=0.1, real_time=True, min_sitelinks=30).people()

    pauses = [
        later.started - earlier.ended
        for earlier, later in zip(server.asked, server.asked[1:], strict=False)
    ]
    assert pauses[0] >= 0.4
    assert min(pauses[1:]) >= 0.1
    assert min(pauses[1:]) < 0.4  # each is as long as its own answer took
    assert server.busiest == 1


def test_stops_waiting_when_told() -> None:
    """Who is told to stop does not sit out a pause of minutes."""
    with SparqlServer(CROWD, faults=[Reply(429, b"", {"Retry-After": "250"})]) as server:
        world = World(server.url)
        source = Wikidata(
            world.settings,
            user_agent="tests",
            tally=world.tally,
            notes=world.notes,
            wait=lambda _: True,
        )
        with pytest.raises(Interrupted):
            next(source.people())

    assert len(server.asked) == 1
