"""Measure the embedded log, messages per second, beside a bare file.

    python benchmarks/log.py [--messages N] [--folder DIR]

The bare file says what the disk gives on this machine right now: compare ratios, not rates, between
machines. Each of the rounds measures both, one after the other; the middle round is reported with
the slowest and the fastest.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from celebcollect.bus.base import Item
from celebcollect.bus.sqlite.bus import EmbeddedBus

BATCH = 500
TARGETS = {"publish": 40_000, "consume": 100_000}
"""Messages per second that the project promises."""


def candidate(number: int) -> Item:
    """Return a message of about 500 bytes, shaped like a candidate."""
    url = f"https://images.example.org/{number:08d}/{'portrait-of-somebody-' * 5}.jpg"
    facts = {
        "schema": 1,
        "qid": f"Q{number % 5000 + 1}",
        "name": "Somebody Famous",
        "url": url,
        "source": "google",
        "rank": number % 100,
    }
    facts |= {
        "page_url": f"https://www.example.org/articles/{number}",
        "page_title": "A page about somebody famous " * 3,
        "found_at": "2026-11-20T12:00:00Z",
    }
    return str(facts["qid"]), json.dumps(facts).encode()


def bare_file(folder: Path, batches: list[list[Item]]) -> None:
    """Append each batch to a file and fsync it: the least that durability costs."""
    with (folder / "bare").open("ab", buffering=0) as file:
        for batch in batches:
            file.write(
                b"".join(
                    (key or "").encode() + b"\t" + (value or b"") + b"\n" for key, value in batch
                )
            )
            os.fsync(file.fileno())
    (folder / "bare").unlink()


def bare_read(folder: Path, batches: int) -> None:
    """Read the lines of a file, and fsync a small mark after each batch."""
    with (folder / "lines").open("rb") as file, (folder / "mark").open("wb", buffering=0) as mark:
        for _ in range(batches):
            _ = [file.readline().split(b"\t", 1) for _ in range(BATCH)]
            mark.seek(0)
            mark.write(str(file.tell()).encode())
            os.fsync(mark.fileno())


def publish(bus: EmbeddedBus, topic: str, batches: list[list[Item]]) -> None:
    """Publish every batch; each is on the disk before the next."""
    for batch in batches:
        bus.publish(topic, batch)


def consume(bus: EmbeddedBus, topic: str, expected: int) -> None:
    """Poll and commit in batches until the topic is drained."""
    seen = 0
    with bus.subscribe([topic], f"{topic}-readers") as subscription:
        while messages := subscription.poll(BATCH, 0):
            subscription.commit(messages)
            seen += len(messages)
        assert (seen, subscription.lag()) == (expected, 0)


def rate(messages: int, work: Callable[[], None]) -> float:
    """Return messages per second of wall time."""
    start = time.perf_counter()
    work()
    return messages / (time.perf_counter() - start)


def main() -> None:
    """Print the rates of all rounds in a table."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument(
        "--messages", type=int, default=200_000, help="per round (default: 200000)"
    )
    arguments.add_argument("--rounds", type=int, default=5, help="(default: 5)")
    arguments.add_argument(
        "--folder", type=Path, help="on the disk to measure (default: the temporary folder)"
    )
    chosen = arguments.parse_args()
    items = [candidate(number) for number in range(chosen.messages // BATCH * BATCH)]
    batches = [items[start : start + BATCH] for start in range(0, len(items), BATCH)]
    size = sum(len(value or b"") for _, value in items) / len(items)
    print(
        f"{len(items)} messages of {size:.0f} bytes, batches of {BATCH}, every batch on the disk,"
        f" {chosen.rounds} rounds; messages/s"
    )
    rates: dict[str, list[float]] = {
        "publish": [],
        "bare append + fsync": [],
        "consume": [],
        "bare read + fsync": [],
    }
    with tempfile.TemporaryDirectory(dir=chosen.folder) as name:
        folder = Path(name)
        (folder / "lines").write_bytes(
            b"".join((key or "").encode() + b"\t" + (value or b"") + b"\n" for key, value in items)
        )
        bus = EmbeddedBus(folder / "log")
        for number in range(chosen.rounds):
            topic = f"round-{number}"
            rates["bare append + fsync"].append(
                rate(len(items), lambda: bare_file(folder, batches))
            )
            rates["publish"].append(rate(len(items), partial(publish, bus, topic, batches)))
            rates["bare read + fsync"].append(
                rate(len(items), lambda: bare_read(folder, len(batches)))
            )
            rates["consume"].append(rate(len(items), partial(consume, bus, topic, len(items))))
        bus.close()
    for what, values in rates.items():
        target = f"   promised: {TARGETS[what]:,}" if what in TARGETS else ""
        print(
            f"{what:<20} {statistics.median(values):>12,.0f}   ({min(values):,.0f} to"
            f" {max(values):,.0f}){target}"
        )
    for ours, bare in (("publish", "bare append + fsync"), ("consume", "bare read + fsync")):
        ratio = statistics.median(
            mine / theirs for mine, theirs in zip(rates[ours], rates[bare], strict=True)
        )
        print(f"{ours:<8} / {bare:<20} {ratio:.2f}")


if __name__ == "__main__":
    main()
