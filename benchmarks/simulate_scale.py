"""Simulate `store` beside real runs of it, and say what collections need.

    python benchmarks/simulate_scale.py [--urls 500] [--rounds 5] [--folder DIR]

The simulation (`store_queue`) is given what a picture costs in a run without latency; the ratio of
its speed to that of a real run with latency shows whether it can be believed. Ends with exit code 1
when the two differ by more than 20 %. The machine's cores should have nothing else to do meanwhile.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path

from scale import table
from store import Result, ours, scratch
from store_corpus import build
from store_queue import Scene, seconds
from store_web import slow_door, web

TOLERANCE = 0.20
COLD = 20


@dataclass(frozen=True)
class Setting:
    """A network and a configuration to try both ways."""

    name: str
    latency_ms: float
    hosts: int
    workers: int
    per_host: int


SETTINGS = (
    Setting("50 far hosts, the default configuration", 100, 50, 8, 4),
    Setting("5 far hosts, one connection each", 100, 5, 8, 1),
    Setting("20 very far hosts, 2 workers", 300, 20, 2, 4),
)


def compare(setting: Setting, names: list[str], options: Namespace) -> float:
    """Run a setting and simulate it; return simulated by real speed, the median of rounds."""
    corpus, ratios = options.folder / "corpus", []
    with (
        web(options.folder, corpus) as port,
        slow_door(port, 0.01) as near,
        slow_door(port, setting.latency_ms) as far,
    ):
        for _ in range(options.rounds):
            cold = _run(names[:COLD], near, setting, options)
            before, real, after = (
                _run(names, door, setting, options) for door in (near, far, near)
            )
            per_picture_s = statistics.mean(
                (near_run.wall_s - cold.wall_s) / (near_run.pictures - cold.pictures)
                for near_run in (before, after)
            )
            cores = len(os.sched_getaffinity(0))
            scene = Scene(
                len(names),
                setting.hosts,
                setting.latency_ms / 1000,
                per_picture_s * cores,
                cores,
                setting.workers,
                setting.per_host,
            )
            # What starting costs is in the run of a few pictures, whose own time is that of so many
            # services.
            simulated_s = cold.wall_s - cold.pictures * per_picture_s + seconds(scene)
            ratios.append(real.wall_s / simulated_s)
            print(
                f"{setting.name}: {1000 * per_picture_s:.2f} ms a picture without latency; with"
                f" {setting.latency_ms:g} ms {len(names) / real.wall_s:.1f} images/s, simulated"
                f" {len(names) / simulated_s:.1f}, ratio {ratios[-1]:.2f}",
                flush=True,
            )
    return statistics.median(ratios)


def _run(names: list[str], port: int, setting: Setting, options: Namespace) -> Result:
    urls = [f"http://127.0.0.{n % setting.hosts + 1}:{port}/{name}" for n, name in enumerate(names)]
    # Without latency the cores are the limit, so that the number of hosts and connections plays no
    # role.
    with scratch(options.folder) as folder:
        return ours(
            urls,
            folder,
            Namespace(
                folder=options.folder, known=0, workers=setting.workers, per_host=setting.per_host
            ),
        )


def main() -> None:
    """Parse the arguments, run and judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--urls", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(tempfile.gettempdir()) / "celebcollect-bench",
        help="for corpus and runs",
    )
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    names = build(options.folder / "corpus", max(2000, options.urls))[: options.urls]
    ratios = {setting.name: compare(setting, names, options) for setting in SETTINGS}
    print()
    for name, ratio in ratios.items():
        print(f"simulated by real images/s: {ratio:.2f} ({name})")
    print()
    print(table())
    if any(abs(ratio - 1) > TOLERANCE for ratio in ratios.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
