"""`web.rate_limiter`."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from celebcollect.web.rate_limiter import RateLimiter


class Time:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


@given(
    rate=st.floats(0.1, 100),
    burst=st.integers(1, 30),
    idle=st.lists(st.floats(0, 3), min_size=1, max_size=120),
)
def test_no_window_holds_more_than_its_share(rate: float, burst: int, idle: list[float]) -> None:
    """However requests come, no window of burst / rate seconds sees more than the burst."""
    time = Time()
    limiter = RateLimiter(rate, burst, clock=time)
    starts = []
    for seconds in idle:
        time.wait(seconds)
        limiter.take(time.wait)
        starts.append(time.now)

    assert all(
        later - earlier >= burst / rate
        for earlier, later in zip(starts, starts[burst:], strict=False)
    )


@pytest.mark.parametrize(("rate", "burst"), [(20, 20), (2, 1), (0.5, 1), (50, 7)])
def test_busy_rate_is_within_ten_percent(rate: float, burst: int) -> None:
    """Whoever always has work gets at least 90 % of the configured rate."""
    time = Time()
    limiter = RateLimiter(rate, burst, clock=time)
    for _ in range(burst * 20 + 1):
        limiter.take(time.wait)

    assert 0.9 * rate <= burst * 20 / time.now <= rate


def test_hold_delays_everybody() -> None:
    """After a hold nobody starts before it is over, and a shorter hold does not shorten it."""
    time = Time()
    limiter = RateLimiter(100, 10, clock=time)
    limiter.hold(30)
    limiter.hold(1)
    limiter.take(time.wait)

    assert time.now == 30


def test_hold_catches_those_who_wait_already() -> None:
    """A request that waits for its turn when the server asks for a rest waits for the rest, too."""
    time = Time()
    limiter = RateLimiter(1, 1, clock=time)
    limiter.take(time.wait)

    def wait(seconds: float) -> None:
        if time.now < 1:
            limiter.hold(60)
        time.wait(seconds)

    limiter.take(wait)

    assert time.now >= 60


def test_stop_interrupts_a_wait() -> None:
    """A wait that is cut short by a stop says so."""
    stop = threading.Event()
    stop.set()
    limiter = RateLimiter(0.001)

    assert not limiter.take(stop.wait)
    assert limiter.take(stop.wait)


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_impossible_paces_are_refused(rate: float, burst: int) -> None:
    """A pace needs a positive rate and burst."""
    with pytest.raises(ValueError, match="no rate"):
        RateLimiter(rate, burst)
