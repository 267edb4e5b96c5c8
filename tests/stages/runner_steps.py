"""A stage of texts, and what drains it, for the tests of the consume loop."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import dataclass, field

from celebcollect.bus.base import Message
from celebcollect.bus.sqlite.bus import EmbeddedBus
from celebcollect.domain.tally import Tally
from celebcollect.stages.runner import Output, Stage, consume, handled


class Crash(BaseException):
    """The process dies here: nothing after this line runs."""


@dataclass
class Doubling:
    """
    A stage with an idempotent effect.

    It passes each text on and keeps it in a set, as a catalogue would.
    """

    kept: set[str] = field(default_factory=set)
    crash_at: str = ""

    def stage(self) -> Stage[str]:
        return Stage(
            group="doubling", topics=("in",), decode=self.decode, handle=self.handle, batch=3
        )

    def decode(self, message: Message) -> str:
        self.step("decode")
        return (message.value or b"").decode()

    def handle(self, texts: list[str]) -> Future[Output]:
        self.step("handle")

        def finish(_: object) -> None:
            self.step("finish")
            self.kept.update(texts)
            self.step("finished")

        return handled(Output({"out": [(text, text.encode()) for text in texts]}, finish))

    def step(self, name: str) -> None:
        if self.crash_at == name:
            self.crash_at = ""
            raise Crash(name)


def drain(stage: Stage[str], bus: EmbeddedBus, tally: Tally | None = None) -> None:
    consume(
        stage,
        bus,
        tally or Tally(),
        stop=threading.Event(),
        more_may_come=lambda: False,
        poll_s=0.01,
    )


def values(bus: EmbeddedBus, topic: str) -> list[str]:
    return [(message.value or b"").decode() for message in bus.read(topic)]
