"""What the Commons source does when the API refuses, fails or lies, and how it asks."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from api_server import Reply, Request
from celebcollect.domain.errors import SourceBlocked, SourceError
from celebcollect.domain.records import Celebrity, now
from celebcollect.sources.base import PersonNotSearched
from celebcollect.sources.commons.settings import CommonsConfig
from sources.commons_world import CommonsWorld, portrait

API = "/w/api.php"


@pytest.fixture
def commons() -> Iterator[CommonsWorld]:
    """A Commons with one file."""
    with CommonsWorld() as world:
        world.add("A.jpg")
        yield world


def refusal(code: str, **headers: str) -> Reply:
    """Return an error as MediaWiki words it: with HTTP 200."""
    return Reply(
        {
            "error": {"code": code, "info": "<b>No</b>", "docref": "See /w/api.php"},
            "servedby": "mw1",
        },
        200,
        headers,
    )


@pytest.mark.parametrize(
    "fault",
    [
        refusal("maxlag", **{"Retry-After": "5"}),
        refusal("ratelimited"),
        refusal("readonly"),
        Reply(status=429),
        Reply(status=503),
        Reply(fault="reset"),
    ],
)
def test_passing_faults_are_waited_for(commons: CommonsWorld, fault: Reply) -> None:
    """Lag, rate limits, server errors and broken connections cost a wait, not the person."""
    commons.server.on(API, fault, commons.answer)

    assert len(commons.find("A.jpg")) == 1
    assert len(commons.server.requests) == 2
    assert commons.waits
    if fault.headers:
        assert commons.waits[0] == pytest.approx(5, abs=0.2)


@pytest.mark.parametrize(
    ("fault", "kind", "words", "requests"),
    [
        (refusal("maxlag"), SourceBlocked, "wants to be left alone: maxlag", 5),
        (refusal("ratelimited", **{"Retry-After": "900"}), SourceBlocked, "stay away until", 1),
        (Reply(status=429, headers={"Retry-After": "0"}), SourceBlocked, "stay away until", 5),
        (refusal("badvalue"), SourceError, "refuses the request: badvalue", 1),
        (refusal("<b>\x1b[31m"), SourceError, r"refuses the request: \?b\?\?\?31m", 1),
        (
            Reply("Please set a user-agent", 403),
            SourceError,
            "refuses the request: 127.0.0.1 answered HTTP 403",
            1,
        ),
        (Reply("no", 404), SourceError, "HTTP 404", 1),
        (Reply(status=500), SourceError, "does not work: 127.0.0.1 answered HTTP 500", 10),
        (
            Reply("<html>"),
            SourceError,
            "does not work: 127.0.0.1 answered HTTP 200 without JSON",
            10,
        ),
    ],
)
def test_refusals_end_the_source_in_words(
    commons: CommonsWorld, fault: Reply, kind: type[SourceError], words: str, requests: int
) -> None:
    """What nobody escapes ends the source, with a hint, and without markup that the server sent."""
    commons.server.on(API, fault)

    with pytest.raises(kind, match=words) as caught:
        commons.find("A.jpg")
    assert type(caught.value) is kind
    assert caught.value.hint
    assert len(commons.server.requests) == requests


def test_block_says_until_when_and_asks_for_a_contact(commons: CommonsWorld) -> None:
    """A block names its end, and whoever has not said whom to write to is asked to."""
    commons.server.on(API, Reply(status=429, headers={"Retry-After": "3600"}))

    with pytest.raises(SourceBlocked) as caught:
        commons.find("A.jpg", contact="")
    assert "http.contact" in caught.value.hint
    assert caught.value.until is not None
    assert abs(caught.value.until - now() - timedelta(hours=1)) < timedelta(seconds=5)


@pytest.mark.parametrize(
    "fault", [Reply(status=500), Reply("{"), refusal("internal_api_error_DBQueryError")]
)
def test_failure_for_one_person_is_counted(commons: CommonsWorld, fault: Reply) -> None:
    """When only this person's question fails, the person is left for later; others go on."""

    def answer(request: Request) -> Reply:
        return fault if "Poison" in request.raw else commons.answer(request)

    commons.server.on(API, answer)

    with pytest.raises(PersonNotSearched, match="one person only"):
        commons.find("Poison.jpg")
    assert commons.tally.reasons == {"commons_broken_answer": 1}
    assert len(commons.find("A.jpg")) == 1


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        7,
        {"query": 5},
        {"query": {"pages": 5}},
        {"query": {"pages": [5]}},
        {"query": {"pages": [{"title": 1}]}},
        {"continue": 5},
        {"query": {"normalized": [{"from": 1}]}},
    ],
)
def test_wrong_shapes_are_counted(commons: CommonsWorld, body: Any) -> None:
    """An answer of another shape is counted and leaves the person for later."""
    commons.server.on(
        API, lambda request: commons.answer(request) if "siteinfo" in request.raw else Reply(body)
    )

    with pytest.raises(PersonNotSearched):
        commons.find("A.jpg")
    assert sum(commons.tally.reasons.values()) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"query": []},
        {"batchcomplete": True},
        {"query": {"pages": {"12": {"title": "File:B.jpg"}}}},
        {"query": {"pages": []}},
    ],
)
def test_empty_answers_mean_missing(commons: CommonsWorld, body: Any) -> None:
    """PHP's empty lists instead of tables, and answers without pages, mean: no such file."""
    commons.server.on(API, Reply(body))

    assert commons.find("A.jpg", category="Jane Doe") == []
    assert commons.tally.reasons["commons_missing"] >= 1


@pytest.mark.parametrize(
    "meta",
    [
        {"Artist": None},
        {"Artist": 7},
        {"Artist": ["x"]},
        {"Artist": {"en": "x"}},
        {"LicenseUrl": "javascript:alert(1)"},
        {"LicenseUrl": "http://["},
        {"Artist": "\u202e\x00<script>x</script>", "LicenseShortName": ""},
        {"Categories": 5},
    ],
)
def test_hostile_facts_are_left_out(commons: CommonsWorld, meta: dict[str, Any]) -> None:
    """
    A fact that is no text, or a licence URL that is none, is left out.

    The picture stays and becomes a message.
    """
    commons.add("B.jpg", meta=meta, descriptionurl="https://commons.wikimedia.org/wiki/\ud800")

    (found,) = commons.find("B.jpg")

    assert found.author in (None, "Ann")
    assert found.licence_url in (None, "https://creativecommons.org/licenses/by-sa/4.0")
    assert found.page_url is None
    assert found.to_json()


def test_empty_facts_as_a_list(commons: CommonsWorld) -> None:
    """A file without any fact comes without licence, not with a crash; `//host` is https."""
    commons.add("B.jpg", extmetadata=[], descriptionurl="//commons.wikimedia.org/wiki/File:B.jpg")

    (found,) = commons.find("B.jpg")

    assert (found.licence, found.author) == (None, None)
    assert found.page_url == "https://commons.wikimedia.org/wiki/File:B.jpg"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://commons.wikimedia.org/wiki/File:A.jpg",
        "http://[",
        "http://x/Special:FilePath/",
        "http://x/Special:FilePath/a%7Cb.jpg",
        "http://x/Special:FilePath/%ff.jpg",
        "http://x/Special:FilePath/a%0Ab%00.jpg",
        f"http://x/Special:FilePath/{'a' * 300}.jpg",
    ],
)
def test_portraits_that_are_none(commons: CommonsWorld, url: str) -> None:
    """A portrait that names no file is counted and not asked for."""
    person = Celebrity(qid="Q1", name="Jane", portraits=(url,))

    assert list(commons.source().candidates(person, 5)) == []
    assert commons.tally.reasons == {"commons_bad_title": 1}
    assert commons.server.requests == []


@pytest.mark.parametrize("category", ["", "  ", "Category:", None])
def test_no_category(commons: CommonsWorld, category: str | None) -> None:
    """Somebody without portrait and category takes no request."""
    assert commons.find(category=category) == []
    assert commons.server.requests == []


def test_category_that_cannot_be(commons: CommonsWorld) -> None:
    """A category that the API calls invalid is counted."""
    commons.server.on(API, refusal("invalidcategory"))

    assert commons.find(category="a|b<>") == []
    assert commons.tally.reasons == {"commons_bad_title": 1}


def test_continuation_cannot_change_the_question(commons: CommonsWorld) -> None:
    """
    Only known parameters of a continuation are sent back.

    A server that continues for ever is left.
    """
    numbers = iter(range(10_000))
    commons.server.on(
        API,
        lambda _: Reply(
            {"continue": {"gcmcontinue": f"x{next(numbers)}", "action": "delete", "titles": "x"}}
        ),
    )

    assert commons.find(category="Jane Doe") == []
    assert len(commons.server.requests) == 40
    assert all(
        request.query["action"] == "query" and "titles" not in request.query
        for request in commons.server.requests
    )


def test_same_continuation_twice_ends(commons: CommonsWorld) -> None:
    """A server that repeats itself is left."""
    commons.server.on(API, Reply({"continue": {"gcmcontinue": "x"}}))

    assert commons.find(category="Jane Doe") == []
    assert len(commons.server.requests) == 2


def test_stop_ends_the_search(commons: CommonsWorld) -> None:
    """When the work is to stop, a search that waits just ends."""
    stop = threading.Event()
    stop.set()

    assert len(commons.find("A.jpg", category="Jane Doe", wait=stop.wait, requests_per_s=0.01)) == 1
    assert len(commons.server.requests) == 1


def test_gentle_by_default(commons: CommonsWorld) -> None:
    """By default at most 3 requests go out a second, and never more than 2 at once."""
    assert CommonsConfig().requests_per_s <= 3
    together = threading.Barrier(2)

    def first_two(request: Request) -> Reply:
        together.wait(10)
        return commons.answer(request)

    commons.server.on(API, first_two, first_two, commons.answer)
    source = commons.source(requests_per_s=20, wait=time.sleep)
    person = Celebrity(qid="Q1", name="Jane", portraits=(portrait("A.jpg"),))
    before = time.monotonic()
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: list(source.candidates(person, 5)), range(31)))

    assert 30 / (time.monotonic() - before) <= 20
    assert len(commons.server.requests) == 31
    assert commons.server.most_at_once == 2


def test_logs_name_no_person(commons: CommonsWorld, caplog: pytest.LogCaptureFixture) -> None:
    """Our own log lines do not repeat what is asked for."""
    caplog.set_level(logging.DEBUG, logger="celebcollect")
    commons.server.on(API, Reply(status=503), commons.answer)
    commons.find("A.jpg")

    assert "host=127.0.0.1" in caplog.text
    assert "A.jpg" not in "".join(
        record.getMessage() for record in caplog.records if record.name.startswith("celebcollect")
    )
