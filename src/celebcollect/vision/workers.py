"""Run face work in processes of its own, one for each core.

Embedding holds the interpreter lock, and each engine 118 MB of models. A worker dies with the
process that started it, however that ends. A picture that kills a worker is found and told from the
others.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import wait as wait_for
from typing import Any, Generic, Protocol, TypeVar

from celebcollect import runtime
from celebcollect.domain.cores import available_cores
from celebcollect.vision.base import Engine, EngineCrashed, EngineSpec


class Task(Protocol):
    """What a job works on; small, because it is sent to another process."""

    @property
    def id(self) -> str:
        """Return what tells the task from others."""
        ...


T = TypeVar("T", bound=Task)
R = TypeVar("R")

Job = Callable[[Engine, T], R]
"""A function of a module (it is sent by name) that does one task."""


@dataclass(frozen=True, slots=True)
class _Handed(Generic[T]):
    """A task and the processes that it was given to."""

    task: T
    pool: ProcessPoolExecutor


class Workers:
    """Starts its processes with the first work and keeps them. Thread-safe."""

    def __init__(self, spec: EngineSpec, count: int = 0) -> None:
        self._spec = spec
        self._count = count or available_cores()
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None

    def run(self, job: Job[T, R], tasks: Iterable[T]) -> Iterator[tuple[str, R | EngineCrashed]]:
        """
        Yield the id of each task and what the job returned, in the order in which they are done.

        Raises:
            CelebCollectError: What the job or the engine raises.
        """
        with self._lock:
            yield from self._run(job, iter(tasks))

    def close(self) -> None:
        """End the processes."""
        if self._pool:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def _run(self, job: Job[T, R], tasks: Iterator[T]) -> Iterator[tuple[str, R | EngineCrashed]]:
        running: dict[Future[R], _Handed[T]] = {}
        suspects: list[T] = []
        try:
            while True:
                # Two for each process: one that it works on, one that it finds waiting.
                for task in islice(tasks, 2 * self._count - len(running)):
                    future, pool = self._submitted(job, task)
                    running[future] = _Handed(task, pool)
                if not running:
                    break
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    handed = running.pop(future)
                    try:
                        yield handed.task.id, future.result()
                    except BrokenProcessPool:
                        suspects.append(handed.task)
                        # Others may have been handed to new processes meanwhile.
                        if handed.pool is self._pool:
                            self.close()
        finally:
            for future in running:
                future.cancel()
        for task in suspects:
            yield task.id, self._alone(job, task)

    def _alone(self, job: Job[T, R], task: T) -> R | EngineCrashed:
        """Do one task with nothing beside it, so that it is known who broke the pool."""
        try:
            return self._submitted(job, task)[0].result()
        except BrokenProcessPool:
            self.close()
            return EngineCrashed()

    def _submitted(self, job: Job[T, R], task: T) -> tuple[Future[R], ProcessPoolExecutor]:
        """
        Hand a task over.

        It goes to new processes where one of the old ones died while nobody was waiting for it.
        """
        try:
            pool = self._started()
            return pool.submit(_run, job, task), pool
        except BrokenProcessPool:
            self.close()
            pool = self._started()
            return pool.submit(_run, job, task), pool

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # Not forked: this process may have threads, whose locks a fork would copy as they are.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(
                self._count, mp_context=context, initializer=_start, initargs=(self._spec,)
            )
        return self._pool


@functools.cache
def shared(spec: EngineSpec, count: int) -> Workers:
    """
    Return the one set of workers of this process for an engine.

    So every check that needs the engine uses the same processes.
    """
    return Workers(spec, count)


_engine: Engine | None = None
_spec: EngineSpec | None = None


def _start(spec: EngineSpec) -> None:
    global _spec
    _spec = spec
    # Ctrl-C reaches the whole terminal: the parent ends the work in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    runtime.silence_pillow()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        wait_for([parent.sentinel])
        os._exit(1)


def _run(job: Job[Any, R], task: Any) -> R:
    # Loaded here and not at the start: an error of the initializer would only say that the pool is
    # broken.
    global _engine
    if _engine is None:
        assert _spec is not None  # noqa: S101 - the initializer ran
        _engine = _spec.load()
    return job(_engine, task)
