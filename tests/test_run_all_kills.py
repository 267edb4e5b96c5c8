"""`run-all` killed at any moment and run again: nothing is lost and nothing is there twice."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from celebcollect.demo.web import SmallWeb
from local_web import WITHOUT_BROWSER, Collection


@pytest.fixture
def web() -> Iterator[SmallWeb]:
    with SmallWeb() as web:
        yield web


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_run_killed_at_any_moment_is_gone_on_with(web: SmallWeb, tmp_path: Path) -> None:
    """Kill -9 at 20 random moments, up to three for one folder, then a complete run."""
    reference = Collection(tmp_path / "reference", web)
    reference.run(*WITHOUT_BROWSER)
    want = reference.data_set()
    # Now that the web has drawn its pictures.
    started = time.monotonic()
    Collection(tmp_path / "timed", web).run(*WITHOUT_BROWSER)
    whole_s = time.monotonic() - started
    seed = random.randrange(10**6)
    dice = random.Random(seed)
    killed = 0
    for folder in range(7):
        collection = Collection(tmp_path / f"killed-{folder}", web)
        moments = []
        for number in range(2 if folder == 0 else 3):
            # What is gone on with takes less long than what begins.
            moments.append(dice.uniform(0.02, 0.6 if number else 0.9) * whole_s)
            started = time.monotonic()
            if collection.killed_after(moments[-1], *WITHOUT_BROWSER):
                killed += 1
            elif number == 0:
                # the machine was busier when it was timed
                whole_s = min(whole_s, time.monotonic() - started)

        collection.run(*WITHOUT_BROWSER)

        told = ", ".join(f"{moment:.3f}" for moment in moments)
        assert collection.data_set() == want, (
            f"killed after {told} s of {whole_s:.1f} (seed {seed})"
        )
    assert killed >= 10, "most of the runs must really have been killed in the middle"
    assert want["images"]
