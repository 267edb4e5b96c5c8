"""Many futures as one."""

from __future__ import annotations

from concurrent.futures import Future

import pytest

from celebcollect.stages.store.gather import gather


def test_the_results_come_in_the_order_of_the_futures() -> None:
    """It is done with the last one, whichever that is."""
    futures: list[Future[int]] = [Future() for _ in range(3)]
    together = gather(futures)

    for number in (2, 0):
        futures[number].set_result(number)
    assert not together.done()
    futures[1].set_result(1)

    assert together.result(timeout=0) == [0, 1, 2]


def test_an_error_waits_for_the_others() -> None:
    """A batch is given up when none of its downloads is under way any more."""
    futures: list[Future[int]] = [Future(), Future()]
    together = gather(futures)

    futures[0].set_exception(OSError("full"))
    assert not together.done()
    futures[1].set_result(1)

    with pytest.raises(OSError, match="full"):
        together.result(timeout=0)


def test_nothing_is_done_at_once() -> None:
    """A batch of known pictures need not wait."""
    assert gather([]).result(timeout=0) == []
