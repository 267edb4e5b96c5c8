"""The consume loop: several batches under way, waiting, stopping and limits."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from celebcollect.bus.base import Bus, Item
from celebcollect.bus.sqlite.bus import EmbeddedBus
from celebcollect.domain.tally import Tally
from celebcollect.stages.runner import Output, consume, handled
from celebcollect.stages.schedule import Schedule
from stages.runner_steps import Crash, Doubling, drain, values


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[EmbeddedBus]:
    bus = EmbeddedBus(tmp_path / "log")
    yield bus
    bus.close()


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


def stopped_while_handling(bus: EmbeddedBus, **changes: Any) -> Doubling:
    """Consume nine messages until the first batch, while it is handled, tells to stop."""
    bus.publish("in", [(None, str(n).encode()) for n in range(9)])
    stop = threading.Event()
    doubling = Doubling()

    def handle(texts: list[str]) -> Future[Output]:
        stop.set()
        return doubling.handle(texts)

    consume(
        replace(doubling.stage(), handle=handle, **changes),
        bus,
        Tally(),
        stop=stop,
        more_may_come=lambda: True,
        poll_s=0.01,
    )
    return doubling


def test_a_stop_lets_what_is_handled_end(bus: EmbeddedBus) -> None:
    """What was polled is finished and committed."""
    doubling = stopped_while_handling(bus, ahead=1)

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
    doubling = stopped_while_handling(bus)

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
