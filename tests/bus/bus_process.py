"""A process of its own on a bus, for tests: `python bus_process.py KIND WHERE ACTION ARGUMENT...`.

publish TOPIC TAG BATCHES SIZE [PADDING]: publish batches of `TAG-batch-number`, print a batch's
number when publish has returned. consume TOPIC GROUP BATCH COMMIT: print `joined`, then a line for
each polled batch (values, comma-separated), committing if COMMIT is 1.
"""

from __future__ import annotations

import sys
from pathlib import Path

from celebcollect.bus.base import Bus
from celebcollect.bus.kafka import KafkaBus
from celebcollect.bus.sqlite.bus import EmbeddedBus
from celebcollect.config.sections import KafkaConfig


def say(line: object) -> None:
    """Tell the parent, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def open_bus(kind: str, where: str) -> Bus:
    """Open a bus by its kind and place: a folder, or Kafka's servers."""
    if kind == "kafka":
        return KafkaBus(
            KafkaConfig(bootstrap_servers=where, partitions=3, client={"session.timeout.ms": 2000})
        )
    return EmbeddedBus(Path(where))


def publish(bus: Bus, topic: str, tag: str, batches: int, size: int, padding: int = 0) -> None:
    for batch in range(batches):
        bus.publish(
            topic,
            [(tag, f"{tag}-{batch}-{number}".encode() + b" " * padding) for number in range(size)],
        )
        say(batch)


def consume(bus: Bus, topic: str, group: str, batch: int, *, commit: bool) -> None:
    with bus.subscribe([topic], group) as subscription:
        say("joined")
        while True:
            messages = subscription.poll(batch, 0.5)
            if messages:
                if commit:
                    subscription.commit(messages)
                say(",".join((message.value or b"").decode() for message in messages))


def main(kind: str, where: str, action: str, *arguments: str) -> None:
    bus = open_bus(kind, where)
    match action, arguments:
        case "publish", (topic, tag, *numbers):
            publish(bus, topic, tag, *map(int, numbers))
        case "consume", (topic, group, batch, commit):
            consume(bus, topic, group, int(batch), commit=commit == "1")
        case _:
            raise SystemExit(f"unknown: {action} {arguments}")
    bus.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
