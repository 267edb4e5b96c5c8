"""The threads of `store`: many that wait for hosts, and as many as there are cores that decode.

Few decoding threads do the same work as many and hold far less memory: eight peaked at 345-500 MB, two at 119 MB.
Knows hosts, bytes and threads; what is kept of a picture, and where, is the stage's business.
"""

from __future__ import annotations

import ctypes
import os
import queue
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from celebcollect.stages.store_turns import Turns
from celebcollect.web.fetch import RESTING, Fetcher, FetchFailed

R = TypeVar("R")

MAX_TRIES = 3
"""Downloads of one picture within a run."""

_MALLOPT = {"M_ARENA_MAX": (-8, 1), "M_MMAP_THRESHOLD": (-3, 33_554_432), "M_TRIM_THRESHOLD": (-1, 134_217_728)}
"""Settings of glibc's malloc with their numbers in malloc.h, see `_keep_memory`."""

TOO_SLOW = "host_too_slow"
"""Reason of a picture that its host left no time to begin."""

_MAX_WAIT_S = 15.0
"""Longest pause before another try within a run; who asks for a longer one is asked again in a later run."""


@dataclass
class Job(Generic[R]):
    """One picture on its way."""

    url: str
    host: str
    keep: Callable[[bytes], R]
    """Turns the bytes into the result; called in a decoding thread."""
    give_up: Callable[[FetchFailed], R]
    """Turns the last failure into the result."""
    start_before: float
    """On the clock of `time.monotonic`: a batch has to end, whatever one slow host does to the rest of its pictures."""
    result: Future[R] = field(default_factory=Future)
    tries: int = 0


class Engine(Generic[R]):
    """Downloads and decodes. Threads start with the first job and end with `close`, after which a new job starts new ones."""

    def __init__(self, fetcher: Fetcher, *, workers: int, per_host: int, decoders: int = 0) -> None:
        """Start nothing yet; `decoders` 0 means one decoding thread per core that this process may use."""
        self._fetcher = fetcher
        self._workers = workers
        self._per_host = per_host
        self._decoders = decoders or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
        self._crew: _Crew[R] | None = None

    def submit(self, job: Job[R]) -> None:
        """Take a job; its future gets the result, or the error that stopped it."""
        if self._crew is None:
            self._crew = _Crew(self._fetcher, self._workers, self._per_host, self._decoders)
        self._crew.turns.put(job.host, job)

    def close(self) -> None:
        """Stop; jobs that are not finished are forgotten."""
        if self._crew is not None:
            self._crew.stop()
            self._crew = None


class _Crew(Generic[R]):
    """The running threads. They are daemons, so that a download that hangs cannot keep the program from ending."""

    def __init__(self, fetcher: Fetcher, workers: int, per_host: int, decoders: int) -> None:
        _keep_memory()
        self._fetcher = fetcher
        self.turns: Turns[Job[R]] = Turns(per_host)
        # Full when the decoders are busy: then downloads wait, so that finished ones do not pile up in memory.
        self._loaded: queue.Queue[tuple[Job[R], bytes] | None] = queue.Queue(maxsize=decoders)
        self._threads = [threading.Thread(target=self._download, name=f"store-download-{n}", daemon=True) for n in range(workers)]
        self._threads += [threading.Thread(target=self._decode, name=f"store-decode-{n}", daemon=True) for n in range(decoders)]
        self._decoders = decoders
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self.turns.close()
        for _ in range(self._decoders):
            try:
                self._loaded.put(None, timeout=1)
            except queue.Full:
                break
        deadline = time.monotonic() + 2
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0))

    def _download(self) -> None:
        while (turn := self.turns.take()) is not None:
            host, job = turn
            try:
                data = self._try(job)
                if data is not None:
                    self._loaded.put((job, data))
            except BaseException as error:  # noqa: BLE001 - handed to the thread that waits for the result
                job.result.set_exception(error)
            finally:
                self.turns.done(host)

    def _try(self, job: Job[R]) -> bytes | None:
        """Return the bytes, or None when the job has come to its end or waits for another try."""
        try:
            if time.monotonic() > job.start_before:
                raise FetchFailed(TOO_SLOW, job.host, transient=True)
            job.tries += 1
            return self._fetcher.get(job.url).data
        except FetchFailed as failure:
            if failure.reason == RESTING:
                job.tries -= 1
            wait_s = failure.retry_after_s
            if wait_s is None:
                wait_s = 2.0 ** (job.tries - 1) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads the retries
            again = failure.transient and job.tries < MAX_TRIES and wait_s <= _MAX_WAIT_S
            if again and time.monotonic() + wait_s < job.start_before:
                self.turns.put(job.host, job, delay_s=max(wait_s, 0.1))
            else:
                job.result.set_result(job.give_up(failure))
            return None

    def _decode(self) -> None:
        while (loaded := self._loaded.get()) is not None:
            job, data = loaded
            try:
                job.result.set_result(job.keep(data))
            except BaseException as error:  # noqa: BLE001 - handed to the thread that waits for the result
                job.result.set_exception(error)
            del job, data, loaded


def _keep_memory() -> None:
    """
    Let all threads take memory from one place that is not given back after each picture (mallopt(3), glibc only).

    By default each thread keeps apart what its largest picture took, and buffers of megabytes come from the system, zeroed, again and again.
    Measured on the benchmark's pictures: a quarter of the page faults, 5 % less CPU, 185 MB at most instead of 220. 128 MB stay when idle.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    for number, value in _MALLOPT.values():
        mallopt(number, value)
