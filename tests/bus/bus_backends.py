"""The places that keep messages in tests, and how tests open a bus on Kafka."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bus.bus_process import open_bus
from celebcollect.bus.base import Bus
from celebcollect.bus.kafka import KafkaBus

OpenKafka = Callable[..., KafkaBus]
"""Opens a bus with given settings."""


@dataclass(frozen=True)
class Backend:
    """A place that keeps messages, which this process and others open."""

    kind: str
    where: str

    def open(self) -> Bus:
        return open_bus(self.kind, self.where)

    def start(self, action: str, *arguments: object) -> subprocess.Popen[str]:
        """Start another process on the same backend; see bus_process.py."""
        script = Path(__file__).with_name("bus_process.py")
        command = [sys.executable, str(script), self.kind, self.where, action, *map(str, arguments)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
