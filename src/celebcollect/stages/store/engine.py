"""The threads of `store`: many that wait for hosts, and as many as there are cores that decode.

Few decoding threads do the same work as many and hold far less memory: eight peaked at 345-500 MB,
two at 119 MB. How many must wait depends on how far the hosts are: when the decoders run dry, more
downloads begin. Knows hosts, bytes and threads; what is kept of a picture, and where, is for the
stage to say.
"""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from celebcollect import runtime
from celebcollect.config.sections import StoreConfig
from celebcollect.domain.cores import available_cores
from celebcollect.stages.reasons import StoreReason
from celebcollect.stages.store.fair_queue import FairQueue
from celebcollect.stages.store.memory_budget import MemoryBudget, Reservation
from celebcollect.web.body import Admit
from celebcollect.web.fetch import Fetcher, FetchFailed
from celebcollect.web.reasons import FetchReason

R = TypeVar("R")

MAX_TRIES = 3
"""
Downloads of one picture within a run.

The fair queue tries again, not stamina: it gives the pause of one picture to others, where stamina
would let a thread and its memory sleep through it.
"""

_FAR = 8
"""How many times more downloads than `workers` there may be while the decoders have nothing to
do."""

_LOOK_EVERY_S = 0.25
_DRY = 0.2
"""Share of their time that decoders may wait before more downloads begin."""

_MAX_WAIT_S = 15.0
"""Longest pause of one picture before another try of it; a longer one is waited for at the end of
the run, or in a later one."""

_MAX_WAIT_FOR_HOST_S = 1.0
"""The same where the host said stop: its other pictures wait too, and while they were held here
they would hold their batches, and with those all other hosts."""


@dataclass
class Download(Generic[R]):
    """One picture on its way."""

    url: str
    host: str
    keep: Callable[[bytes], R]
    """Turns the bytes into the result; called in a decoding thread."""
    give_up: Callable[[FetchFailed], R]
    """Turns the last failure into the result."""
    start_before: float
    """On the clock of `time.monotonic`: a batch has to end, whatever one slow host does to the rest
    of its pictures."""
    result: Future[R] = field(default_factory=Future)
    tries: int = 0
    failure: FetchFailed | None = None
    """What the host did at the last try that reached it."""


class DownloadEngine(Generic[R]):
    """
    Downloads and decodes.

    Threads start with the first download and end with `close`. A new one starts new threads.
    """

    def __init__(self, fetcher: Fetcher, settings: StoreConfig, *, decoders: int = 0) -> None:
        """Start nothing yet; `decoders` 0 means one decoding thread per core that we may use."""
        self._fetcher = fetcher
        self._settings = settings
        self._decoders = decoders or available_cores()
        self._running: _DownloadThreads[R] | None = None

    def submit(self, download: Download[R]) -> None:
        """Take a download; its future gets the result, or the error that stopped it."""
        if self._running is None:
            self._running = _DownloadThreads(self._fetcher, self._settings, self._decoders)
        self._running.queue.put(download.host, download)

    def close(self) -> None:
        """Stop; downloads that are not finished are forgotten."""
        if self._running is not None:
            self._running.stop()
            self._running = None


class _DownloadThreads(Generic[R]):
    """
    The running threads.

    They are daemons, so that a download that hangs cannot keep the program from ending.
    """

    def __init__(self, fetcher: Fetcher, settings: StoreConfig, decoders: int) -> None:
        runtime.keep_memory()
        self._fetcher = fetcher
        self.queue: FairQueue[Download[R]] = FairQueue(settings.per_host)
        # What `workers` of the largest pictures take; small ones need none of it.
        self._budget = MemoryBudget(settings.workers * settings.max_bytes)
        # Full when the decoders are busy: then downloads wait, so that finished ones do not pile up
        # in memory.
        self._loaded: queue.Queue[tuple[Download[R], bytes] | None] = queue.Queue(maxsize=decoders)
        self._decoders = decoders
        self._threads: list[threading.Thread] = []
        self._downloads = 0
        self._most_downloads = settings.workers * _FAR
        self._lock = threading.Lock()
        self._dry_s, self._looked = 0.0, time.monotonic()
        for number in range(decoders):
            self._start(self._decode, f"store-decode-{number}")
        self._download_more(settings.workers)

    def stop(self) -> None:
        with self._lock:
            self._most_downloads = 0
            threads = list(self._threads)
        self.queue.close()
        for _ in range(self._decoders):
            try:
                self._loaded.put(None, timeout=1)
            except queue.Full:
                break
        deadline = time.monotonic() + 2
        for thread in threads:
            thread.join(max(deadline - time.monotonic(), 0))

    def _start(self, work: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _download_more(self, count: int) -> None:
        for _ in range(min(count, self._most_downloads - self._downloads)):
            self._start(self._download, f"store-download-{self._downloads}")
            self._downloads += 1

    def _download(self) -> None:
        while (turn := self.queue.take()) is not None:
            host, download = turn
            reservation = Reservation(self._budget)
            try:
                data = self._try(download, reservation.take)
                if data is not None:
                    self._loaded.put((download, data))
                    del data
            except BaseException as error:  # noqa: BLE001 - the thread that waits gets it
                download.result.set_exception(error)
            finally:
                reservation.give_back()
                self.queue.done(host)

    def _try(self, download: Download[R], admit: Admit) -> bytes | None:
        """
        Return the bytes, or None when the download has failed or waits for another try.

        The queue does the waiting, because a retry library would let a thread sleep that may
        download from another host.
        """
        try:
            if time.monotonic() > download.start_before:
                raise FetchFailed(StoreReason.HOST_TOO_SLOW, download.host, transient=True)
            download.tries += 1
            return self._fetcher.get(download.url, admit).data
        except FetchFailed as failure:
            if failure.reason == FetchReason.HOST_RESTING:
                download.tries -= 1
            else:
                download.failure = failure
            wait_s = failure.retry_after_s
            if wait_s is None:
                spread = random.uniform(0.5, 1.0)  # noqa: S311 - spreads the retries
                wait_s = 2.0 ** (download.tries - 1) * spread
            longest_s = _MAX_WAIT_FOR_HOST_S if failure.said_stop else _MAX_WAIT_S
            again = failure.transient and download.tries < MAX_TRIES and wait_s <= longest_s
            if again and time.monotonic() + wait_s < download.start_before:
                self.queue.put(download.host, download, delay_s=max(wait_s, 0.1))
            else:
                if download.failure is None or failure.said_stop:
                    download.failure = failure
                download.result.set_result(download.give_up(download.failure))
            return None

    def _decode(self) -> None:
        while (loaded := self._next()) is not None:
            download, data = loaded
            try:
                download.result.set_result(download.keep(data))
            except BaseException as error:  # noqa: BLE001 - the thread that waits gets it
                download.result.set_exception(error)
            del download, data, loaded

    def _next(self) -> tuple[Download[R], bytes] | None:
        """
        Return the next picture to decode, None at the end.

        When waiting for it takes long, more downloads begin.
        """
        while True:
            begun = time.monotonic()
            try:
                return self._loaded.get(timeout=_LOOK_EVERY_S)
            except queue.Empty:
                continue
            finally:
                self._was_dry(begun, time.monotonic())

    def _was_dry(self, begun: float, ended: float) -> None:
        with self._lock:
            self._dry_s += ended - begun
            span_s = ended - self._looked
            if span_s >= _LOOK_EVERY_S:
                if self._dry_s > _DRY * span_s * self._decoders and self.queue.is_waiting():
                    self._download_more(max(self._downloads // 2, 1))
                self._dry_s, self._looked = 0.0, ended
