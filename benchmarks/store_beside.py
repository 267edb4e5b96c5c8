"""Measure `store` beside itself: near and far hosts, or few and many known pictures.

    python benchmarks/store_beside.py far [--urls 2000] [--rounds 5] [--latency-ms 100] [--hosts 50]
    python benchmarks/store_beside.py known [--urls 500] [--rounds 5] [--known 1000000]

far: images per second when every answer and every connection comes 100 ms late, against what the
cores manage without latency. Both go through the same door (`store_web.slow_door`), whose work
takes from the same cores. Workers and connections are those of the default configuration.
known: CPU per image with a catalogue of a million pictures, against one of a thousand.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from argparse import Namespace
from pathlib import Path

from store import Engine, Result, ours, report, rounds, spread, steady
from store_corpus import build
from store_web import slow_door, web

NO_LATENCY_MS = 0.01
FEW = 1000


def compare_far(options: Namespace, names: list[str]) -> None:
    """Run near and far in turn, and print the ratio of their speeds."""
    corpus = options.folder / "corpus"
    with (
        web(options.folder, corpus) as port,
        slow_door(port, NO_LATENCY_MS) as near,
        slow_door(port, options.latency_ms) as far,
    ):
        results = rounds({"near": _at(near), "far": _at(far)}, _paths(options, names), options)
    report(results, options)
    for size in options.urls:
        pairs = zip(results["far", size], results["near", size], strict=True)
        ratios = [
            far_run.pictures / far_run.wall_s / (near_run.pictures / near_run.wall_s)
            for far_run, near_run in pairs
        ]
        print(
            f"{size} URLs: with {options.latency_ms:g} ms of latency {spread(ratios)} times the"
            " images per second"
        )


def compare_known(options: Namespace, names: list[str]) -> None:
    """Run with few and many known pictures in turn, and print the ratio of what an image costs."""
    few, many = f"{FEW} known", f"{options.known} known"
    with web(options.folder, options.folder / "corpus") as port:
        results = rounds(
            {few: _at(port, FEW), many: _at(port, options.known)}, _paths(options, names), options
        )
    report(results, options)
    for size in options.urls:
        costs = {
            name: [
                steady(run, cold)
                for run, cold in zip(results[name, size], results[name, options.cold], strict=True)
            ]
            for name in (few, many)
        }
        ratios = [much / little for much, little in zip(costs[many], costs[few], strict=True)]
        ratio = statistics.median(costs[many]) / statistics.median(costs[few])
        print(
            f"{size} URLs: with {many} {ratio:.2f} times the CPU of an image with {few}; in each"
            f" round {spread(ratios)}"
        )


def _paths(options: Namespace, names: list[str]) -> list[str]:
    """Return host and path of every picture; the port comes later."""
    return [f"http://127.0.0.{n % options.hosts + 1}:PORT/{name}" for n, name in enumerate(names)]


def _at(port: int, known: int = 0) -> Engine:
    def run(urls: list[str], folder: Path, options: Namespace) -> Result:
        return ours(
            [url.replace("PORT", str(port)) for url in urls],
            folder,
            Namespace(**{**vars(options), "known": known}),
        )

    return run


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["far", "known"])
    parser.add_argument("--urls", type=int, nargs="+", help="sizes of the runs")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(tempfile.gettempdir()) / "celebcollect-bench",
        help="for corpus and runs",
    )
    parser.add_argument("--latency-ms", type=float, default=100)
    parser.add_argument("--hosts", type=int, help="names that the pictures are spread over")
    parser.add_argument("--known", type=int, default=1_000_000)
    parser.add_argument(
        "--cold", type=int, default=20, help="URLs of the run that measures starting up"
    )
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--per-host", type=int, default=4)
    options = parser.parse_args()
    options.urls = options.urls or ([2000] if options.what == "far" else [500])
    options.hosts = options.hosts or (50 if options.what == "far" else 1)
    options.folder.mkdir(parents=True, exist_ok=True)
    names = build(options.folder / "corpus", max(2000, *options.urls))
    (compare_far if options.what == "far" else compare_known)(options, names)


if __name__ == "__main__":
    main()
