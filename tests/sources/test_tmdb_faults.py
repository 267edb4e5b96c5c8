"""What the source does when TMDB refuses, fails or lies; it keeps its token to itself."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from api_server import Reply
from celebcollect.domain.errors import ConfigError, SourceBlocked, SourceError
from celebcollect.domain.records import now
from celebcollect.sources.base import PersonNotSearched
from sources.tmdb_world import PICTURES, TOKEN, TmdbWorld, celebrity, person, picture

JANE = celebrity(tmdb_ids=("7",))


@pytest.fixture
def tmdb() -> Iterator[TmdbWorld]:
    """A TMDB that knows Jane, Q1, by the id 7."""
    with TmdbWorld() as world:
        world.people(person(7, wikidata_id="Q1"))
        yield world


def error(code: int | None, status: int, **headers: str) -> Reply:
    """Return an error as TMDB words it, with a message that repeats the token."""
    body = (
        {"success": False, "status_code": code, "status_message": f"Invalid: {TOKEN}"}
        if code is not None
        else "<html>no</html>"
    )
    return Reply(body, status, headers)


@pytest.mark.parametrize(
    ("token", "kind", "words"),
    [
        ("", SourceError, "is empty"),
        ("  \n", SourceError, "is empty"),
        ("abc\ndef-secret", ConfigError, "characters"),
        ("geheim-ü", ConfigError, "characters"),
        ("0123456789abcdef0123456789abcdef", ConfigError, "version 3"),
    ],
)
def test_unusable_token_is_told_before_any_request(
    tmdb: TmdbWorld, token: str, kind: type[SourceError], words: str
) -> None:
    """Without a usable token nothing is sent, and the hint says where to get one."""
    with pytest.raises(kind, match=words) as caught:
        tmdb.source(token=token)
    assert "CELEBCOLLECT_TMDB__TOKEN" in caught.value.hint
    assert "secret" not in caught.value.message
    assert tmdb.server.requests == []


@pytest.mark.parametrize(
    ("answer", "kind", "words", "requests"),
    [
        (error(7, 401), SourceError, "does not accept tmdb.token", 1),
        (error(35, 401), SourceError, "does not accept tmdb.token", 1),
        (error(None, 403), SourceError, "does not accept tmdb.token", 1),
        (error(10, 401), SourceError, "suspended the account", 1),
        (error(45, 403), SourceError, "suspended the account", 1),
        (error(22, 400), SourceError, "end at page 500", 1),
        (error(27, 400), SourceError, "at most 20 appended", 1),
        (error(None, 404), SourceError, "API is not there", 1),
        (error(5, 422), SourceError, "does not work", 1),
        (error(46, 503), SourceBlocked, "under maintenance", 1),
        (error(9, 503), SourceBlocked, "is offline", 1),
        (error(25, 200), SourceBlocked, "too often", 5),
        (error(25, 429), SourceBlocked, "stay away until", 5),
        (error(25, 429, **{"Retry-After": "600"}), SourceBlocked, "stay away until", 1),
    ],
)
def test_error_for_everybody(
    tmdb: TmdbWorld, answer: Reply, kind: type[SourceError], words: str, requests: int
) -> None:
    """
    An error that nobody escapes ends the source in words that name the code.

    TMDB's own text and the token are not among them.
    """
    tmdb.server.on("/3/person/7", answer)

    with pytest.raises(kind, match=words) as caught:
        list(tmdb.source().candidates(JANE, 5))
    assert type(caught.value) is kind
    assert caught.value.exit_code == 3
    assert TOKEN not in caught.value.message + caught.value.hint
    assert tmdb.server.paths() == ["/3/person/7"] * requests
    if isinstance(caught.value, SourceBlocked):
        assert caught.value.until is not None
        assert caught.value.until - now() > timedelta(seconds=50)


@pytest.mark.parametrize(
    "answer",
    [
        error(43, 502),
        error(24, 504),
        error(11, 500),
        error(None, 500),
        Reply("{"),
        Reply({"id": 7}, fault="cut"),
    ],
)
def test_error_for_one_person(tmdb: TmdbWorld, answer: Reply) -> None:
    """
    A failure that stays, while TMDB answers otherwise, is this person's.

    Counted, not taken for "has no pictures", and others go on.
    """
    tmdb.server.on("/3/person/8", answer)
    source = tmdb.source()

    if answer.fault == "cut":  # the connection broke: that is the network's fault
        with pytest.raises(SourceError, match="cannot reach"):
            list(source.candidates(celebrity(tmdb_ids=("8",)), 5))
    else:
        with pytest.raises(PersonNotSearched, match="one person only"):
            list(source.candidates(celebrity(tmdb_ids=("8",)), 5))
        assert tmdb.tally.reasons == {"tmdb_broken_answer": 1}
    assert len(list(source.candidates(JANE, 5))) == 3


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [(error(43, 502), SourceBlocked, "backend"), (error(11, 500), SourceError, "does not work")],
)
def test_error_of_everything(
    tmdb: TmdbWorld, answer: Reply, kind: type[SourceError], words: str
) -> None:
    """When the call that always works fails, too, TMDB is broken for everybody."""
    tmdb.server.on("/3/person/7", answer)
    tmdb.server.on("/3/configuration", answer)

    with pytest.raises(kind, match=words) as caught:
        list(tmdb.source().candidates(JANE, 5))
    assert not isinstance(caught.value, PersonNotSearched)
    assert tmdb.tally.reasons == {}


@pytest.mark.parametrize("answer", [error(34, 404), error(6, 404), error(44, 500)])
def test_gone_people_are_counted(tmdb: TmdbWorld, answer: Reply) -> None:
    """An id that TMDB does not have any more takes one request and is counted."""
    tmdb.server.on("/3/person/7", answer)

    assert list(tmdb.source().candidates(JANE, 5)) == []
    assert tmdb.tally.reasons == {"tmdb_gone": 1, "tmdb_not_found": 1}
    assert tmdb.asked() == ["/person/7", "/search/person"]


@pytest.mark.parametrize("status", [429, 200])
def test_too_many_requests_are_waited_for(tmdb: TmdbWorld, status: int) -> None:
    """Code 25 is waited for, a second at least when TMDB says 0, and the person is not lost."""
    tmdb.server.on(
        "/3/person/7", error(25, status, **{"Retry-After": "0"}), Reply(person(7, wikidata_id="Q1"))
    )

    assert len(list(tmdb.source().candidates(JANE, 5))) == 3
    assert tmdb.waits[0] == pytest.approx(1, abs=0.1)
    assert tmdb.tally.counts["tmdb_requests"] == 3


def test_unreachable_tmdb_is_an_error() -> None:
    """A dead host ends the source, for everybody."""
    with TmdbWorld() as world:
        source = world.source()
        world.server.__exit__()

        with pytest.raises(SourceError, match=r"cannot reach 127\.0\.0\.1"):
            list(source.candidates(JANE, 5))


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "x",
        7,
        {},
        {"id": "x"},
        {"id": -1},
        {"id": 7, "external_ids": []},
        {"id": 7, "external_ids": {"wikidata_id": {"a": 1}}},
        {"id": 7, "images": {"profiles": {"a": 1}}},
        {"id": 7, "birthday": 5},
    ],
)
def test_wrong_shapes_are_counted(tmdb: TmdbWorld, body: Any) -> None:
    """
    An answer of another shape is counted and leaves the person to be searched again.

    Others go on.
    """
    tmdb.server.on("/3/person/8", Reply(body))
    source = tmdb.source()

    with pytest.raises(PersonNotSearched):
        list(source.candidates(celebrity(tmdb_ids=("8",)), 5))
    assert sum(tmdb.tally.reasons.values()) == 1
    assert len(list(source.candidates(JANE, 5))) == 3


def test_hostile_pictures_are_counted(tmdb: TmdbWorld) -> None:
    """A path that is none, or leads elsewhere, is counted and costs the others nothing."""
    bad: list[Any] = [None, 5, {}, {"file_path": None}]
    bad += [
        picture(path)
        for path in (
            "",
            "a.jpg",
            "/../x.jpg",
            "//evil/x.jpg",
            "/a.svg",
            "/a.jpg\n",
            "/a b.jpg",
            "/a.jpg?x",
            "/é.jpg",
            "/" + "a" * 101 + ".jpg",
        )
    ]
    bad += [picture("/x.jpg", width="wide"), picture("/y.jpg", height=-1)]
    tmdb.people(person(7, wikidata_id="Q1", images={"profiles": [*bad, picture("/good.jpg")]}))

    assert [one.url for one in tmdb.source().candidates(JANE, 50)] == [
        f"{PICTURES}original/good.jpg"
    ]
    assert tmdb.tally.reasons == {"tmdb_unreadable_picture": len(bad)}


def test_no_pictures_are_counted(tmdb: TmdbWorld) -> None:
    """A proved person without portraits is counted."""
    tmdb.people(person(7, wikidata_id="Q1", pictures=0))

    assert list(tmdb.source().candidates(JANE, 5)) == []
    assert tmdb.tally.reasons == {"tmdb_no_picture": 1}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        [],
        {"images": {}},
        {"images": {"secure_base_url": "javascript:alert(1)//", "profile_sizes": ["original"]}},
        {"images": {"secure_base_url": "https://user:pw@host/", "profile_sizes": ["original"]}},
        {"images": {"secure_base_url": PICTURES, "profile_sizes": ["w45"]}},
    ],
)
def test_unusable_configuration_is_an_error(tmdb: TmdbWorld, settings: Any) -> None:
    """Without knowing where the pictures are, in our size, the source ends."""
    tmdb.server.on("/3/configuration", Reply(settings))

    with pytest.raises(
        SourceError, match=r"configuration has another shape|no portraits of size original"
    ):
        list(tmdb.source().candidates(JANE, 5))


def test_token_goes_nowhere_but_into_the_header(
    tmdb: TmdbWorld, caplog: pytest.LogCaptureFixture
) -> None:
    """
    The token is in one header of every request.

    It is in no URL, log line of any library, message or representation.
    """
    caplog.set_level(logging.DEBUG)
    tmdb.server.on("/3/person/9", error(25, 429), error(11, 500), error(7, 401))
    source = tmdb.source()
    list(source.candidates(JANE, 5))

    with pytest.raises(SourceError) as caught:
        list(source.candidates(celebrity(tmdb_ids=("9",)), 5))
    assert caplog.records
    chain = [caught.value, caught.value.__cause__, caught.value.__context__]
    assert TOKEN not in caplog.text + "".join(f"{one} {one!r}" for one in chain) + repr(source)
    assert all(
        request.headers["authorization"] == f"Bearer {TOKEN}" and TOKEN not in request.raw
        for request in tmdb.server.requests
    )


def test_stop_ends_the_search(tmdb: TmdbWorld) -> None:
    """When the work is to stop, a search that waits just ends, counting nothing as lost."""
    stop = threading.Event()
    stop.set()
    source = tmdb.source(wait=stop.wait, requests_per_s=0.01)

    assert list(source.candidates(JANE, 5)) == []  # the second request would have to wait
    assert list(source.popular(5)) == []
    assert tmdb.tally.reasons == {}
