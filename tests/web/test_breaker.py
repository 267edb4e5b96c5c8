"""A host that is not well is left alone, and looked at again."""

from __future__ import annotations

import pytest

from celebcollect.web import breaker as breakers
from celebcollect.web.breaker import Breaker
from celebcollect.web.fetch import FetchFailed
from celebcollect.web.pace import Patience
from web.clock import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    moved = Clock()
    monkeypatch.setattr(breakers, "time", moved)
    return moved


def closed(breaker: Breaker) -> bool:
    """Tell whether the breaker lets a request through."""
    try:
        breaker.check("a")
    except FetchFailed:
        return False
    return True


def test_a_host_rests_after_eight_failures_in_a_row(clock: Clock) -> None:
    """Seven may happen; the eighth opens the breaker for thirty seconds."""
    breaker = Breaker(Patience(0))
    for n in range(7):
        breaker.failed(f"{n}")
        assert closed(breaker)

    breaker.failed("8")

    assert not closed(breaker)
    clock.now += 29
    assert not closed(breaker)


def test_after_the_rest_one_is_let_through_to_try(clock: Clock) -> None:
    """The others wait for what the one finds out: a failure doubles the rest, a success ends it."""
    breaker = Breaker(Patience(0))
    for n in range(8):
        breaker.failed(f"{n}")
    clock.now += 31
    assert [closed(breaker) for _ in range(3)] == [True, False, False]

    breaker.failed("9")

    clock.now += 59
    assert not closed(breaker)
    clock.now += 2
    assert closed(breaker)
    breaker.succeeded()
    assert [closed(breaker) for _ in range(3)] == [True, True, True]


def test_a_rest_never_exceeds_ten_minutes(clock: Clock) -> None:
    """However long a host is away, it is looked at again."""
    breaker = Breaker(Patience(0))
    for n in range(100):
        breaker.failed(f"{n}")
    clock.now += 601

    assert closed(breaker)


def test_a_success_in_between_starts_the_count_anew(clock: Clock) -> None:
    """Only failures in a row count."""
    breaker = Breaker(Patience(0))
    for _ in range(10):
        for n in range(7):
            breaker.failed(f"{n}")
        breaker.succeeded()

    assert closed(breaker)


def test_one_bad_picture_does_not_make_its_host_rest(clock: Clock) -> None:
    """However often it is tried again."""
    breaker = Breaker(Patience(0))
    for _ in range(100):
        breaker.failed("same")

    assert closed(breaker)
