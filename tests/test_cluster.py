"""On Apache Kafka and a server of MongoDB's protocol: the same pictures as on one workstation."""

from __future__ import annotations

from pathlib import Path

import pytest

from celebcollect.demo.web import SmallWeb
from cluster import services, topic_of
from local_web import Collection
from services.kafka_keeper import Broker
from services.mongo_service import running

pytestmark = [pytest.mark.kafka, pytest.mark.mongo, pytest.mark.slow]


def test_run_all_gives_the_same_pictures_as_on_one_workstation(
    kafka_broker: Broker, tmp_path: Path
) -> None:
    """Only Kafka and MongoDB are configured: the same images, files and messages."""
    with SmallWeb() as web:
        embedded = Collection(tmp_path / "embedded", web)
        embedded.run("run-all", "--sources", "tmdb,commons")
        cluster = Collection(tmp_path / "cluster", web, services(kafka_broker, running("java")))
        cluster.run("run-all", "--sources", "tmdb,commons")
        want = embedded.data_set()
        have = cluster.data_set(topic_of(cluster, "clean"))
        again = cluster.downloads()
        cluster.run("run-all", "--sources", "tmdb,commons")

        assert have == want
        assert cluster.status()["log"] == "kafka"
        assert cluster.status()["catalogue"] == "mongo"
        assert cluster.downloads() == again, "a second run downloads nothing"
