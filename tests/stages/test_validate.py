"""`validate`: what it lets through, and what it drops and why.

A crash at the worst moment loses nothing.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from celebcollect.domain.records import ImageCandidate, Status, image_id
from celebcollect.domain.text import MAX_TEXT_CHARS
from celebcollect.stages import validate
from stages.storing import VERIFIED, Bench, candidate


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    opened = Bench(tmp_path)
    yield opened
    opened.close()


def passed_on(bench: Bench) -> list[ImageCandidate]:
    return [
        ImageCandidate.model_validate_json(message.value or b"")
        for message in bench.bus.read(VERIFIED)
    ]


def test_a_good_candidate_is_passed_on_whole_and_known_from_then_on(bench: Bench) -> None:
    """
    The message keeps every fact and its own spelling of the URL, keyed by person.

    The catalogue has its row.
    """
    sent = candidate(
        "HTTP://Example.com:80/a.jpg?b=1&a=2#x",
        rank=3,
        licence="CC0",
        author="Somebody",
        page_title="A page",
    )
    bench.publish("urls", sent)

    tally = bench.validate(allow_private=False)

    (message,) = bench.bus.read(VERIFIED)
    assert (message.key, passed_on(bench)) == ("Q42", [sent])
    (row,) = bench.catalogue.images()
    assert row.id == image_id("Q42", "http://example.com/a.jpg?a=2&b=1")
    assert (row.status, row.url, row.licence, row.rank) == (Status.VERIFIED, sent.url, "CC0", 3)
    assert (tally.counts, tally.reasons) == ({"verified": 1}, {})


def test_every_loss_is_counted_with_its_reason(bench: Bench) -> None:
    """Refused URLs never reach the topic, and the tally says why."""
    bench.publish(
        "urls",
        candidate("http://127.0.0.1/a.jpg"),
        candidate("ftp://example.com/a.jpg"),
        candidate("http://localhost/"),
    )
    bench.publish("urlsFromTmdb", candidate("http://a@example.com/a.jpg"), candidate("nonsense"))

    tally = bench.validate(allow_private=False)

    assert tally.reasons == {
        "private_address": 1,
        "not_http": 1,
        "private_name": 1,
        "userinfo": 1,
        "malformed_url": 1,
    }
    assert VERIFIED not in {info.name for info in bench.bus.topics()}


def test_a_url_passes_once_for_each_person(bench: Bench) -> None:
    """
    Spellings of one URL are one candidate, in one batch and across runs.

    Another person's is another.
    """
    bench.publish(
        "urls",
        candidate("http://example.com/a.jpg"),
        candidate("http://EXAMPLE.com:80/a.jpg#2"),
        candidate("http://example.com/a.jpg", "Q1"),
    )
    first = bench.validate(allow_private=False)
    bench.publish("urlsFromTmdb", candidate("http://example.com/x/../a.jpg"))

    second = bench.validate(allow_private=False)

    assert [(one.qid, one.url) for one in passed_on(bench)] == [
        ("Q42", "http://example.com/a.jpg"),
        ("Q1", "http://example.com/a.jpg"),
    ]
    assert (first.reasons, second.reasons) == ({"repeated": 1}, {"known": 1})


def test_a_url_passes_once_although_the_batch_before_is_still_being_published(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is on its way to the topic counts as known, before the catalogue says so."""
    monkeypatch.setattr(validate, "BATCH", 5)
    bench.publish(
        "urls", *(candidate(f"http://example.com/{place % 7}.jpg") for place in range(40))
    )

    tally = bench.validate(allow_private=False)

    assert sorted(one.url for one in passed_on(bench)) == [
        f"http://example.com/{place}.jpg" for place in range(7)
    ]
    assert (tally.counts, tally.reasons) == ({"verified": 7}, {"known": 33})


def test_a_candidate_of_an_unknown_person_adds_the_person(bench: Bench) -> None:
    """Anyone may produce messages, also about somebody whom Wikidata did not name to us."""
    bench.publish("urls", candidate("http://example.com/a.jpg", "Q7"))

    bench.validate(allow_private=False)

    assert [person.name for person in bench.catalogue.people(["Q7"])] == ["Name of Q7"]


def test_facts_without_measure_leave_room_for_what_is_added(bench: Bench) -> None:
    """
    Texts are cut off and endless links left out.

    A message near the broker's limit must still fit when `clean` has added to it.
    """
    endless = "http://example.org/" + "x" * 300_000
    bench.publish(
        "urls",
        candidate(
            "http://example.com/a.jpg",
            page_url=endless,
            licence_url=endless,
            author="y" * 300_000,
            page_title="A page",
        ),
    )

    bench.validate(allow_private=False)

    (sent,), (row,) = passed_on(bench), bench.catalogue.images()
    assert (sent.page_url, sent.licence_url, sent.author, sent.page_title) == (
        None,
        None,
        "y" * MAX_TEXT_CHARS,
        "A page",
    )
    assert (row.page_url, row.author) == (None, sent.author)


def test_garbage_is_kept_aside_and_the_rest_goes_on(bench: Bench) -> None:
    """An undecodable message becomes a dead letter and stops nobody."""
    bench.bus.publish("urls", [(None, b"not json"), (None, json.dumps({"schema": 99}).encode())])
    bench.publish("urls", candidate("http://example.com/a.jpg"))

    tally = bench.validate(allow_private=False)

    assert (tally["verified"], tally.reasons) == (1, {"undecodable": 2})
    assert len(list(bench.bus.read("urls.dead"))) == 2


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("moment", ["publish", "published", "marked"])
def test_a_crash_at_any_moment_loses_no_candidate(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """
    Published first and marked second.

    In the other order, the repeated message would look known and be lost for ever.
    """
    bench.publish("urls", *(candidate(f"http://example.com/{n}.jpg") for n in range(5)))
    publish, mark = bench.bus.publish, bench.catalogue.add_verified

    def dying_publish(*arguments: object) -> None:
        if moment == "published":
            publish(*arguments)  # type: ignore[arg-type]
        raise Killed

    def dying_mark(*arguments: object) -> int:
        mark(*arguments)  # type: ignore[arg-type]
        raise Killed

    with monkeypatch.context() as patch:
        if moment == "marked":
            patch.setattr(bench.catalogue, "add_verified", dying_mark)
        else:
            patch.setattr(bench.bus, "publish", dying_publish)
        with pytest.raises(Killed):
            bench.validate(allow_private=False)

    bench.validate(allow_private=False)

    assert {one.url for one in passed_on(bench)} == {
        f"http://example.com/{n}.jpg" for n in range(5)
    }
    assert len(list(bench.catalogue.images())) == 5


def test_a_batch_costs_one_look_up(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many candidates are in a batch, the catalogue is asked once."""
    bench.publish("urls", *(candidate(f"http://example.com/{n}.jpg") for n in range(400)))
    asked: list[int] = []
    known = bench.catalogue.known

    def counted(ids: Collection[str]) -> set[str]:
        asked.append(len(ids))
        return known(ids)

    monkeypatch.setattr(bench.catalogue, "known", counted)

    bench.validate(allow_private=False)

    assert asked == [400]
