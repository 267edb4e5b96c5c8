"""The embedded log beside a model of it that is three lists.

Any sequence of steps gives the same answers.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from celebcollect.bus.base import Message, TopicSpec
from celebcollect.bus.sqlite.bus import EmbeddedBus

TOPICS = ("plain", "other", "compacted")
keys = st.sampled_from(["Q1", "Q2", "Q3"])


class LogBesideModel(RuleBasedStateMachine):
    """Publishes, polls, commits, closes and opens again."""

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bus-model-"))
        self.kept: dict[str, list[tuple[int, str, bytes]]] = {topic: [] for topic in TOPICS}
        self.published = dict.fromkeys(TOPICS, 0)
        self.committed = dict.fromkeys(TOPICS, 0)
        self.open()

    def open(self) -> None:
        self.bus = EmbeddedBus(self.folder)
        self.bus.ensure([TopicSpec(topic, compacted=topic == "compacted") for topic in TOPICS])
        self.join()

    def join(self) -> None:
        self.subscription = self.bus.subscribe(TOPICS, "group")
        self.position = dict(self.committed)
        self.polled: list[Message] = []

    @rule(
        topic=st.sampled_from(TOPICS),
        items=st.lists(st.tuples(keys, st.binary(max_size=3)), max_size=6),
    )
    def publish(self, topic: str, items: list[tuple[str, bytes]]) -> None:
        self.bus.publish(topic, items)
        for key, value in items:
            if topic == "compacted":
                self.kept[topic] = [message for message in self.kept[topic] if message[1] != key]
            self.kept[topic].append((self.published[topic], key, value))
            self.published[topic] += 1

    @rule(limit=st.integers(1, 8))
    def poll(self, limit: int) -> None:
        messages = self.subscription.poll(limit, 0)
        waiting = {
            topic: [message for message in self.kept[topic] if message[0] >= self.position[topic]]
            for topic in TOPICS
        }
        assert len(messages) == min(limit, sum(map(len, waiting.values())))
        for topic in TOPICS:
            mine = [
                (message.offset, message.key, message.value)
                for message in messages
                if message.topic == topic
            ]
            assert mine == waiting[topic][: len(mine)]
            if mine:
                self.position[topic] = mine[-1][0] + 1
        self.polled += messages

    @rule()
    def commit(self) -> None:
        self.subscription.commit(self.polled)
        for message in self.polled:
            self.committed[message.topic] = max(self.committed[message.topic], message.offset + 1)
        self.polled = []

    @rule()
    def leave_and_join(self) -> None:
        self.subscription.close()
        self.join()

    @rule()
    def reopen(self) -> None:
        self.bus.close()
        self.open()

    @invariant()
    def everything_is_there(self) -> None:
        for topic in TOPICS:
            assert [
                (message.offset, message.key, message.value) for message in self.bus.read(topic)
            ] == self.kept[topic]
        behind = sum(
            message[0] >= self.committed[topic] for topic in TOPICS for message in self.kept[topic]
        )
        assert self.subscription.lag() == behind

    def teardown(self) -> None:
        if hasattr(self, "bus"):
            self.bus.close()
            shutil.rmtree(self.folder)


LogBesideModel.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestLogBesideModel = LogBesideModel.TestCase
