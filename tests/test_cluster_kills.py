"""Workers on a cluster, killed at random: nothing is lost and nothing is there twice."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

import pytest

from cluster import (
    Pictures,
    SmallWebStub,
    Workers,
    pictures,
    publish,
    services,
    topic_of,
    wait_until_settled,
    workers,
)
from local_web import Collection
from services.kafka_keeper import Broker
from services.mongo_service import running

__all__ = ["pictures", "workers"]

pytestmark = [pytest.mark.kafka, pytest.mark.mongo, pytest.mark.slow]


@pytest.mark.timeout(900)
def test_workers_that_are_killed_lose_nothing(
    kafka_broker: Broker, tmp_path: Path, pictures: Pictures, workers: list[Workers]
) -> None:
    """10,000 candidates go through 3 + 3 processes that are killed and started again."""
    total = 10_000
    collection = Collection(
        tmp_path / "it",
        SmallWebStub(pictures.base),
        services(kafka_broker, running("java"), own_bytes=True),
    )
    publish(collection, topic_of(collection, "tmdb"), pictures.candidates(range(total)))
    # every twentieth once more
    publish(collection, topic_of(collection, "google"), pictures.candidates(range(0, total, 20)))
    crew = Workers(collection)
    workers.append(crew)
    for stage in ("validate", "store") * 3:
        crew.start(stage)
    seed = random.randrange(10**6)
    dice = random.Random(seed)
    last_kill = time.monotonic()

    def sometimes_kill() -> None:
        nonlocal last_kill
        if crew.killed < 12 and time.monotonic() - last_kill > dice.uniform(1, 6):
            crew.kill_one(dice)
            last_kill = time.monotonic()

    wait_until_settled(collection, pictures, total, 600, sometimes_kill)
    codes = crew.stop()
    rows = collection.images()

    print(  # noqa: T201
        f"seed {seed}: {crew.killed} workers killed; {sum(pictures.asked.values())} requests for"
        f" {total} pictures"
    )
    assert crew.killed >= 6
    assert codes == [0] * 6, "SIGTERM is how a worker ends"
    assert len(rows) == len({row["url"] for row in rows}) == total
    assert Counter(row["status"] for row in rows) == {
        "stored": total * 9 // 10,
        "failed": total // 10,
    }
    assert collection.files() == {row["path"] for row in rows if row["path"]}
    assert collection.contents() == pictures.files(total), (
        "exactly the same bytes under the same names"
    )
