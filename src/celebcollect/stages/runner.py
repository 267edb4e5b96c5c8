"""The one consume loop: poll, decode, handle, publish, finish, commit - in this order for each message, whatever the stage."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import Generic, Self, TypeVar

from pydantic import ValidationError

from celebcollect.bus import dead
from celebcollect.bus.base import Bus, Item, Message, Subscription
from celebcollect.domain.errors import MessageTooLarge
from celebcollect.domain.records import ImageCandidate
from celebcollect.domain.tally import Tally
from celebcollect.stages.reasons import MessageReason

log = logging.getLogger(__name__)

T = TypeVar("T")

_DUE_EVERY_S = 600.0

_COMMIT_EVERY_S = 0.5
"""While there is work: what a crash may have repeated at most, beside the batches under way."""


@dataclass(frozen=True)
class Output:
    """What a batch leads to: messages to publish, and then a last durable step before the input is committed."""

    publish: dict[str, list[Item]] = field(default_factory=dict)
    """Items by topic."""
    finish: Callable[[Collection[Item]], None] = lambda _: None
    """Runs after `publish` is durable, e.g. marking candidates as known; told which messages of it
    are not, being over the broker's limit."""
    ready: Callable[[float], bool] = lambda _: True
    """Waits up to so many seconds and tells whether `finish` may run; until then the loop may go on
    with the next batch (`Stage.ahead`)."""


@dataclass(frozen=True)
class Stage(Generic[T]):
    """A stage of the pipeline as the loop sees it. `handle` turns the faults of one item into counted reasons."""

    group: str
    topics: Sequence[str]
    decode: Callable[[Message], T]
    """Raises ValueError for a message that it cannot understand."""
    handle: Callable[[list[T]], Output]
    batch: int
    """Messages per poll. A batch must be done well within Kafka's max.poll.interval.ms (5
    minutes)."""
    ahead: int = 0
    """Batches to begin while the oldest is not ready, so that one slow item does not keep
    everything waiting. Batches end in their order."""
    background: bool = False
    """Publish in a thread and finish in another, to spend the waiting for log and disk on the next
    batches; `handle` then runs beside `finish`."""
    close: Callable[[], None] = lambda: None
    """Gives up what `handle` has begun and did not end; called when the loop ends, however it ends.
    A later loop may use the stage again."""
    due: Callable[[Bus], object] = lambda _: None
    """Puts messages whose time has come back on the stage's topics; called when the loop begins,
    and every ten minutes."""
    due_in_s: Callable[[], float | None] = lambda: None
    """In how many seconds to call `due` instead; as long as this is not None the loop does not end
    by itself."""


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
    Handle what is on the stage's topics until `stop` is set, until nothing is left and `more_may_come` says no, or until `limit` messages are done.

    At least once: a process that dies anywhere repeats what it had not committed. Undecodable
    messages go to `<topic>.dead`.
    """
    under_way: deque[_Batch] = deque()
    allowed = math.inf if limit is None else limit
    look_for_due = 0.0
    try:
        with (
            bus.subscribe(stage.topics, stage.group) as subscription,
            _Ending(stage, bus, tally) as ending,
        ):
            done = _Done(subscription)
            while not stop.is_set():
                if time.monotonic() >= look_for_due:
                    stage.due(bus)
                    look_for_due = time.monotonic() + _DUE_EVERY_S
                # Asked before polling: what arrives in between is seen by this poll or by the lag.
                last_look = not more_may_come()
                room = min(stage.batch, allowed) if len(under_way) <= stage.ahead else 0
                messages = subscription.poll(int(room), 0 if under_way else poll_s) if room else []
                if messages:
                    allowed -= len(messages)
                    under_way.append(ending.begin(_begin(stage, messages, tally)))
                elif not under_way:
                    done.commit()
                    due_in_s = stage.due_in_s()
                    if not allowed or (last_look and due_in_s is None and subscription.lag() == 0):
                        return
                    if due_in_s is not None:
                        look_for_due = min(look_for_due, time.monotonic() + due_in_s)
                wait_s = 0 if messages and len(under_way) <= stage.ahead else poll_s
                while under_way and under_way[0].ready(wait_s):
                    done.add(ending.end(under_way.popleft()))
                    wait_s = 0
            # What is ended in the background cannot be given up half-way.
            while under_way and stage.background:
                done.add(ending.end(under_way.popleft()))
            done.commit()
    finally:
        stage.close()


class _Done:
    """Messages whose outputs are durable, on the way to being committed: a commit takes as long for many batches as for one."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self._messages: list[Message] = []
        self._last = time.monotonic()

    def add(self, messages: Sequence[Message]) -> None:
        self._messages += messages
        if time.monotonic() >= self._last + _COMMIT_EVERY_S:
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
    output: Output
    ended: Future[None] | None = None
    """Its end in the background, where it has one."""

    def ready(self, wait_s: float) -> bool:
        return bool(wait([self.ended], wait_s).done) if self.ended else self.output.ready(wait_s)


class _Ending(Generic[T]):
    """Ends batches, in their order: in the loop, or in threads beside it. Leaving it waits for what the threads do."""

    def __init__(self, stage: Stage[T], bus: Bus, tally: Tally) -> None:
        self._bus, self._tally = bus, tally
        # One thread each, so that a batch waits for the log while the one before it waits for the
        # disk, and no two of them for one another.
        self._threads = [
            ThreadPoolExecutor(1, thread_name_prefix=f"{stage.group}-{does}")
            for does in ("publish", "finish")
            if stage.background
        ]

    def begin(self, batch: _Batch) -> _Batch:
        if not self._threads:
            return batch
        publishing, finishing = self._threads
        published = publishing.submit(_publish, batch, self._bus, self._tally)
        return replace(batch, ended=finishing.submit(lambda: _finish(batch, published.result())))

    def end(self, batch: _Batch) -> Sequence[Message]:
        if batch.ended:
            batch.ended.result()
        else:
            _finish(batch, _publish(batch, self._bus, self._tally))
        return batch.messages

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for thread in self._threads:
            thread.shutdown(cancel_futures=True)


def _begin(stage: Stage[T], messages: Sequence[Message], tally: Tally) -> _Batch:
    decoded: list[T] = []
    letters: dict[str, list[Item]] = {}
    for message in messages:
        try:
            decoded.append(stage.decode(message))
        except ValueError as error:
            reason = explain(error)
            log.warning(
                "undecodable message topic=%s partition=%d offset=%d error=%s",
                message.topic,
                message.partition,
                message.offset,
                reason,
            )
            letters.setdefault(dead.dead_topic(message.topic), []).append(
                dead.encode(message, reason)
            )
            tally.drop(MessageReason.UNDECODABLE)
    return _Batch(messages, letters, stage.handle(decoded) if decoded else Output())


def _publish(batch: _Batch, bus: Bus, tally: Tally) -> list[Item]:
    """Return what the topic does not take."""
    for topic, letters in batch.letters.items():
        publish_what_fits(bus, topic, letters, tally)
    return [
        item
        for topic, items in batch.output.publish.items()
        if items
        for item in publish_what_fits(bus, topic, items, tally)
    ]


def _finish(batch: _Batch, too_large: Sequence[Item]) -> None:
    batch.output.finish(too_large)
    log.debug(
        "batch done messages=%d last=%s/%d/%d",
        len(batch.messages),
        *_coordinates(batch.messages[-1]),
    )


def publish_what_fits(bus: Bus, topic: str, items: Sequence[Item], tally: Tally) -> Sequence[Item]:
    """Publish messages; return those over the broker's limit, each a counted loss, because no repetition will make it fit."""
    try:
        bus.publish(topic, items)
    except MessageTooLarge as error:
        log.warning(
            "%s keys=%.200s hint=%s", error.message, [key for key, _ in error.items], error.hint
        )
        tally.drop(MessageReason.MESSAGE_TOO_LARGE, len(error.items))
        return error.items
    return ()


def decode_candidate(message: Message) -> ImageCandidate:
    """
    Read a candidate message.

    Raises:
        ValueError: An empty message, no JSON, a missing or wrong field, another schema.
    """
    if message.value is None:
        raise ValueError("empty message")
    return ImageCandidate.model_validate_json(message.value)


def explain(error: ValueError) -> str:
    """Return one line that names the first problem, without repeating the input."""
    if isinstance(error, ValidationError):
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in problem["loc"])
        return f"{where}: {problem['msg']}" if where else str(problem["msg"])
    return str(error)


def _coordinates(message: Message) -> tuple[str, int, int]:
    return message.topic, message.partition, message.offset
