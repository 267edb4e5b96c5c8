"""Cleaners that die at any moment, and several at once.

The outcome is that of one undisturbed run.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from stages.cleaning import World, jpeg

pytestmark = pytest.mark.slow

FORK = multiprocessing.get_context("fork")


class Crash(BaseException):
    """The process is gone: nothing in the program catches it."""


class Countdown:
    """Lets a process die at its n-th step that changes anything, just before it or just after."""

    def __init__(self, steps: int, *, after: bool) -> None:
        self.left, self.after = steps, after

    def wrap(self, step: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(step)
        def stepping(*args: Any, **kwargs: Any) -> Any:
            self.left -= 1
            if self.left == 0 and not self.after:
                raise Crash
            result = step(*args, **kwargs)
            if self.left == 0:
                raise Crash
            return result

        return stepping

    def arm(self, world: World) -> None:
        for part, names in (
            (world.catalogue, ("set_note", "record_verdicts", "record_cleaned", "clean_again")),
            (world.bus, ("publish",)),
            (world.folder, ("place",)),
        ):
            for name in names:
                setattr(part, name, self.wrap(getattr(part, name)))


def first_pictures(world: World) -> None:
    """Put in: a good one, copies, one that is too small, one that two people share."""
    for qid in ("Q1", "Q2"):
        world.put(qid, jpeg(1), f"https://a.example/{qid}/shared.jpg")
    world.put("Q1", jpeg(2, side=150), "https://a.example/middle.jpg")
    world.put("Q1", jpeg(2, side=150), "https://b.example/middle.jpg", source="commons")
    world.put("Q1", jpeg(2, side=120), "https://a.example/little.jpg")
    world.put("Q1", jpeg(3, side=60), "https://a.example/tiny.jpg")
    world.put("Q2", jpeg(4), "https://a.example/good.jpg")


def more_pictures(world: World) -> None:
    """Put in what changes verdicts that may have been published a moment ago."""
    world.put("Q1", jpeg(2, side=300), "https://a.example/large.jpg")
    world.put("Q3", jpeg(4), "https://a.example/stolen.jpg")


def outcome(world: World) -> Any:
    world.check_whole()
    assert world.catalogue.note("clean/Q1") is None
    decided = {
        url: (row.status, row.reason, row.detail, row.duplicate_of, row.path)
        for url, row in world.rows().items()
    }
    return decided, {key: {**record, "stored_at": None} for key, record in world.live().items()}


def undisturbed(folder: Path) -> Any:
    world = World(folder)
    first_pictures(world)
    more_pictures(world)
    world.run()
    try:
        return outcome(world)
    finally:
        world.close()


def one_crash(folder: Path, steps: int, *, after: bool) -> tuple[bool, Any]:
    """
    Die at a step of the first cleaning, let pictures arrive, clean.

    Return whether it died, and the outcome.
    """
    world = World(folder)
    first_pictures(world)
    countdown = Countdown(steps, after=after)
    countdown.arm(world)
    died = False
    try:
        world.run()
    except Crash:
        died = True
    world.close()
    world = World(folder)
    more_pictures(world)
    world.run()
    try:
        return died, outcome(world)
    finally:
        world.close()


@pytest.mark.parametrize("after", [False, True])
def test_dying_at_any_step_changes_nothing_in_the_end(tmp_path: Path, *, after: bool) -> None:
    """
    The next run sets right whatever a crash left.

    That is what was published, moved or recorded before it, and what arrived since.
    """
    expected = undisturbed(tmp_path / "undisturbed")
    steps = 0
    died = True
    while died:
        steps += 1
        died, found = one_crash(tmp_path / f"{steps}", steps, after=after)
        assert found == expected, f"died at step {steps}"
    assert steps > 12


def clean_forever(folder: Path, ready: Any) -> None:
    world = World(folder)
    ready.set()
    world.run()


def start(folder: Path) -> Any:
    ready = FORK.Event()
    process = FORK.Process(target=clean_forever, args=(folder, ready))
    process.start()
    assert ready.wait(30)
    return process


def many_pictures(world: World) -> None:
    for number in range(1, 13):
        for seed in range(4):
            world.put(
                f"Q{number}", jpeg(100 * number + seed), f"https://a.example/{number}/{seed}.jpg"
            )
        world.put(
            f"Q{number}", jpeg(100 * number, side=120), f"https://a.example/{number}/copy.jpg"
        )
        world.put(
            f"Q{number}", jpeg(100 * number + 9, side=60), f"https://a.example/{number}/tiny.jpg"
        )
    world.put("Q7", jpeg(100), "https://a.example/of-another.jpg")


def test_killing_cleaners_at_any_moment_changes_nothing_in_the_end(tmp_path: Path) -> None:
    """SIGKILL at random moments, then one complete run: the same data set as without."""
    source = random.Random(20)
    world = World(tmp_path / "calm")
    many_pictures(world)
    started = time.monotonic()
    world.run()
    whole_s = time.monotonic() - started
    expected = outcome(world)
    world.close()
    world = World(tmp_path / "killed")
    many_pictures(world)
    world.close()

    killed = 0
    for _ in range(30):
        process = start(tmp_path / "killed")
        # so that the work takes many kills, also when it was slow by chance while it was timed
        time.sleep(source.uniform(0, whole_s / 8))
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
        process.join(30)
        killed += process.exitcode == -signal.SIGKILL
    world = World(tmp_path / "killed")
    world.run()

    assert killed >= 3
    assert outcome(world) == expected
    world.close()


def test_two_cleaners_share_the_work(tmp_path: Path) -> None:
    """
    Two processes at once clean everybody once.

    There is one message for each accepted picture and each withdrawal.
    """
    world = World(tmp_path)
    many_pictures(world)
    world.close()

    processes = [start(tmp_path) for _ in range(2)]
    for process in processes:
        process.join(60)

    assert [process.exitcode for process in processes] == [0, 0]
    world = World(tmp_path)
    assert world.run().counts == {}
    assert len(world.live()) == 12 * 4 - 1
    world.check_whole()
    world.close()
