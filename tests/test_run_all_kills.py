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
    started = time.monotonic()
    reference.run(*WITHOUT_BROWSER)
    whole_s = time.monotonic() - started
    want = reference.data_set()
    seed = random.randrange(10**6)
    dice = random.Random(seed)
    killed = 0
    for folder in range(7):
        collection = Collection(tmp_path / f"killed-{folder}", web)
        # The first early, so that the later ones find work that is left.
        moments = [dice.uniform(0.02, most) * whole_s for most in (0.5, 0.8, 1)[folder == 0 :]]
        for moment in moments:
            killed += collection.killed_after(moment, *WITHOUT_BROWSER)

        collection.run(*WITHOUT_BROWSER)

        told = ", ".join(f"{moment:.3f}" for moment in moments)
        assert collection.data_set() == want, (
            f"killed after {told} s of {whole_s:.1f} (seed {seed})"
        )
    assert killed >= 10, "most of the runs must really have been killed in the middle"
    assert want["images"]
