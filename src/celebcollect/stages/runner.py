"""The one consume loop: poll, decode, handle, publish, finish, commit - in this order for each batch, whatever the stage."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pydantic import ValidationError

from celebcollect.bus import dead
from celebcollect.bus.base import Bus, Item, Message
from celebcollect.errors import MessageTooLarge
from celebcollect.records import ImageCandidate
from celebcollect.report import Tally

log = logging.getLogger(__name__)

T = TypeVar("T")

_DUE_EVERY_S = 600.0


@dataclass(frozen=True)
class Output:
    """What a batch leads to: messages to publish, and then a last durable step before the input is committed."""

    publish: dict[str, list[Item]] = field(default_factory=dict)
    """Items by topic."""
    finish: Callable[[], None] = lambda: None
    """Runs after everything in `publish` is durable, e.g. marking candidates as known."""
    ready: Callable[[float], bool] = lambda _: True
    """Waits up to so many seconds and tells whether `finish` may run; until then the loop may go on with the next batch (`Stage.ahead`)."""


@dataclass(frozen=True)
class Stage(Generic[T]):
    """A stage of the pipeline as the loop sees it. `handle` turns the faults of one item into counted reasons."""

    group: str
    topics: Sequence[str]
    decode: Callable[[Message], T]
    """Raises ValueError for a message that it cannot understand."""
    handle: Callable[[list[T]], Output]
    batch: int
    """Messages per poll. A batch must be done well within Kafka's max.poll.interval.ms (5 minutes)."""
    ahead: int = 0
    """Batches to begin while the oldest is not ready, so that one slow item does not keep everything waiting. Batches end in their order."""
    close: Callable[[], None] = lambda: None
    """Gives up what `handle` has begun and did not end; called when the loop ends, however it ends. A later loop may use the stage again."""
    due: Callable[[Bus], object] = lambda _: None
    """Puts messages whose time has come back on the stage's topics; called when the loop begins, and every ten minutes."""


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

    At least once: a process that dies anywhere repeats what it had not committed. Undecodable messages go to `<topic>.dead`.
    """
    under_way: deque[_Batch] = deque()
    allowed = math.inf if limit is None else limit
    look_for_due = 0.0
    try:
        with bus.subscribe(stage.topics, stage.group) as subscription:
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
                    under_way.append(_begin(stage, messages, tally))
                elif not under_way and (not allowed or (last_look and subscription.lag() == 0)):
                    return
                wait_s = 0 if messages and len(under_way) <= stage.ahead else poll_s
                while under_way and under_way[0].output.ready(wait_s):
                    batch = under_way.popleft()
                    _end(batch, bus, tally)
                    subscription.commit(batch.messages)
                    wait_s = 0
    finally:
        stage.close()


@dataclass(frozen=True)
class _Batch:
    messages: Sequence[Message]
    letters: dict[str, list[Item]]
    output: Output


def _begin(stage: Stage[T], messages: Sequence[Message], tally: Tally) -> _Batch:
    decoded: list[T] = []
    letters: dict[str, list[Item]] = {}
    for message in messages:
        try:
            decoded.append(stage.decode(message))
        except ValueError as error:
            reason = explain(error)
            log.warning("undecodable message topic=%s partition=%d offset=%d error=%s", message.topic, message.partition, message.offset, reason)
            letters.setdefault(dead.dead_topic(message.topic), []).append(dead.encode(message, reason))
            tally.drop("undecodable")
    return _Batch(messages, letters, stage.handle(decoded) if decoded else Output())


def _end(batch: _Batch, bus: Bus, tally: Tally) -> None:
    for topic, items in (*batch.letters.items(), *batch.output.publish.items()):
        if items:
            publish_what_fits(bus, topic, items, tally)
    batch.output.finish()
    log.debug("batch done messages=%d last=%s/%d/%d", len(batch.messages), *_coordinates(batch.messages[-1]))


def publish_what_fits(bus: Bus, topic: str, items: Sequence[Item], tally: Tally) -> None:
    """Publish messages; one that is over the broker's limit is a counted loss, because no repetition will make it fit."""
    try:
        bus.publish(topic, items)
    except MessageTooLarge as error:
        log.warning("%s keys=%.200s hint=%s", error.message, error.keys, error.hint)
        tally.drop("message_too_large", len(error.keys))


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
