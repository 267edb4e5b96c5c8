"""Measure the way through a Kafka broker: a bare loop, our bus, and all of `validate`.

    python benchmarks/kafka.py [--messages N] [--rounds N]

Starts a broker of its own (see tests/services). Every contender moves the same candidates from one
topic to another in batches of 500: it polls a batch, publishes as many messages, waits for their
acknowledgement and commits. In each round all of them run, one after the other; the middle round is
reported with the slowest and the fastest, and ratios are taken within a round.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from confluent_kafka import Consumer, Producer

from celebcollect import runtime
from celebcollect.bus.base import Item, TopicSpec
from celebcollect.bus.kafka import KafkaBus
from celebcollect.catalogue.sqlite.catalogue import EmbeddedCatalogue
from celebcollect.config.sections import KafkaConfig
from celebcollect.domain.tally import Tally
from celebcollect.stages.runner import consume
from celebcollect.stages.validate import validate_stage

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from services.kafka_broker import kafka

BATCH = 500
PARTITIONS = 6
TARGET = 0.5
"""Of the bare loop's rate, promised for `validate`."""


def candidate(number: int) -> Item:
    """Return a message of some 450 bytes; 20 in a row are of one person, URLs all differ."""
    qid = f"Q{number // 20 + 1}"
    facts = {
        "schema": 1,
        "qid": qid,
        "name": "Somebody Famous",
        "source": "google",
        "rank": number % 100,
        "width_px": 1200,
        "height_px": 1600,
    }
    facts |= {
        "url": f"https://img.somewhere.net/{number:08d}/portrait-of-somebody.jpg",
        "page_url": f"https://www.example.org/articles/{number}",
    }
    facts |= {"page_title": "A page about somebody famous " * 3, "found_at": "2026-11-20T12:00:00Z"}
    return qid, json.dumps(facts).encode()


def bare(servers: str, source: str, target: str, count: int) -> None:
    """Do the least with confluent-kafka alone: delivery awaited, one commit per batch."""
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": uuid.uuid4().hex,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 100,
        }
    )
    producer = Producer({"bootstrap.servers": servers, "acks": "all"})
    consumer.subscribe([source])
    moved = 0
    while moved < count:
        messages = consumer.consume(BATCH, 0.2)
        for message in messages:
            producer.produce(target, value=message.value(), key=message.key())
        producer.flush()
        if messages:
            consumer.commit(asynchronous=False)
        moved += len(messages)
    consumer.close()


def through_bus(bus: KafkaBus, source: str, target: str, count: int) -> None:
    """Do the same with the bus."""
    moved = 0
    with bus.subscribe([source], uuid.uuid4().hex) as subscription:
        while moved < count:
            messages = subscription.poll(BATCH, 0.2)
            bus.publish(target, [(message.key, message.value) for message in messages])
            subscription.commit(messages)
            moved += len(messages)


def validate(bus: KafkaBus, source: str, target: str, folder: Path, count: int) -> None:
    """Run the real stage with an embedded catalogue that knows nothing yet."""
    catalogue = EmbeddedCatalogue(folder / f"{uuid.uuid4().hex}.sqlite3")
    tally = Tally()
    stage = validate_stage(
        catalogue,
        candidate_topics=[source],
        verified_topic=target,
        allow_private=False,
        tally=tally,
    )
    stage = replace(stage, group=uuid.uuid4().hex)  # each round starts at the beginning
    consume(stage, bus, tally, stop=threading.Event(), more_may_come=lambda: False)
    assert tally["verified"] == count, tally
    catalogue.close()


def rate(count: int, work: Callable[[], None]) -> float:
    """Return messages per second of wall time, joining the group included."""
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def main() -> None:
    """Measure as the program runs: tuned."""
    with runtime.tuned(), runtime.working():
        measure()


def measure() -> None:
    """Print the rates of all rounds and the ratios."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument(
        "--messages", type=int, default=60_000, help="per contender and round (default: 60000)"
    )
    arguments.add_argument("--rounds", type=int, default=3, help="(default: 3)")
    chosen = arguments.parse_args()
    items = [candidate(number) for number in range(chosen.messages)]
    size = sum(len(value or b"") for _, value in items) / len(items)
    rates: dict[str, list[float]] = {"bare confluent-kafka": [], "our bus": [], "validate": []}
    with kafka() as broker, tempfile.TemporaryDirectory() as name:
        bus = KafkaBus(KafkaConfig(bootstrap_servers=broker.bootstrap, partitions=PARTITIONS))
        start = time.perf_counter()
        for first in range(0, len(items), BATCH):
            bus.publish("candidates", items[first : first + BATCH])
        published = len(items) / (time.perf_counter() - start)
        for number in range(chosen.rounds):
            targets = [f"moved-{number}-{contender}" for contender in range(3)]
            bus.ensure([TopicSpec(target) for target in targets])
            work = (
                lambda target: bare(broker.bootstrap, "candidates", target, len(items)),
                lambda target: through_bus(bus, "candidates", target, len(items)),
                lambda target: validate(bus, "candidates", target, Path(name), len(items)),
            )
            for contender, do, target in zip(rates, work, targets, strict=True):
                rates[contender].append(rate(len(items), partial(do, target)))
        bus.close()
    print(
        f"{len(items)} messages of {size:.0f} bytes, {PARTITIONS} partitions, batches of {BATCH},"
        f" {chosen.rounds} rounds; messages/s"
    )
    print(f"{'publish only':<22} {published:>10,.0f}")
    for contender, values in rates.items():
        print(
            f"{contender:<22} {statistics.median(values):>10,.0f}   ({min(values):,.0f} to"
            f" {max(values):,.0f})"
        )
    for contender in ("our bus", "validate"):
        ratios = [
            mine / theirs
            for mine, theirs in zip(rates[contender], rates["bare confluent-kafka"], strict=True)
        ]
        promised = f"   promised: {TARGET}" if contender == "validate" else ""
        print(
            f"{contender} / bare{'':<{15 - len(contender)}} {statistics.median(ratios):>8.2f}  "
            f" ({min(ratios):.2f} to {max(ratios):.2f}){promised}"
        )


if __name__ == "__main__":
    main()
