"""`topics publish` and `topics replay-dead` on a real Kafka.

A message that the topic does not take keeps none of the others.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from bus.bus_steps import present
from celebcollect.bus import dead
from celebcollect.bus.base import Message
from celebcollect.bus.kafka import KafkaBus
from celebcollect.config.sections import KafkaConfig
from services.kafka_keeper import Broker

pytestmark = pytest.mark.kafka

LIMIT = 2000
GIANT, SMALL = b"g" * 3000, [str(number).encode() for number in range(600)]


@pytest.mark.parametrize("command", ["publish", "replay-dead"])
def test_a_giant_does_not_keep_those_behind_it(
    kafka_broker: Broker, tmp_path: Path, topic: str, command: str
) -> None:
    """
    The first of several batches holds a message over the topic's limit.

    All the others arrive, exit code 3 tells of the one.
    """
    admin = AdminClient({"bootstrap.servers": kafka_broker.bootstrap})
    admin.create_topics([NewTopic(topic, 1, 1, config={"max.message.bytes": str(LIMIT)})])[
        topic
    ].result(10)
    (tmp_path / "config.toml").write_text(
        f'data_dir = "{tmp_path}"\n[kafka]\nbootstrap_servers = "{kafka_broker.bootstrap}"\n'
    )
    bus = KafkaBus(KafkaConfig(bootstrap_servers=kafka_broker.bootstrap, partitions=1))
    lines = [GIANT, *SMALL]
    with closing(bus):
        if command == "replay-dead":
            bus.publish(
                dead.dead_topic(topic),
                [dead.encode(Message(topic, 0, 0, None, line, 0), "garbage") for line in lines],
            )

        program = [sys.executable, "-m", "celebcollect"]
        config = ["--config", str(tmp_path / "config.toml")]
        done = subprocess.run(
            [*program, *config, "topics", command, topic],
            input=b"\n".join(lines) if command == "publish" else b"",
            capture_output=True,
            check=False,
            timeout=120,
        )

        assert sorted(present(bus.read(topic))) == sorted(SMALL)
    assert done.returncode == 3
    assert b" 600 messages on " in done.stdout
    assert b"1 messages were not published" in done.stderr
    assert b"max.message.bytes" in done.stderr


def test_looking_asks_for_our_topics_and_makes_none(
    kafka_broker: Broker, tmp_path: Path, topic: str
) -> None:
    """On a shared cluster `status` and `topics list` show ours alone; what is missing stays so."""
    names = {key: f"{topic}-{key}" for key in ("google", "tmdb", "commons", "verified", "clean")}
    config = tmp_path / "config.toml"
    config.write_text(
        f'[kafka]\nbootstrap_servers = "{kafka_broker.bootstrap}"\n[topics]\n'
        + "".join(f'{key} = "{name}"\n' for key, name in names.items())
    )
    with closing(KafkaBus(KafkaConfig(bootstrap_servers=kafka_broker.bootstrap))) as bus:
        bus.publish(f"{topic}-somebody-elses", [("k", b"1")])
        bus.publish(names["google"], [("Q1", b"1")])
        bus.publish(f"{names['google']}.dead", [("Q1", b"1")])

        for command in (("status", "--json"), ("topics", "list", "--json")):
            done = subprocess.run(
                [sys.executable, "-m", "celebcollect", "--config", str(config), *command],
                capture_output=True,
                text=True,
                timeout=120,
            )
            assert done.returncode == 0, done.stderr
            told = json.loads(done.stdout)
            assert set(told.get("topics", told)) == {names["google"], f"{names['google']}.dead"}

        there = {info.name for info in bus.topics() if info.name.startswith(topic)}
    assert there == {names["google"], f"{names['google']}.dead", f"{topic}-somebody-elses"}
