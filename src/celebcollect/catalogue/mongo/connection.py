"""Reach the server with patience, and put the driver's errors into words.

Knows nothing of people and pictures.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import pymongo
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConnectionFailure,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)

from celebcollect.catalogue.mongo.client import client_of
from celebcollect.config.sections import MongoConfig
from celebcollect.domain.errors import CatalogueError, CelebCollectError, Interrupted

log = logging.getLogger(__name__)

T = TypeVar("T")
Document = dict[str, Any]

PATIENCE_S = 600.0
"""How long to wait for a server that went away in the middle of the work, before giving up (exit 3;
a supervisor starts us again)."""

PAUSE_S = 0.2
"""Between two attempts that fail at once; while no server is there the driver itself waits for
one."""

LOOK_S = 0.02
"""Between two looks whether the driver has found a server, at the start."""

_PASSING = frozenset(
    {6, 7, 43, 50, 64, 89, 91, 100, 112, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436}
)
"""Codes of a server that starts, stops, votes or is overrun (MongoDB's error_codes.yml):
HostUnreachable, CursorNotFound, shutdowns, ..."""


class MongoConnection:
    """
    A connection pool to one server or replica set.

    `stop` ends the waiting for a server that is gone, nothing else.

    Raises:
        ConfigError: `mongo.uri` is no usable URI, or names a file that cannot be used.
        CatalogueError: The server cannot be reached within `mongo.timeout_s`, or refuses us.
        Interrupted: The program was asked to stop before the server answered.
    """

    def __init__(self, settings: MongoConfig, *, stop: threading.Event | None = None) -> None:
        self.where, self.client = client_of(settings)
        self._stop = stop or threading.Event()
        self._lock = threading.Lock()
        self._down_since: float | None = None
        self.guards = True
        """Whether the server checks a filter and writes in one step, as MongoDB does."""
        self.per_command = 500
        """Updates that go into one command."""
        trouble = self._greet(settings.timeout_s)
        if trouble is not None:
            self.client.close()
            # Outside of any handler, so that nothing of the driver's hangs on it.
            raise trouble

    def retry(self, work: Callable[[], T]) -> T:
        """
        Do something on the server; do it again when the server goes away, and say so once.

        It must be harmless when it is done twice: an answer may be lost after the work was done.

        Raises:
            CatalogueError: The server refuses, or stayed away for `PATIENCE_S`.
            Interrupted: The program was asked to stop, and waiting is all that is left to do.
        """
        # Not stamina: the pause must end at once when `stop` is set, and stamina logs each attempt
        # with the driver's words, which may quote a document or the URI.
        deadline = time.monotonic() + PATIENCE_S
        while True:
            trouble: CelebCollectError | None = None
            try:
                result = work()
            except PyMongoError as error:
                if not _is_passing(error) or time.monotonic() > deadline:
                    trouble = self._told(error)
                else:
                    self._away(error)
            else:
                self._back()
                return result
            if trouble is None and self._stop.wait(PAUSE_S):
                trouble = self._interrupted()
            if trouble is not None:
                raise trouble

    def _greet(self, timeout_s: float) -> CelebCollectError | None:
        deadline = time.monotonic() + timeout_s
        # The driver looks for the server in threads of its own; only what it has found is asked, so
        # that a stop is seen meanwhile.
        while (
            not self.client.topology_description.has_writable_server()
            and time.monotonic() < deadline
        ):
            if self._stop.wait(LOOK_S):
                return self._interrupted()
        try:
            with pymongo.timeout(max(deadline - time.monotonic(), LOOK_S)):
                self.client.admin.command("ping")
                if "ferretdbVersion" in self.client.server_info():
                    self._go_gently()
        except OperationFailure as error:
            return self._told(error)
        except PyMongoError as error:
            log.debug("no answer where=%s error=%s", self.where, type(error).__name__)
            return CatalogueError(
                f"MongoDB at {self.where} cannot be reached within {timeout_s:g} s",
                hint="Is it running, and are host, port and TLS in mongo.uri right?",
            )
        return None

    def _interrupted(self) -> Interrupted:
        return Interrupted(
            f"stopped while waiting for MongoDB at {self.where}",
            hint="What was finished is kept; run it again.",
        )

    def _go_gently(self) -> None:
        """
        Spare FerretDB 1, as far as its source (1.24, internal/handler) shows what it needs.

        It reads a document, changes it and writes it back without a lock, and for a filter of two
        fields it walks through the whole collection: a guard would protect nothing and take
        minutes. And each update of a command keeps one of the server's 100 connections to its
        database until the command ends: more would wait for themselves for ever.
        """
        self.guards, self.per_command = False, 10

    def _away(self, error: PyMongoError) -> None:
        with self._lock:
            first = self._down_since is None
            self._down_since = self._down_since or time.monotonic()
        if first:
            log.warning(
                "MongoDB does not answer, waiting for it where=%s error=%s",
                self.where,
                type(error).__name__,
            )

    def _back(self) -> None:
        if self._down_since is None:
            return
        with self._lock:
            since, self._down_since = self._down_since, None
        if since is not None:
            log.warning(
                "MongoDB answers again where=%s after_s=%.1f", self.where, time.monotonic() - since
            )

    def _told(self, error: PyMongoError) -> CelebCollectError:
        code = error.code if isinstance(error, OperationFailure) else None
        reason = _reason(error)
        log.debug("failed where=%s error=%s code=%s", self.where, type(error).__name__, code)
        if isinstance(error, ConnectionFailure):
            return CatalogueError(
                f"MongoDB at {self.where} stayed away for {PATIENCE_S:.0f} s",
                hint="Start it, then run the same command again.",
            )
        if code in (18, 8000):
            return CatalogueError(
                f"MongoDB at {self.where} refuses us: {reason}",
                hint="Check user, password and authSource in mongo.uri.",
            )
        if code == 13:
            return CatalogueError(
                f"MongoDB at {self.where} does not allow it: {reason}",
                hint="The user needs the role readWrite on the database mongo.database.",
            )
        if code == 14031:
            return CatalogueError(
                f"MongoDB at {self.where} has no room left: {reason}",
                hint="Make room on the server's disk.",
            )
        return CatalogueError(
            f"MongoDB at {self.where} failed: {reason}",
            hint="`celebcollect doctor` looks at it; its own log says more.",
        )


def _is_passing(error: PyMongoError) -> bool:
    if isinstance(error, BulkWriteError):
        details = error.details or {}
        # Without errors of single writes, what failed is the waiting for the majority.
        return not details.get("writeErrors") or any(
            problem.get("code") in _PASSING for problem in details["writeErrors"]
        )
    if isinstance(error, OperationFailure):
        return error.code in _PASSING or isinstance(error, WTimeoutError)
    return isinstance(error, (AutoReconnect, ConnectionFailure))


def _reason(error: PyMongoError) -> str:
    """Return the server's words on one line, without the document that it was about."""
    details = getattr(error, "details", None) or {}
    problems = details.get("writeErrors") or [details]
    words = str(problems[0].get("errmsg") or type(error).__name__)
    return " ".join(words.split())[:200]
