"""The one consume loop: poll, decode, handle, publish, finish, commit.

Each message goes through the steps in this order, whatever the stage. A stage handles a batch and
returns a future of its output, so a stage that has to wait can have several batches under way.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, Generic, Self, TypeVar

from celebcollect.bus.base import Bus, Item, Message, Subscription
from celebcollect.domain.tally import Tally
from celebcollect.stages.messages import decode_all, publish_what_fits
from celebcollect.stages.schedule import Schedule

log = logging.getLogger(__name__)

T = TypeVar("T")

_COMMIT_EVERY_S = 0.5
"""While there is work: what a crash may have repeated at most, beside the batches under way."""


@dataclass(frozen=True)
class Output:
    """What a batch leads to: messages to publish, then a last durable step before the commit."""

    publish: dict[str, list[Item]] = field(default_factory=dict)
    """Items by topic."""
    finish: Callable[[Collection[Item]], None] = lambda _: None
    """Runs after `publish` is durable, e.g. marking candidates as known. It is told which messages
    were not published because they are over the broker's limit."""


def handled(output: Output) -> Future[Output]:
    """Return the future of a batch that needs no waiting."""
    future: Future[Output] = Future()
    future.set_result(output)
    return future


@dataclass(frozen=True)
class Stage(Generic[T]):
    """A stage of the pipeline as the loop sees it."""

    group: str
    topics: Sequence[str]
    decode: Callable[[Message], T]
    """Raises ValueError for a message that it cannot understand."""
    handle: Callable[[list[T]], Future[Output]]
    """Begins a batch; called in the loop, while earlier batches are published and finished in other
    threads. Turns the faults of one item into counted reasons."""
    batch: int
    """Messages per poll. A batch must be done well within Kafka's max.poll.interval.ms (5
    minutes)."""
    ahead: int = 0
    """Batches to begin while the oldest has not ended, so that neither a slow item nor the waiting
    for log and disk keeps everything waiting. Batches end in their order."""
    close: Callable[[], None] = lambda: None
    """Gives up the batches that are not handled yet; called when the loop ends, however it ends.
    A later loop may use the stage again."""
    schedule: Schedule | None = None
    """Puts messages back on the stage's topics; the loop does not end while it is awaited."""


def consume(
    stage: Stage[T],
    bus: Bus,
    tally: Tally,
    *,
    stop: threading.Event,
    more_may_come: Callable[[], bool],
    limit: int | None = None,
    poll_s: float = 0.2,
) -> None:
    """
    Handle what is on the stage's topics.

    The loop ends when `stop` is set, when nothing is left and `more_may_come` says no, or when
    `limit` messages are done. On `stop`, batches that are handled are still published, finished and
    committed; the others are given up.

    At least once: a process that dies anywhere repeats what it had not committed. Undecodable
    messages go to `<topic>.dead`.
    """
    schedule = stage.schedule or Schedule(lambda _: None)
    schedule.start()
    allowed = math.inf if limit is None else limit
    try:
        with (
            bus.subscribe(stage.topics, stage.group) as subscription,
            _Pipeline(stage, bus, tally) as pipeline,
        ):
            committer = _Committer(subscription)
            while not stop.is_set():
                schedule.run(bus)
                # Asked before polling: what arrives in between is seen by this poll or by the lag.
                last_look = not more_may_come()
                size = int(min(stage.batch, allowed)) if pipeline.has_room() else 0
                messages = subscription.poll(size, 0 if pipeline else poll_s) if size else []
                if messages:
                    allowed -= len(messages)
                    pipeline.begin(messages)
                elif not pipeline:
                    committer.commit()
                    is_done = last_look and not schedule.is_awaited() and subscription.lag() == 0
                    if is_done or not allowed:
                        return
                    schedule.run_awaited(bus)
                may_poll = messages and pipeline.has_room()
                committer.add(pipeline.advance(0 if may_poll else poll_s))
            committer.add(pipeline.end())
            committer.commit()
    finally:
        stage.close()


class _Committer:
    """Commits messages whose outputs are durable; one commit for many batches takes no longer."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self._messages: list[Message] = []
        self._last = time.monotonic()

    def add(self, messages: Sequence[Message]) -> None:
        self._messages += messages
        if messages and time.monotonic() >= self._last + _COMMIT_EVERY_S:
            self.commit()

    def commit(self) -> None:
        if self._messages:
            self._subscription.commit(self._messages)
            self._messages = []
        self._last = time.monotonic()


@dataclass(frozen=True)
class _Batch:
    messages: Sequence[Message]
    letters: dict[str, list[Item]]
    output: Future[Output]


class _Pipeline(Generic[T]):
    """
    The batches under way, in their order: first being handled, then being published and finished.

    Publishing has a thread and finishing another one, so that one batch waits for the log while the
    one before it waits for the disk, and no two wait for one another. Leaving the pipeline waits
    for what the threads do.
    """

    def __init__(self, stage: Stage[T], bus: Bus, tally: Tally) -> None:
        self._stage, self._bus, self._tally = stage, bus, tally
        self._handling: deque[_Batch] = deque()
        self._ending: deque[tuple[_Batch, Future[None]]] = deque()
        self._publisher = ThreadPoolExecutor(1, thread_name_prefix=f"{stage.group}-publish")
        self._finisher = ThreadPoolExecutor(1, thread_name_prefix=f"{stage.group}-finish")

    def __len__(self) -> int:
        return len(self._handling) + len(self._ending)

    def has_room(self) -> bool:
        """Tell whether another batch may begin."""
        return len(self) <= self._stage.ahead

    def begin(self, messages: Sequence[Message]) -> None:
        """Decode messages and begin to handle them."""
        decoded, letters = decode_all(messages, self._stage.decode, self._tally)
        output = self._stage.handle(decoded) if decoded else handled(Output())
        self._handling.append(_Batch(messages, letters, output))

    def advance(self, wait_s: float) -> list[Message]:
        """Move batches on, after waiting for up to `wait_s`; return what is to be committed."""
        self._publish_handled()
        oldest: list[Future[Any]] = []
        if self._handling:
            oldest.append(self._handling[0].output)
        if self._ending:
            oldest.append(self._ending[0][1])
        if oldest and wait_s:
            wait(oldest, wait_s, return_when=FIRST_COMPLETED)
            self._publish_handled()
        messages: list[Message] = []
        while self._ending and self._ending[0][1].done():
            messages += self._ended()
        return messages

    def end(self) -> list[Message]:
        """Wait until what is handled is published and finished; return its messages."""
        self._publish_handled()
        messages: list[Message] = []
        while self._ending:
            messages += self._ended()
        return messages

    def _publish_handled(self) -> None:
        while self._handling and self._handling[0].output.done():
            batch = self._handling.popleft()
            output = batch.output.result()
            published = self._publisher.submit(self._publish, batch.letters, output)
            ended = self._finisher.submit(_finish, batch.messages, output, published)
            self._ending.append((batch, ended))

    def _publish(self, letters: dict[str, list[Item]], output: Output) -> list[Item]:
        """Publish, and return what the topics do not take."""
        for topic, items in letters.items():
            publish_what_fits(self._bus, topic, items, self._tally)
        too_large: list[Item] = []
        for topic, items in output.publish.items():
            if items:
                too_large += publish_what_fits(self._bus, topic, items, self._tally)
        return too_large

    def _ended(self) -> Sequence[Message]:
        batch, ended = self._ending.popleft()
        ended.result()
        return batch.messages

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for thread in (self._publisher, self._finisher):
            thread.shutdown(cancel_futures=True)


def _finish(messages: Sequence[Message], output: Output, published: Future[list[Item]]) -> None:
    output.finish(published.result())
    last = messages[-1]
    log.debug(
        "batch done messages=%d last=%s/%d/%d",
        len(messages),
        last.topic,
        last.partition,
        last.offset,
    )
