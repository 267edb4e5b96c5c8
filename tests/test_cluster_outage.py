"""Workers on a cluster whose servers go away and come back: they wait, and finish."""

from __future__ import annotations

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
from services.kafka_broker import Kafka
from services.mongo_service import MongoServer

__all__ = ["pictures", "workers"]

pytestmark = [pytest.mark.kafka, pytest.mark.mongo, pytest.mark.slow]


@pytest.mark.timeout(900)
def test_servers_that_go_away_are_waited_for(
    kafka_cluster: Kafka, tmp_path: Path, pictures: Pictures, workers: list[Workers]
) -> None:
    """One broker dies, then all for 30 s, then MongoDB for 20 s: told once each, nothing lost."""
    mongo = MongoServer("java", tmp_path / "mongo").start()
    try:
        total = 3000
        collection = Collection(
            tmp_path / "it",
            SmallWebStub(pictures.base),
            services(kafka_cluster, mongo, replication=3, own_bytes=True),
        )
        first, second, third, fourth = (
            range(start, start + total // 4) for start in range(0, total, total // 4)
        )
        topic = topic_of(collection, "tmdb")
        publish(collection, topic, pictures.candidates(first))
        crew = Workers(collection)
        workers.append(crew)
        for stage in ("validate", "store") * 2:
            crew.start(stage)
        wait_until_settled(collection, pictures, len(first), 120, crew.must_live)

        publish(collection, topic, pictures.candidates(second))
        kafka_cluster.kill(0)
        wait_until_settled(collection, pictures, 2 * len(first), 120, crew.must_live)
        kafka_cluster.start_missing()
        kafka_cluster.wait()

        publish(collection, topic, pictures.candidates(third))
        kafka_cluster.kill()
        time.sleep(30)
        crew.must_live()
        kafka_cluster.start_missing()
        kafka_cluster.wait()
        wait_until_settled(collection, pictures, 3 * len(first), 180, crew.must_live)

        publish(collection, topic, pictures.candidates(fourth))
        mongo.stop()
        time.sleep(20)
        crew.must_live()
        mongo.start()
        wait_until_settled(collection, pictures, total, 180, crew.must_live)
        assert crew.stop() == [0] * 4
        rows = collection.images()
    finally:
        mongo.stop()

    assert len(rows) == len({row["url"] for row in rows}) == total
    assert Counter(row["status"] for row in rows) == {
        "stored": total * 9 // 10,
        "failed": total // 10,
    }
    assert collection.files() == {row["path"] for row in rows if row["path"]}
    assert collection.contents() == pictures.files(total)
    assert not any("Traceback" in line for line in crew.log_lines())
