"""Whose turn it is: every host in turn, none with more than its share, delays kept."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict

from hypothesis import given
from hypothesis import strategies as st

from celebcollect.stages.store.fair_queue import FairQueue


def take(queue: FairQueue[int]) -> tuple[str, int]:
    taken = queue.take()
    assert taken is not None
    return taken


def test_hosts_take_turns() -> None:
    """A host with very many pictures does not come before one with few."""
    queue: FairQueue[int] = FairQueue(per_host=10)
    for n in range(5):
        queue.put("big", n)
    queue.put("small", 0)
    queue.put("other", 0)

    order = [take(queue) for _ in range(7)]

    assert order[:4] == [("big", 0), ("small", 0), ("other", 0), ("big", 1)]
    assert [n for host, n in order if host == "big"] == [0, 1, 2, 3, 4]


def test_a_full_host_waits_until_a_place_is_free() -> None:
    """No more than `per_host` of a host are out at once; others go on meanwhile."""
    queue: FairQueue[int] = FairQueue(per_host=2)
    for n in range(3):
        queue.put("a", n)
    queue.put("b", 0)
    assert [take(queue) for _ in range(3)] == [("a", 0), ("b", 0), ("a", 1)]
    got: list[tuple[str, int]] = []
    waiting = threading.Thread(target=lambda: got.append(take(queue)))
    waiting.start()
    waiting.join(0.1)
    assert got == []

    queue.done("a")

    waiting.join(5)
    assert got == [("a", 2)]


def test_an_item_for_later_comes_later() -> None:
    """A delay holds one item, not its host."""
    queue: FairQueue[int] = FairQueue(per_host=2)
    begun = time.monotonic()
    queue.put("a", 1, delay_s=0.2)
    queue.put("a", 2)

    assert take(queue) == ("a", 2)
    assert take(queue) == ("a", 1)
    assert time.monotonic() - begun >= 0.2


def test_closing_wakes_everybody() -> None:
    """Nobody waits for work that will not come."""
    queue: FairQueue[int] = FairQueue(per_host=1)
    got: list[object] = []
    threads = [threading.Thread(target=lambda: got.append(queue.take())) for _ in range(5)]
    for thread in threads:
        thread.start()

    queue.close()

    for thread in threads:
        thread.join(5)
    assert got == [None] * 5


@given(st.lists(st.sampled_from("abcde"), max_size=60), st.integers(1, 4), st.integers(1, 6))
def test_nothing_is_lost_and_no_host_exceeds_its_share(
    hosts: list[str], per_host: int, workers: int
) -> None:
    """Whatever the mix, every item comes once, in the order of its host, within the limit."""
    queue: FairQueue[int] = FairQueue(per_host)
    for n, host in enumerate(hosts):
        queue.put(host, n)
    out: list[tuple[str, int]] = []
    seen: dict[str, list[int]] = defaultdict(list)
    left = len(hosts)
    while left:
        while (
            len(out) < workers
            and left > len(out)
            and any(
                Counter(host for host, _ in out)[host] < per_host for host in _waiting(hosts, seen)
            )
        ):
            host, n = take(queue)
            seen[host].append(n)
            out.append((host, n))
            assert Counter(busy for busy, _ in out)[host] <= per_host
        host, _ = out.pop(0)
        queue.done(host)
        left -= 1

    assert {
        host: [n for n, other in enumerate(hosts) if other == host] for host in set(hosts)
    } == dict(seen)


def _waiting(hosts: list[str], seen: dict[str, list[int]]) -> set[str]:
    return {host for host in set(hosts) if len(seen[host]) < hosts.count(host)}
