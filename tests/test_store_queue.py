"""The simulated queue of `store` keeps the laws that any queue keeps."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))
    import store_queue

    return store_queue


def test_without_latency_the_cores_are_the_limit(queue: ModuleType) -> None:
    """Two cores at 10 ms a picture make 200 pictures a second."""
    assert 1000 / queue.seconds(queue.Scene(1000, 50, 0.0, 0.010)) == pytest.approx(200, rel=0.01)


def test_with_few_connections_latency_is_the_limit(queue: ModuleType) -> None:
    """Five connections at 100 ms an answer make 50 pictures a second (Little's law)."""
    assert 1000 / queue.seconds(queue.Scene(1000, 5, 0.1, 0.001, per_host=1)) == pytest.approx(
        50, rel=0.02
    )


def test_more_downloads_make_up_for_latency(queue: ModuleType) -> None:
    """Far hosts cost little when there are enough, although two downloads begin at once."""
    far, near = (
        queue.seconds(queue.Scene(2000, 50, latency_s, 0.020, workers=2))
        for latency_s in (0.1, 0.0)
    )

    assert near < far < 1.15 * near
