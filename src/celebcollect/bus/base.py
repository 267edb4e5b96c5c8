"""What the pipeline needs from a message log, whoever keeps it: the embedded log or Apache Kafka.

The delivery rule of every backend is *at least once*: `publish` returns when the messages are
durable, and a message counts as consumed only when it is committed. Handle the batch, make its
outputs durable, then commit its input.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, Self, runtime_checkable

from pydantic import TypeAdapter, ValidationError

from celebcollect.config.fields import DEAD as DEAD
from celebcollect.config.fields import Topic
from celebcollect.domain.errors import UsageError

Item = tuple[str | None, bytes | None]
"""Key and value to publish; a None value withdraws the key on a compacted topic."""

_TOPIC: TypeAdapter[str] = TypeAdapter(Topic)


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it was read; topic, partition and offset are its coordinates."""

    topic: str
    partition: int
    offset: int
    key: str | None
    value: bytes | None
    timestamp_ms: int
    """When it was published, milliseconds since 1970 UTC."""
    raw_key: bytes | None = None
    """The key's bytes where they are not UTF-8 (`key` is None then)."""


@dataclass(frozen=True, slots=True)
class TopicInfo:
    """One topic's size, and how far behind each consumer group is that ever committed on it."""

    name: str
    messages: int
    lag: Mapping[str, int]
    partitions: int = 1


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic that the pipeline needs."""

    name: str
    compacted: bool = False
    """Keep only the newest message of each key."""


def encode_key(key: str | None) -> bytes | None:
    """
    Return a key's bytes.

    A lone surrogate (JSON may escape one) becomes bytes that are not UTF-8, never an error.
    """
    return None if key is None else key.encode("utf-8", "surrogatepass")


def decode_key(raw: bytes | None) -> tuple[str | None, bytes | None]:
    """Return `Message.key` and `Message.raw_key` of a key's bytes."""
    if raw is None:
        return None, None
    try:
        return raw.decode(), None
    except UnicodeDecodeError:
        return None, raw


def check_topic(name: str) -> None:
    """
    Refuse a name that Kafka would refuse, whichever backend is in use.

    Raises:
        UsageError: The name is no name for a topic.
    """
    try:
        _TOPIC.validate_python(name)
    except ValidationError as error:
        raise UsageError(
            f"{name!a} is no name for a topic: it {error.errors()[0]['ctx']['error']}",
            hint="`celebcollect topics list` shows the names in use.",
        ) from None


class Subscription(Protocol):
    """A consumer group's place on its topics. To be used by one thread."""

    def poll(self, limit: int, timeout_s: float) -> list[Message]:
        """
        Return up to `limit` new messages; an empty list after `timeout_s` without any.

        They are in order within a partition.
        Messages that were returned and not committed are not returned again by this subscription,
        but by the next one.
        """
        ...

    def commit(self, messages: Sequence[Message]) -> None:
        """
        Mark messages (whole batches, as polled) as done; durable on return.

        Call it after their outputs are durable.
        """
        ...

    def lag(self) -> int:
        """Return how many messages the group has not committed yet; 0 means drained."""
        ...

    def close(self) -> None:
        """Leave the group; what was not committed will be delivered again."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class Bus(Protocol):
    """
    A durable log of named topics.

    `publish` and the read-only methods may be called from any thread.
    """

    kind: Literal["embedded", "kafka"]

    def ensure(self, topics: Iterable[TopicSpec]) -> None:
        """Create the topics that are missing; tell of existing ones that differ."""
        ...

    def publish(self, topic: str, items: Iterable[Item]) -> None:
        """
        Append messages to a topic; return when all of them are durable. Creates a missing topic.

        Raises:
            MessageTooLarge: Some are over the broker's limit, for ever; all the others are durable.
            BusError: Not all messages could be made durable; some may have been, publish them
                again.
        """
        ...

    def subscribe(self, topics: Iterable[str], group: str) -> Subscription:
        """
        Join a consumer group; a new group starts at the beginning of each topic.

        Creates missing topics.

        Raises:
            Busy: The backend allows one live consumer per group, and another process has it.
        """
        ...

    def topics(self, names: Collection[str] | None = None) -> list[TopicInfo]:
        """
        Return those topics of `names` that are there, by name, with their lags; None: all.

        A cluster may be shared with hundreds of topics and groups of others, so whoever looks again
        and again names what it wants to know about. Nothing is made by that.
        """
        ...

    def read(self, topic: str, *, last: int | None = None) -> Iterator[Message]:
        """
        Read what is on a topic now, outside any group, oldest first.

        It is read from its beginning, or only its newest `last` messages.

        Raises:
            UsageError: There is no such topic (raised by the call itself, not by the first step of
                the iterator).
        """
        ...

    def close(self) -> None:
        """Close everything that is open."""
        ...


def our_topics(bus: Bus, names: Iterable[str]) -> list[TopicInfo]:
    """
    Return the pipeline's topics that are there, with their dead letters.

    The embedded log is ours alone: what somebody published on another topic of it belongs to us
    too. A cluster may be shared.
    """
    if bus.kind == "embedded":
        return bus.topics()
    return bus.topics({name for topic in names for name in (topic, topic + DEAD)})


@runtime_checkable
class Purging(Protocol):
    """
    A log that can remove single messages for good.

    Kafka cannot: it loses them by retention, or by a newer message on a compacted topic.
    """

    def purge(self, about: Callable[[Message], bool]) -> dict[str, int]:
        """
        Remove the messages that `about` picks, from all topics; return how many of each topic.

        They are gone for good, from the log's files too. Consumers pass over them, and no lag
        counts them.

        Raises:
            BusError: The log cannot be written, or somebody keeps reading an old state of it; what
                was picked so far is removed.
        """
        ...
