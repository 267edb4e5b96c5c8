"""The consume loop: its order, its dead letters, and a fault at every step of it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from celebcollect.bus import dead
from celebcollect.bus.base import Bus, Item, Message
from celebcollect.bus.sqlite.bus import EmbeddedBus
from celebcollect.bus.sqlite.consumer import EmbeddedSubscription
from celebcollect.domain.tally import Tally
from celebcollect.stages.messages import decode_candidate
from celebcollect.stages.runner import Output, Stage, consume, handled
from celebcollect.stages.schedule import Schedule

GOOD = {
    "schema": 1,
    "qid": "Q42",
    "name": "Douglas Adams",
    "url": "https://example.org/a.jpg",
    "source": "test",
}


class Crash(BaseException):
    """The process dies here: nothing after this line runs."""


@dataclass
class Doubling:
    """
    A stage with an idempotent effect.

    It passes each text on and keeps it in a set, as a catalogue would.
    """

    kept: set[str] = field(default_factory=set)
    crash_at: str = ""

    def stage(self) -> Stage[str]:
        return Stage(
            group="doubling", topics=("in",), decode=self.decode, handle=self.handle, batch=3
        )

    def decode(self, message: Message) -> str:
        self.step("decode")
        return (message.value or b"").decode()

    def handle(self, texts: list[str]) -> Future[Output]:
        self.step("handle")

        def finish(_: object) -> None:
            self.step("finish")
            self.kept.update(texts)
            self.step("finished")

        return handled(Output({"out": [(text, text.encode()) for text in texts]}, finish))

    def step(self, name: str) -> None:
        if self.crash_at == name:
            self.crash_at = ""
            raise Crash(name)


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[EmbeddedBus]:
    bus = EmbeddedBus(tmp_path / "log")
    yield bus
    bus.close()


def drain(stage: Stage[str], bus: EmbeddedBus, tally: Tally | None = None) -> None:
    consume(
        stage,
        bus,
        tally or Tally(),
        stop=threading.Event(),
        more_may_come=lambda: False,
        poll_s=0.01,
    )


def values(bus: EmbeddedBus, topic: str) -> list[str]:
    return [(message.value or b"").decode() for message in bus.read(topic)]


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


def test_the_next_batch_is_handled_while_one_ends(bus: EmbeddedBus) -> None:
    """The second batch is begun before the first one is published; both end in their order."""
    bus.publish("in", [(None, str(n).encode()) for n in range(6)])
    second_begun = threading.Event()
    doubling = Doubling()
    stage = doubling.stage()

    def handle(texts: list[str]) -> Future[Output]:
        output = doubling.handle(texts).result()
        if texts[0] == "3":
            second_begun.set()
            return handled(output)

        def finish(too_large: Collection[Item]) -> None:
            assert second_begun.wait(10)
            output.finish(too_large)

        return handled(replace(output, finish=finish))

    drain(replace(stage, handle=handle, ahead=1), bus)

    assert values(bus, "out") == [str(n) for n in range(6)]
    assert doubling.kept == {str(n) for n in range(6)}


def test_a_stop_lets_what_is_handled_end(bus: EmbeddedBus) -> None:
    """What was polled is finished and committed."""
    bus.publish("in", [(None, str(n).encode()) for n in range(9)])
    stop = threading.Event()
    doubling = Doubling()
    stage = doubling.stage()

    def handle(texts: list[str]) -> Future[Output]:
        stop.set()
        return doubling.handle(texts)

    consume(
        replace(stage, handle=handle, ahead=1),
        bus,
        Tally(),
        stop=stop,
        more_may_come=lambda: True,
        poll_s=0.01,
    )

    with bus.subscribe(["in"], "doubling") as subscription:
        assert subscription.lag() == 9 - len(doubling.kept)
    assert len(doubling.kept) in (3, 6)


def test_a_batch_that_is_awaited_lets_the_next_ones_begin(bus: EmbeddedBus) -> None:
    """The oldest batch becomes ready last, and all are published and finished in their order."""
    bus.publish("in", [(None, str(n).encode()) for n in range(9)])
    doubling = Doubling()
    waiting: list[tuple[Future[Output], Output]] = []

    def handle(texts: list[str]) -> Future[Output]:
        waiting.append((Future(), doubling.handle(texts).result()))
        future = waiting[-1][0]
        if texts[0] == "6":
            for one, output in reversed(waiting):
                one.set_result(output)
        return future

    drain(replace(doubling.stage(), handle=handle, ahead=2), bus)

    assert len(waiting) == 3
    assert values(bus, "out") == [str(n) for n in range(9)]


def test_no_more_batches_begin_than_may_be_ahead(bus: EmbeddedBus) -> None:
    """One batch beside the oldest means two under way, however long the oldest takes."""
    bus.publish("in", [(None, str(n).encode()) for n in range(12)])
    stop, begun = threading.Event(), list[Future[Output]]()

    def handle(_: list[str]) -> Future[Output]:
        begun.append(Future())
        if len(begun) == 2:
            threading.Timer(0.2, stop.set).start()
        return begun[-1]

    consume(
        replace(Doubling().stage(), handle=handle, ahead=1),
        bus,
        Tally(),
        stop=stop,
        more_may_come=lambda: True,
        poll_s=0.01,
    )

    assert len(begun) == 2


def test_a_stop_gives_up_what_is_not_handled(bus: EmbeddedBus) -> None:
    """A batch that is still awaited is repeated by the next run; so is a ready one behind it."""
    bus.publish("in", [(None, str(n).encode()) for n in range(9)])
    stop, closed = threading.Event(), threading.Event()
    doubling = Doubling()

    def handle(texts: list[str]) -> Future[Output]:
        if texts[0] == "3":
            return Future()
        if texts[0] == "6":
            stop.set()
        return doubling.handle(texts)

    consume(
        replace(doubling.stage(), handle=handle, ahead=2, close=closed.set),
        bus,
        Tally(),
        stop=stop,
        more_may_come=lambda: True,
        poll_s=0.01,
    )

    assert closed.is_set()
    assert doubling.kept == {"0", "1", "2"}
    with bus.subscribe(["in"], "doubling") as subscription:
        assert subscription.lag() == 6


def test_an_error_of_an_awaited_batch_ends_the_loop(bus: EmbeddedBus) -> None:
    """Nothing of it is committed."""
    bus.publish("in", [(None, b"0")])

    def handle(_: list[str]) -> Future[Output]:
        failed: Future[Output] = Future()
        failed.set_exception(Crash("handle"))
        return failed

    with pytest.raises(Crash):
        drain(replace(Doubling().stage(), handle=handle), bus)

    with bus.subscribe(["in"], "doubling") as subscription:
        assert subscription.lag() == 1


def test_a_schedule_is_asked_at_the_beginning_and_when_it_is_awaited(bus: EmbeddedBus) -> None:
    """The loop waits for messages that will be due in a moment, and ends when none is awaited."""
    doubling, runs = Doubling(), list[float]()

    def publish_due(bus: Bus) -> None:
        runs.append(time.monotonic())
        bus.publish("in", [(None, str(len(runs)).encode())])
        if len(runs) == 1:
            schedule.wake(0.2)

    schedule = Schedule(publish_due)
    drain(replace(doubling.stage(), schedule=schedule), bus)
    first, second = runs

    assert second - first >= 0.2
    assert doubling.kept == {"1", "2"}
    assert not schedule.is_awaited()

    drain(replace(doubling.stage(), schedule=schedule), bus)
    assert len(runs) == 3, "each loop begins with a look"


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


def test_a_stage_waits_while_more_may_come(bus: EmbeddedBus) -> None:
    """The loop ends only when its upstream has ended and what that published is handled."""
    doubling = Doubling()
    upstream_done = threading.Event()
    published = threading.Event()

    def upstream() -> None:
        bus.publish("in", [(None, b"late")])
        published.set()
        upstream_done.set()

    threading.Timer(0.15, upstream).start()
    consume(
        doubling.stage(),
        bus,
        Tally(),
        stop=threading.Event(),
        more_may_come=lambda: not upstream_done.is_set(),
        poll_s=0.01,
    )

    assert published.is_set()
    assert doubling.kept == {"late"}


def test_stop_ends_the_loop_between_two_batches(bus: EmbeddedBus) -> None:
    """What was polled is finished and committed, the rest waits for the next consumer."""
    bus.publish("in", [(None, str(n).encode()) for n in range(9)])
    stop = threading.Event()
    doubling = Doubling()
    stage = doubling.stage()

    def handle(texts: list[str]) -> Future[Output]:
        stop.set()
        return doubling.handle(texts)

    consume(
        Stage(stage.group, stage.topics, stage.decode, handle, stage.batch),
        bus,
        Tally(),
        stop=stop,
        more_may_come=lambda: True,
        poll_s=0.01,
    )

    assert doubling.kept == {"0", "1", "2"}
    with bus.subscribe(["in"], "doubling") as subscription:
        assert subscription.lag() == 6


def test_a_limit_ends_the_loop_after_so_many_messages(bus: EmbeddedBus) -> None:
    """Not one more is polled; the next run goes on there."""
    bus.publish("in", [(None, f"{n}".encode()) for n in range(10)])
    doubling = Doubling()

    consume(
        doubling.stage(),
        bus,
        Tally(),
        stop=threading.Event(),
        more_may_come=lambda: True,
        limit=4,
        poll_s=0.01,
    )

    assert values(bus, "out") == ["0", "1", "2", "3"]
    drain(doubling.stage(), bus)
    assert values(bus, "out") == [f"{n}" for n in range(10)]
