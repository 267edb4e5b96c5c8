"""What a process knows of its cluster's health, and how it waits for one that is gone."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException

from celebcollect.bus.kafka.errors import PASSING, hint_of
from celebcollect.bus.kafka.settings import KafkaSettings
from celebcollect.domain.errors import BusError, Interrupted

log = logging.getLogger(__name__)

T = TypeVar("T")

_RETRY_S = 0.2
_GRACE_S = 2.0
"""So long an election or a rebalance may take before it is worth a word."""


class ClusterHealth:
    """
    What one process knows of its cluster's health; thread-safe.

    Whoever waits for the cluster says so here, so that it is logged once.
    """

    def __init__(self, settings: KafkaSettings, stop: threading.Event) -> None:
        self._settings = settings
        self._stop = stop
        self._lock = threading.Lock()
        self._waiting: set[str] = set()
        self._since = 0.0

    def error(self, error: KafkaError, doing: str) -> BusError:
        """Return an error of Kafka as ours."""
        what = self._settings.mask(
            f"Kafka at {self._settings.config.bootstrap_servers}: {doing}: {error.str()}"
        )
        return BusError(what, hint=hint_of(error))

    def gone(self, who: str, reason: str) -> None:
        """
        Note that `who` waits for the cluster, and say so when nobody did yet.

        Raises:
            Interrupted: The program was asked to stop, and waiting is all that is left to do.
        """
        with self._lock:
            first = not self._waiting
            self._waiting.add(who)
            if first:
                self._since = time.monotonic()
        if first:
            log.warning(
                "waiting for Kafka servers=%s reason=%s",
                self._settings.config.bootstrap_servers,
                self._settings.mask(reason),
            )
        self.check_stop()

    def check_stop(self) -> None:
        """
        End the waiting when the program was asked to stop.

        Raises:
            Interrupted: It was.
        """
        if self._stop.is_set():
            raise Interrupted(
                f"stopped while waiting for Kafka at {self._settings.config.bootstrap_servers}",
                hint="What was finished is kept; run it again.",
            )

    def leave(self, who: str) -> None:
        """Note that `who` waits no longer, whether the cluster is back or not."""
        with self._lock:
            self._waiting.discard(who)

    def back(self, who: str) -> None:
        """Note that `who` got an answer, and say so when nobody waits any more."""
        if not self._waiting:
            return
        with self._lock:
            last = who in self._waiting and len(self._waiting) == 1
            self._waiting.discard(who)
        if last:
            log.warning(
                "Kafka is back servers=%s after_s=%.0f",
                self._settings.config.bootstrap_servers,
                time.monotonic() - self._since,
            )

    def retry(self, who: str, ask: Callable[[], T], *, give_up_s: float | None = None) -> T:
        """
        Ask the cluster until it answers.

        `give_up_s` is for questions that nobody's work depends on.

        Raises:
            BusError: The cluster refuses, or `give_up_s` is over.
            Interrupted: The program was asked to stop meanwhile.
        """
        # Not stamina: the pause must end at once when `stop` is set; the first seconds of an
        # election pass in silence, and an outage is told once for all that wait, not once for each
        # attempt of each; and a worker outlives an outage of any length.
        start = time.monotonic()
        while True:
            try:
                answer = ask()
            except KafkaException as trouble:
                error: KafkaError = trouble.args[0]
                waited_s = time.monotonic() - start
                # A topic that is still unknown after a while was deleted, not just made.
                limit_s = (
                    self._settings.config.timeout_s
                    if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART
                    else give_up_s
                )
                if error.code() not in PASSING or (limit_s is not None and waited_s > limit_s):
                    self.back(who)
                    raise self.error(error, who) from trouble
                if waited_s > _GRACE_S and give_up_s is None:
                    self.gone(who, error.str())
                self._stop.wait(_RETRY_S)
            else:
                self.back(who)
                return answer
