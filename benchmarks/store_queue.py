"""Simulate the queue of `store` by discrete events: wait for a host, then for a core.

The rules are those of `stages/store/engine.py`: fair turns between hosts, at most `per_host`
connections to each, a short queue before the decoders that stops the downloads when it is full, and
more downloads, up to eight times as many, while the decoders wait.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

FAR = 8
LOOK_EVERY_S = 0.25
DRY = 0.2


@dataclass(frozen=True)
class Scene:
    """What is simulated."""

    pictures: int
    hosts: int
    latency_s: float
    """Of an answer; opening a connection takes as long once more, and a host's robots.txt comes
    before its pictures."""
    service_s: float
    """Time of one core for one picture, everything included."""
    cores: int = 2
    workers: int = 8
    per_host: int = 4


@dataclass
class _Run:
    scene: Scene
    now: float = 0.0
    free_cores: int = 0
    downloads: int = 0
    idle_downloads: int = 0
    idle_core_s: float = 0.0
    done: int = 0
    events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        scene = self.scene
        self.free_cores, self.downloads, self.idle_downloads = (
            scene.cores,
            scene.workers,
            scene.workers,
        )
        self.waiting = [
            len(range(host, scene.pictures, scene.hosts)) for host in range(scene.hosts)
        ]
        self.busy, self.opened = [0] * scene.hosts, [0] * scene.hosts
        self.rules_at: dict[int, float] = {}
        self.turns = deque(range(scene.hosts))
        self.loaded = 0
        self.blocked: deque[int] = deque()
        """Hosts of downloads that have their bytes and find the queue full."""

    def at(self, delay_s: float, what: Callable[[], None]) -> None:
        heapq.heappush(self.events, (self.now + delay_s, next(self.numbers), what))

    def seconds(self) -> float:
        self.begin_downloads()
        self.at(LOOK_EVERY_S, self.look)
        while self.done < self.scene.pictures:
            at, _, what = heapq.heappop(self.events)
            self.idle_core_s += self.free_cores * (at - self.now)
            self.now = at
            what()
        return self.now

    def next_host(self) -> int | None:
        for _ in range(len(self.turns)):
            host = self.turns[0]
            self.turns.rotate(-1)
            if self.waiting[host] and self.busy[host] < self.scene.per_host:
                return host
        return None

    def begin_downloads(self) -> None:
        while self.idle_downloads and (host := self.next_host()) is not None:
            self.idle_downloads -= 1
            self.waiting[host] -= 1
            self.busy[host] += 1
            self.at(self.download_s(host), partial(self.arrive, host))

    def download_s(self, host: int) -> float:
        latency_s = self.scene.latency_s
        if host not in self.rules_at:
            self.rules_at[host] = self.now + 2 * latency_s
            self.opened[host] = 1
            return 3 * latency_s
        opens = self.busy[host] > self.opened[host]
        self.opened[host] = max(self.opened[host], self.busy[host])
        return max(self.rules_at[host] - self.now, 0.0) + latency_s * (2 if opens else 1)

    def arrive(self, host: int) -> None:
        if self.loaded < self.scene.cores:
            self.loaded += 1
            self.leave(host)
        else:
            self.blocked.append(host)
        self.begin_decoding()

    def leave(self, host: int) -> None:
        self.busy[host] -= 1
        self.idle_downloads += 1
        self.begin_downloads()

    def begin_decoding(self) -> None:
        while self.free_cores and self.loaded:
            self.loaded -= 1
            self.free_cores -= 1
            self.at(self.scene.service_s, self.decoded)
            if self.blocked:
                self.loaded += 1
                self.leave(self.blocked.popleft())

    def decoded(self) -> None:
        self.done += 1
        self.free_cores += 1
        self.begin_decoding()

    def look(self) -> None:
        dry = self.idle_core_s > DRY * LOOK_EVERY_S * self.scene.cores
        self.idle_core_s = 0.0
        if dry and not self.idle_downloads and self.next_host() is not None:
            more = min(self.downloads // 2 or 1, self.scene.workers * FAR - self.downloads)
            self.downloads += more
            self.idle_downloads += more
            self.begin_downloads()
        self.at(LOOK_EVERY_S, self.look)


def seconds(scene: Scene) -> float:
    """Return how long the pictures of a scene take."""
    return _Run(scene).seconds()
