"""Train on a real Kafka.

The topic is compacted and has several partitions; tombstones and the group's place count.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from celebcollect.bus.kafka import KafkaBus
from celebcollect.config.sections import KafkaConfig
from services.kafka_keeper import Broker
from training import School, record

pytestmark = pytest.mark.kafka


@pytest.fixture
def school(kafka_broker: Broker, tmp_path: Path) -> Iterator[School]:
    """A data folder whose log is Kafka, with a topic that nobody else has."""
    bus = KafkaBus(KafkaConfig(bootstrap_servers=kafka_broker.bootstrap, partitions=3))
    yield School(tmp_path, bus, f"clean-{uuid.uuid4().hex}")
    bus.close()


def test_training_reads_all_partitions_and_leaves_no_lag(school: School) -> None:
    """
    Everything is learnt and committed.

    What was withdrawn later is gone from the next model; what cannot be read waits on the dead
    topic.
    """
    school.people(1, 2, 3)

    first = school.train()
    lag = school.lag()
    school.bus.publish(
        school.topic, [(record(3, shot).key, None) for shot in range(10)] + [("Q9/x", b"{broken")]
    )
    waiting = school.lag()
    second = school.train()

    assert [person.qid for person in first.model.people] == ["Q1", "Q2", "Q3"]
    assert (len(first.model.vectors), lag, waiting) == (30, 0, 11)
    assert [person.qid for person in second.model.people] == ["Q1", "Q2"]
    assert school.lag() == 0
    assert school.tally.reasons == {"undecodable": 1}
    assert [message.key for message in school.bus.read(f"{school.topic}.dead")] == ["Q9/x"]


def test_an_unchanged_topic_gives_the_same_file(school: School) -> None:
    """In whatever order the partitions are read."""
    school.people(1, 2, 3, 4)
    school.train()
    model = school.file().read_bytes()

    school.train()

    assert school.file().read_bytes() == model
