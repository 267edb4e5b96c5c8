"""The librdkafka settings of our clients.

The user's, checked, stand between our defaults and what may not be changed.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any, TypeVar

from confluent_kafka import KafkaException, Producer

from celebcollect.config.sections import KafkaConfig
from celebcollect.domain.errors import ConfigError

log = logging.getLogger(__name__)

C = TypeVar("C")
Options = dict[str, Any]

_OWN_KEY = dict.fromkeys(
    ("bootstrap.servers", "metadata.broker.list"),
    "it has a key of its own, [kafka] bootstrap_servers",
)
_SAFETY = dict.fromkeys(
    (
        "acks",
        "request.required.acks",
        "enable.idempotence",
        "transactional.id",
        "message.timeout.ms",
        "delivery.timeout.ms",
        "retries",
        "message.send.max.retries",
        "enable.auto.commit",
        "enable.auto.offset.store",
        "auto.offset.reset",
        "enable.partition.eof",
        "group.id",
        "group.protocol",
        "partition.assignment.strategy",
    ),
    "celebcollect sets it so that no message is lost",
)

_NO_TEXT = "it takes a function, which a file cannot give"
_FUNCTIONS = dict.fromkeys(
    ("error_cb", "stats_cb", "throttle_cb", "oauth_cb", "on_delivery", "on_commit", "logger"),
    _NO_TEXT,
)

_SECRET = re.compile(
    r"password|secret|token|jaas|credential|assertion|user|key|pem|sasl\.oauthbearer\.config",
    re.IGNORECASE,
)

_DEFAULTS: Options = {
    "client.id": "celebcollect",
    # librdkafka's 10 s would keep everybody waiting after a broker is back
    "reconnect.backoff.max.ms": "2000",
    "allow.auto.create.topics": "false",  # we create topics, with the configured partitions
}
_PRODUCER_DEFAULTS: Options = {
    "partitioner": "murmur2_random",  # as Java's: a key's partition is the same whoever publishes
    "message.max.bytes": "100000000",  # the topic's own limit decides, and we ask for it
}
_CONSUMER_DEFAULTS: Options = {
    # a killed worker's partitions go to the others after 10 s, not librdkafka's 45
    "session.timeout.ms": "10000",
    "heartbeat.interval.ms": "1000",  # a member learns of a rebalance by its heartbeat
    # the broker holds an empty answer back for so long, and a new partition's first fetch waits
    # behind it
    "fetch.wait.max.ms": "100",
}


class _DebugLog:
    """Takes librdkafka's own log lines: it repeats itself during an outage, and we say it once."""

    def log(self, _level: int, form: str, *values: object) -> None:
        log.debug(form, *values)


class KafkaSettings:
    """
    The settings of every client, from `[kafka]`.

    Raises:
        ConfigError: `[kafka.client]` names a setting that is ours to set.
    """

    def __init__(self, config: KafkaConfig) -> None:
        for name, why in (_OWN_KEY | _SAFETY | _FUNCTIONS).items():
            if name in config.client:
                raise ConfigError(f"[kafka.client] {name} cannot be set: {why}", hint="Remove it.")
        self.config = config
        self._user: Options = {
            name: str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in config.client.items()
        }
        self._always: Options = {"bootstrap.servers": config.bootstrap_servers}

    def producer(self, on_error: Callable[..., None]) -> Options:
        """
        Return a producer's settings.

        Idempotent, acknowledged by all in-sync replicas, patient without end.
        """
        ours = {
            "acks": "all",
            "enable.idempotence": "true",
            "message.timeout.ms": "0",
            "error_cb": on_error,
            "logger": _DebugLog(),
        }
        return {**_DEFAULTS, **_PRODUCER_DEFAULTS, **self._user, **self._always, **ours}

    def consumer(self, group: str, on_error: Callable[..., None]) -> Options:
        """
        Return a consumer's settings.

        Commits by hand, cooperative rebalancing, a new group starts at the beginning.
        """
        ours = {
            "group.id": group,
            "enable.auto.commit": "false",
            "enable.auto.offset.store": "false",
            "auto.offset.reset": "earliest",
            "partition.assignment.strategy": "cooperative-sticky",
            "error_cb": on_error,
            "logger": _DebugLog(),
        }
        return {**_DEFAULTS, **_CONSUMER_DEFAULTS, **self._user, **self._always, **ours}

    def reader(self) -> Options:
        """Return the settings of a consumer outside any group that is told where partitions end."""
        ours = {
            "group.id": "celebcollect-reader",
            "enable.auto.commit": "false",
            "enable.partition.eof": "true",
            "logger": _DebugLog(),
        }
        return {**_DEFAULTS, **_CONSUMER_DEFAULTS, **self._user, **self._always, **ours}

    def admin(self) -> Options:
        """Return an admin client's settings; it answers with errors and need not log."""
        return {**_DEFAULTS, **self._user, **self._always, "log_level": "0"}

    def make(self, client: Callable[[Options], C], options: Options) -> C:
        """
        Make a client.

        Raises:
            ConfigError: librdkafka refuses a setting; the message names it, never a value that may
                be secret.
        """
        try:
            return client(options)
        except (KafkaException, TypeError, ValueError, AttributeError) as error:
            raise self._blame(error) from None

    def mask(self, text: str) -> str:
        """Return librdkafka's text on one line, without its values that may be secret."""
        for name, value in self._user.items():
            if _SECRET.search(name) and len(value) > 2:
                text = text.replace(value, "***")
        return " ".join(text.split())

    def _blame(self, error: Exception) -> ConfigError:
        # librdkafka names some settings by an older alias and others not at all: the one that fails
        # alike alone is to blame.
        culprit = ""
        for name, value in self._user.items():
            try:
                Producer({name: value, "log_level": "0"})
            except (KafkaException, TypeError, ValueError, AttributeError) as alone:
                if _reason(alone) == _reason(error):
                    culprit = name
                    break
        reason = (
            "librdkafka refuses its value"
            if _SECRET.search(culprit) and "No such" not in _reason(error)
            else self.mask(_reason(error))
        )
        where = f"[kafka.client] {culprit}".rstrip()
        return ConfigError(
            f"{where}: {reason}", hint="librdkafka's CONFIGURATION.md names every setting."
        )


def _reason(error: Exception) -> str:
    if not isinstance(error, KafkaException):
        return "not a setting that a file can give"
    return (
        str(error.args[0].str())
        .removeprefix("Failed to create producer: ")
        .removeprefix("Failed to create consumer: ")
    )
