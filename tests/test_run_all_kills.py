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
    """Kill -9 at 20 random moments, then a complete run: always the same data set."""
    reference = Collection(tmp_path / "reference", web)
    started = time.monotonic()
    reference.run(*WITHOUT_BROWSER)
    whole_s = time.monotonic() - started
    want = reference.data_set()
    seed = random.randrange(10**6)
    dice = random.Random(seed)
    killed = 0
    for number, part in enumerate(sorted(dice.uniform(0.02, 1) for _ in range(20))):
        collection = Collection(tmp_path / f"killed-{number}", web)
        moment, started = part * whole_s, time.monotonic()
        if collection.killed_after(moment, *WITHOUT_BROWSER):
            killed += 1
        else:
            whole_s = time.monotonic() - started  # the machine was busier at the beginning

        collection.run(*WITHOUT_BROWSER)

        assert collection.data_set() == want, (
            f"killed after {moment:.3f} s of {whole_s:.1f} s (seed {seed})"
        )
    assert killed >= 10, "most of the runs must really have been killed in the middle"
    assert want["images"]
