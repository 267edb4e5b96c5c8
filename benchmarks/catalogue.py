"""Measure what a message costs the catalogue among few and among many known images.

    python benchmarks/catalogue.py [--small 10000] [--large 1000000] [--rounds 100] [--mongo
    java|ferretdb|URI] [--folder DIR]

A message costs what `validate` and `store` ask for it: known, add_verified, images_by_id and
record_stored, in batches of 500 about 25 people each. Both catalogues are filled first, then take
turns, so that whatever else the machine does meets both. Without --mongo the embedded catalogue is
measured, and more than twice the cost among many images is exit code 1.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from celebcollect.catalogue.base import Catalogue
from celebcollect.domain.batches import batches
from celebcollect.domain.records import Image, Status, image_id

BATCH = 500
PER_PERSON = 20
ALLOWED = 2.0

Parts = dict[str, tuple[float, float]]
"""CPU and wall seconds by name of the method."""


def candidate(person: int, place: str) -> Image:
    """Return a verified row with the usual fields filled."""
    url = f"https://pictures-{person % 50}.example/people/{person}/{place}.jpg"
    return Image(
        id=image_id(f"Q{person}", url),
        qid=f"Q{person}",
        name=f"Person {person}",
        status=Status.VERIFIED,
        source="google",
        url=url,
        page_url=f"https://pages.example/{person}/{place}",
        page_title=f"Person {person} at the opening night of a festival",
        profession="actor",
        rank=3,
    )


def stored(image: Image) -> Image:
    """Return the row as `store` leaves it, with a digest and a hash of its own."""
    sha256 = hashlib.sha256(image.id.encode()).hexdigest()
    facts = {
        "sha256": sha256,
        "path": f"images/{image.qid}/{sha256}.jpg",
        "bytes": 123_456,
        "format": "jpeg",
        "width_px": 1200,
        "height_px": 1600,
    }
    return image.model_copy(
        update={**facts, "status": Status.STORED, "phash": sha256[:16], "phash_version": 1}
    )


def known_images(count: int) -> Iterator[Image]:
    """Yield the images that a catalogue begins with."""
    return (stored(candidate(number // PER_PERSON + 1, f"old-{number}")) for number in range(count))


def fill(catalogue: Catalogue, count: int) -> None:
    """Bring a catalogue to `count` images."""
    began = time.perf_counter()
    for batch in batches(known_images(count), 5_000):
        catalogue.record_stored(batch)
    print(f"filled with {count:,} images in {time.perf_counter() - began:.0f} s", flush=True)


def one_batch(catalogue: Catalogue, people: int, source: random.Random) -> Parts:
    """Send 500 candidates, a tenth of them known, through the catalogue; return each time."""
    chosen = source.sample(range(1, people + 1), min(BATCH // PER_PERSON, people))
    mark = source.getrandbits(64)
    rows = [candidate(chosen[n % len(chosen)], f"new-{mark}-{n}") for n in range(BATCH)]
    ids = [row.id for row in rows]
    parts: Parts = {}

    def timed(name: str, work: Callable[[], object]) -> None:
        cpu, wall = time.process_time(), time.perf_counter()
        work()
        parts[name] = time.process_time() - cpu, time.perf_counter() - wall

    timed("known", lambda: catalogue.known(ids))
    timed("add_verified", lambda: catalogue.add_verified(rows))
    timed("images_by_id", lambda: catalogue.images_by_id(ids))
    done = [stored(row) for row in rows]
    timed("record_stored", lambda: catalogue.record_stored(done))
    return parts


def means(rounds: list[Parts]) -> Parts:
    """Return the mean time of each method and of all per batch, rare work with its share."""
    found = {
        name: (
            statistics.fmean(one[name][0] for one in rounds),
            statistics.fmean(one[name][1] for one in rounds),
        )
        for name in rounds[0]
    }
    found["together"] = (
        sum(cpu for cpu, _ in found.values()),
        sum(wall for _, wall in found.values()),
    )
    sums = [[sum(pair[part] for pair in one.values()) for one in rounds] for part in (0, 1)]
    found["median batch"] = (statistics.median(sums[0]), statistics.median(sums[1]))
    found["slowest batch"] = (max(sums[0]), max(sums[1]))
    return found


def report(sizes: list[int], results: list[Parts]) -> list[float]:
    """Print microseconds per message; return the ratios of large to small of all together."""
    print(
        f"{'microseconds per message':24}"
        + "".join(f"{f'{size:,} known':>24}" for size in sizes)
        + f"{'ratio':>16}"
    )
    ratios = [1.0, 1.0]
    for name in results[0]:
        cells = "".join(
            f"{cpu * 1e6 / BATCH:10.1f} cpu {wall * 1e6 / BATCH:7.1f} w"
            for cpu, wall in (result[name] for result in results)
        )
        ratio = [results[-1][name][part] / max(results[0][name][part], 1e-9) for part in (0, 1)]
        print(f"{name:24}{cells} {ratio[0]:7.2f} {ratio[1]:8.2f}")
        if name == "together":
            ratios = ratio
    return ratios


def openers(
    arguments: argparse.Namespace, folder: Path
) -> Iterator[tuple[int, Callable[[], Catalogue]]]:
    """Yield each size and how to open its catalogue."""
    for size in (arguments.small, arguments.large):
        if arguments.mongo:
            yield (
                size,
                partial(mongo, arguments.mongo, f"bench-{size}-{os.getpid()}", folder),
            )
        else:
            from celebcollect.catalogue.sqlite.catalogue import EmbeddedCatalogue

            yield size, partial(EmbeddedCatalogue, folder / f"{size}.sqlite3")


def mongo(server: str, database: str, folder: Path) -> Catalogue:
    """Open a catalogue on a server that runs, or on a stand-in of the tests."""
    from pydantic import SecretStr

    from celebcollect.catalogue.mongo import MongoCatalogue
    from celebcollect.config.sections import MongoConfig

    uri = server
    if server in ("java", "ferretdb"):
        sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
        from services.mongo_service import MongoServer

        stand_in = MongoServer(server, folder / database, heap_mb=8000).start()
        uri, database = stand_in.uri, stand_in.new_database()
    return MongoCatalogue(MongoConfig(uri=SecretStr(uri), database=database))


def main() -> int:
    """Fill two catalogues, let them take turns, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--mongo", default="")
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        opened = [(size, open_()) for size, open_ in openers(arguments, Path(folder))]
        for size, catalogue in opened:
            fill(catalogue, size)
        source = random.Random(7)
        rounds: list[list[Parts]] = [[] for _ in opened]
        for turn in range(arguments.rounds + 2):
            for (size, catalogue), taken in zip(opened, rounds, strict=True):
                parts = one_batch(catalogue, max(1, size // PER_PERSON), source)
                if turn >= 2:  # the first two warm the caches
                    taken.append(parts)
        ratios = report([size for size, _ in opened], [means(taken) for taken in rounds])
        asked: dict[str, Callable[[Catalogue], object]] = {
            "counts": lambda catalogue: catalogue.counts(),
            "need_search, 100 people": lambda catalogue: catalogue.need_search(
                "tmdb", target=100, limit=100
            ),
            "need_cleaning, 100 people": lambda catalogue: catalogue.need_cleaning("v1", limit=100),
        }
        for name, work in asked.items():
            times = []
            for _, catalogue in opened:
                began = time.perf_counter()
                work(catalogue)
                times.append(f"{(time.perf_counter() - began) * 1e3:.1f} ms")
            print(f"{name:28}" + "".join(f"{text:>16}" for text in times))
        for _, catalogue in opened:
            catalogue.close()
    return 1 if not arguments.mongo and max(ratios) > ALLOWED else 0


if __name__ == "__main__":
    raise SystemExit(main())
