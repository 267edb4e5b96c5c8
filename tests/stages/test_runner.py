"""The consume loop: its order, its dead letters, and a fault at every step of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest

from celebcollect.bus import dead
from celebcollect.bus.base import Message
from celebcollect.bus.sqlite.bus import EmbeddedBus
from celebcollect.bus.sqlite.consumer import EmbeddedSubscription
from celebcollect.domain.tally import Tally
from celebcollect.stages.messages import decode_candidate
from celebcollect.stages.runner import Output, Stage, consume, handled
from stages.runner_steps import Crash, Doubling, drain, values

GOOD = {
    "schema": 1,
    "qid": "Q42",
    "name": "Douglas Adams",
    "url": "https://example.org/a.jpg",
    "source": "test",
}


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[EmbeddedBus]:
    bus = EmbeddedBus(tmp_path / "log")
    yield bus
    bus.close()


def test_everything_is_passed_on_and_committed(bus: EmbeddedBus) -> None:
    """A drained stage has handled every message once and left no lag."""
    bus.publish("in", [(None, str(n).encode()) for n in range(10)])
    doubling = Doubling()

    drain(doubling.stage(), bus)

    assert values(bus, "out") == [str(n) for n in range(10)]
    with bus.subscribe(["in"], "doubling") as subscription:
        assert subscription.lag() == 0


@pytest.mark.parametrize("step", ["decode", "handle", "publish", "finish", "finished", "commit"])
def test_a_consumer_that_dies_at_any_step_repeats_and_loses_nothing(
    bus: EmbeddedBus, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """
    Whatever the step, the next consumer ends with the same effects.

    A message is repeated at most, never lost.
    """
    bus.publish("in", [(None, str(n).encode()) for n in range(7)])
    doubling = Doubling(crash_at=step)
    with monkeypatch.context() as patch:
        if step == "publish":
            patch.setattr(bus, "publish", dies_in(bus.publish))
        if step == "commit":
            subscribe = bus.subscribe

            def with_dying_commit(topics: list[str], group: str) -> EmbeddedSubscription:
                subscription = subscribe(topics, group)
                patch.setattr(subscription, "commit", dies_in(subscription.commit))
                return subscription

            patch.setattr(bus, "subscribe", with_dying_commit)
        with pytest.raises(Crash):
            drain(doubling.stage(), bus)

    drain(doubling.stage(), bus)

    assert doubling.kept == {str(n) for n in range(7)}
    assert set(values(bus, "out")) == {str(n) for n in range(7)}
    repeated = len(values(bus, "out")) - 7
    # Commits are gathered: one that fails may be of several batches.
    expected = {"finish": 3, "finished": 3, "commit": 7}.get(step, 0)
    assert repeated == expected, "exactly what was durable and not committed is repeated"


@pytest.mark.parametrize("step", ["publish", "finish", "finished", "commit"])
def test_a_stage_with_several_batches_under_way_loses_nothing_either(
    bus: EmbeddedBus, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """
    A fault in a thread ends the loop with that fault.

    Nothing behind it is committed, and the next consumer ends with the same effects.
    """
    bus.publish("in", [(None, str(n).encode()) for n in range(30)])
    doubling = Doubling(crash_at=step)
    with monkeypatch.context() as patch:
        if step == "publish":
            patch.setattr(bus, "publish", dies_in(bus.publish))
        if step == "commit":
            patch.setattr(EmbeddedSubscription, "commit", dies_in(EmbeddedSubscription.commit))
        with pytest.raises(Crash):
            drain(replace(doubling.stage(), ahead=1), bus)

    drain(replace(doubling.stage(), ahead=1), bus)

    assert doubling.kept == {str(n) for n in range(30)}
    assert set(values(bus, "out")) == {str(n) for n in range(30)}


def dies_in(call: Callable[..., object]) -> Callable[..., object]:
    def dying(*arguments: object) -> object:
        raise Crash(call.__name__)

    return dying


@pytest.mark.parametrize(
    ("garbage", "error"),
    [
        (b"\xff\xfe no text", "Invalid JSON"),
        (b"not json", "Invalid JSON"),
        (b"[]", "object"),
        (b"null", "object"),
        (b"", "Invalid JSON"),
        (None, "empty message"),
        (b'{"schema": 1}', "qid"),
        (json.dumps({**GOOD, "schema": 2}).encode(), "schema"),
        (json.dumps({**GOOD, "qid": "../../etc/passwd"}).encode(), "qid"),
        (json.dumps({**GOOD, "qid": 42}).encode(), "qid"),
        (json.dumps({**GOOD, "name": "\u202e\u0000"}).encode(), "name"),
        (json.dumps({**GOOD, "url": ""}).encode(), "url"),
        (json.dumps({**GOOD, "rank": "first"}).encode(), "rank"),
        (
            b'{"name": "\\ud800", "schema": 1, "qid": "Q1", "url": "http://a.org", "source": "s"}',
            "",
        ),
        (b"[" * 100_000, ""),
    ],
)
def test_garbage_becomes_a_dead_letter_with_its_bytes_and_coordinates(
    bus: EmbeddedBus, garbage: bytes | None, error: str
) -> None:
    """An undecodable message is kept whole, and the good one behind it is handled."""
    bus.publish("in", [("key", garbage), ("Q42", json.dumps(GOOD).encode())])
    seen: list[str] = []

    def handle(batch: list[object]) -> Future[Output]:
        seen.extend(candidate.qid for candidate in batch)  # type: ignore[attr-defined]
        return handled(Output())

    tally = Tally()
    stage = Stage(group="g", topics=("in",), decode=decode_candidate, handle=handle, batch=10)
    consume(stage, bus, tally, stop=threading.Event(), more_may_come=lambda: False, poll_s=0.01)

    (letter,) = [dead.decode(message.value or b"") for message in bus.read("in.dead")]
    assert (letter.value, letter.key, letter.topic) == (garbage, "key", "in")
    assert error in letter.error
    assert seen == ["Q42"]
    assert tally.reasons == {"undecodable": 1}


def test_unknown_fields_are_no_error() -> None:
    """A message of somebody else's scraper may say more than we know."""
    message = Message(
        "in", 0, 0, "Q42", json.dumps({**GOOD, "mood": "happy", "rank": 3}).encode(), 0
    )

    candidate = decode_candidate(message)

    assert (candidate.rank, candidate.url) == (3, GOOD["url"])
