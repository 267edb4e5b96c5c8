"""What only the embedded log promises.

One consumer per group, and nothing half done when a process is killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bus.bus_backends import Backend
from bus.bus_steps import numbered, present, take, take_and_commit, values
from celebcollect.bus.base import Bus, Message
from celebcollect.bus.sqlite.bus import EmbeddedBus
from celebcollect.domain.errors import Busy

pytestmark = pytest.mark.slow


def kill(process: subprocess.Popen[str]) -> list[str]:
    """Kill a process of ours for good and return the lines that it had left."""
    process.kill()
    return process.communicate(timeout=30)[0].splitlines()


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture
def backend(embedded: Backend) -> Backend:
    """Only the embedded log."""
    return embedded


@pytest.mark.parametrize("lines", [1, 7, 30])
def test_a_killed_publisher_leaves_whole_batches_only(
    backend: Backend, bus: Bus, topic: str, lines: int
) -> None:
    """Whatever publish returned for is there in order, each batch wholly or not at all."""
    writer = backend.start("publish", topic, "Q1", 100_000, 50, 400)
    told = [first_line(writer) for _ in range(lines)]
    told += kill(writer)

    kept = [(message.value or b"").decode().strip() for message in bus.read(topic)]
    batches = Counter(int(value.split("-")[1]) for value in kept)

    assert writer.returncode == -signal.SIGKILL
    assert set(batches.values()) == {50}
    assert sorted(batches) == list(range(len(batches)))
    # The last line may have been cut by the kill, and the batch after it may have reached the disk
    # untold.
    assert len(told) <= len(batches) <= len(told) + 1


def test_a_killed_consumer_frees_its_group(
    backend: Backend, bus: Bus, topic: str, group: str
) -> None:
    """The next consumer gets in at once and is given what the dead one had not committed."""
    bus.publish(topic, numbered(30))
    consumer = backend.start("consume", topic, group, 10, 1)
    lines = [first_line(consumer) for _ in range(2)]
    with pytest.raises(Busy):
        bus.subscribe([topic], group)
    lines += kill(consumer)

    committed = [value for line in lines[1:] for value in line.split(",")]
    rest: list[Message] = []
    with bus.subscribe([topic], group) as subscription:
        while more := subscription.poll(30, 0.1):  # nobody adds any: what is left is there
            rest += more

    # The last batch may have been committed untold.
    assert present(rest) in (
        [str(number).encode() for number in range(start, 30)]
        for start in (len(committed), len(committed) + 10)
    )


def test_uncommitted_work_of_a_killed_consumer_is_repeated(
    backend: Backend, bus: Bus, topic: str, group: str
) -> None:
    """A consumer that dies before its commit has done nothing that counts."""
    bus.publish(topic, numbered(10))
    consumer = backend.start("consume", topic, group, 10, 0)
    lines = [first_line(consumer) for _ in range(2)]
    kill(consumer)

    again = take_and_commit(bus, topic, group, 10)

    assert lines[1].split(",") == [(value or b"").decode() for value in values(again)]


def test_the_second_consumer_is_told_who_holds_the_group(
    backend: Backend, bus: Bus, topic: str, group: str
) -> None:
    """Busy names the process and since when; other groups, and this one later, are open."""
    consumer = backend.start("consume", topic, group, 10, 1)
    first_line(consumer)

    with pytest.raises(
        Busy, match=rf"group {group} is in use by process {consumer.pid} on .+ since 20"
    ) as raised:
        bus.subscribe([topic], group)
    bus.subscribe([topic], f"{group}-other").close()
    kill(consumer)
    bus.subscribe([topic], group).close()

    assert raised.value.exit_code == 3
    assert "Kafka" in raised.value.hint


def test_one_process_is_one_consumer_too(bus: Bus, topic: str, group: str) -> None:
    """A second subscription of one process is refused while the first lives, not afterwards."""
    with bus.subscribe([topic], group) as subscription:
        with pytest.raises(Busy, match=str(os.getpid())):
            bus.subscribe([topic], group)
        bus.publish(topic, numbered(1))
        first = take(subscription, 1)

    with bus.subscribe([topic], group) as subscription:
        second = take(subscription, 1)

    assert values(first) == values(second) == [b"0"]


@pytest.mark.parametrize(
    "name",
    [
        "../../escape",
        "a/b",
        "",
        "'; DROP TABLE holders; --",
        "😀" * 100,
        "\x00",
        "x" * 5000,
    ],
)
def test_any_text_is_a_group(
    backend: Backend, bus: Bus, topic: str, name: str, tmp_path: Path
) -> None:
    """A group's name reaches no path and breaks no query, and each name is a group of its own."""
    bus.publish(topic, numbered(3))
    with bus.subscribe([topic], name) as subscription:
        subscription.commit(take(subscription, 2))
        with pytest.raises(Busy):
            bus.subscribe([topic], name)

    assert bus.topics()[0].lag == {name: 1}
    assert {path.parent for path in tmp_path.rglob("*.lock")} == {tmp_path / "log"}


def test_closing_the_bus_frees_its_groups(
    backend: Backend, bus: Bus, topic: str, group: str
) -> None:
    """A subscription that was left open does not outlive its bus."""
    careless = backend.open()
    careless.subscribe([topic], group)

    careless.close()

    bus.subscribe([topic], group).close()


def test_four_processes_write_without_getting_in_each_others_way(
    backend: Backend, bus: Bus, topic: str, group: str
) -> None:
    """
    Four writers start at once on an empty folder, and a reader follows them.

    All succeed, everything is there.
    """
    writers = [backend.start("publish", topic, f"Q{number}", 60, 20) for number in range(1, 5)]
    with bus.subscribe([topic], group) as subscription:
        messages: list[Message] = []
        while len(messages) < 4800 and (
            messages or any(writer.poll() is None for writer in writers)
        ):
            batch = subscription.poll(500, 5)
            subscription.commit(batch)
            messages += batch
        lag = subscription.lag()
    errors = [writer.communicate(timeout=30)[1] for writer in writers]

    assert errors == [""] * 4
    assert (len(set(values(messages))), len(messages), lag) == (4800, 4800, 0)


def test_a_new_log_is_opened_by_many_at_once(tmp_path: Path) -> None:
    """Making the file is safe when many find it missing at the same moment."""

    def open_together(folder: Path, barrier: threading.Barrier) -> EmbeddedBus:
        barrier.wait()
        return EmbeddedBus(folder)

    for number in range(8):
        with ThreadPoolExecutor(8) as pool:
            opened = list(
                pool.map(open_together, [tmp_path / str(number)] * 8, [threading.Barrier(8)] * 8)
            )
        for bus in opened:
            bus.publish("urls", numbered(1))
            bus.close()

        bus = EmbeddedBus(tmp_path / str(number))
        assert bus.topics()[0].messages == 8
        bus.close()
