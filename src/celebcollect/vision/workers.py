"""Run face work in processes of its own, one for each core: embedding holds the interpreter lock and 118 MB of models.

A worker dies with the process that started it, however that ends. A picture that kills a worker is
found and told from the others.
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
from itertools import islice
from multiprocessing.connection import wait as wait_for

from celebcollect import runtime
from celebcollect.checks.base import Facts, Picture
from celebcollect.vision.base import Engine, EngineSpec

Job = Callable[[Engine, Picture], Facts]
"""A function of a module (it is sent by name) that measures one picture."""

CRASHED: Facts = {"broken": "the face engine crashed on it"}


class Workers:
    """Starts its processes with the first work and keeps them. Thread-safe."""

    def __init__(self, spec: EngineSpec, count: int = 0) -> None:
        self._spec = spec
        self._count = count or available_cores()
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None

    def measure(self, job: Job, pictures: Iterable[Picture]) -> Iterator[tuple[str, Facts]]:
        """
        Yield the id of each picture and what the job found, in the order in which they are done.

        Raises:
            CelebCollectError: What the job or the engine raises.
        """
        with self._lock:
            yield from self._measure(job, map(_slim, pictures))

    def close(self) -> None:
        """End the processes."""
        if self._pool:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def _measure(self, job: Job, pictures: Iterator[Picture]) -> Iterator[tuple[str, Facts]]:
        running: dict[Future[Facts], tuple[Picture, ProcessPoolExecutor]] = {}
        suspects: list[Picture] = []
        try:
            while True:
                # Two for each process: one that it works on, one that it finds waiting.
                for picture in islice(pictures, 2 * self._count - len(running)):
                    future, pool = self._submitted(job, picture)
                    running[future] = picture, pool
                if not running:
                    break
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    picture, pool = running.pop(future)
                    try:
                        yield picture.image.id, future.result()
                    except BrokenProcessPool:
                        suspects.append(picture)
                        # Others may have been handed to new processes meanwhile.
                        if pool is self._pool:
                            self.close()
        finally:
            for future in running:
                future.cancel()
        for picture in suspects:
            yield picture.image.id, self._alone(job, picture)

    def _alone(self, job: Job, picture: Picture) -> Facts:
        """Measure one picture with nothing beside it, so that it is known who broke the pool."""
        try:
            return self._submitted(job, picture)[0].result()
        except BrokenProcessPool:
            self.close()
            return CRASHED

    def _submitted(self, job: Job, picture: Picture) -> tuple[Future[Facts], ProcessPoolExecutor]:
        """Hand a picture over; to new processes where one of the old ones died while nobody was waiting for it."""
        try:
            pool = self._started()
            return pool.submit(_run, job, picture), pool
        except BrokenProcessPool:
            self.close()
            pool = self._started()
            return pool.submit(_run, job, picture), pool

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
    """Return the one set of workers of this process for an engine: every check that needs it uses the same processes."""
    return Workers(spec, count)


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _slim(picture: Picture) -> Picture:
    """Return the picture without what the workers do not need."""
    return Picture(
        picture.image.model_copy(
            update={
                "facts": {
                    key: picture.image.facts[key]
                    for key in ("faces",)
                    if key in picture.image.facts
                }
            }
        ),
        picture.file,
    )


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


def _run(job: Job, picture: Picture) -> Facts:
    # Loaded here and not at the start: an error of the initializer would only say that the pool is
    # broken.
    global _engine
    if _engine is None:
        assert _spec is not None  # noqa: S101 - the initializer ran
        _engine = _spec.load()
    return job(_engine, picture)
