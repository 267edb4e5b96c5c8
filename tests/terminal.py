"""A pseudo-terminal of a given width for the real program."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence

MOVES = re.compile(r"\x1b\[[0-9;?]*[AHJK]")
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


class Terminal:
    """Runs a program in a terminal; `text` is what it wrote, without control sequences."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int,
        environment: Mapping[str, str],
        stdin_too: bool = False,
    ) -> None:
        self._master, slave = pty.openpty()
        self._slave = slave
        self.resize(columns)
        kept = {
            name: value
            for name, value in environment.items()
            if name not in ("COLUMNS", "LINES", "NO_COLOR")
        }
        self.process = subprocess.Popen(
            command,
            stdin=slave if stdin_too else subprocess.DEVNULL,
            stdout=slave,
            stderr=slave,
            env={**kept, "TERM": "xterm", "LC_ALL": "C.UTF-8"},
            start_new_session=True,
        )
        self._bytes = b""

    @property
    def text(self) -> str:
        return CONTROL.sub("", MOVES.sub("\n", self._bytes.decode(errors="replace")))

    def resize(self, columns: int) -> None:
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def read_until(self, wanted: str, *, after: int = 0, timeout_s: float = 60) -> str:
        """Read until a pattern stands after so many characters; return the text from there."""
        give_up = time.monotonic() + timeout_s
        while not re.search(wanted, self.text[after:]):
            assert time.monotonic() < give_up, f"{wanted!r} did not come: {self.text[-3000:]}"
            self._read(0.2)
        return self.text[after:]

    def end(self, timeout_s: float = 60) -> int:
        """Read until the program has ended; return its exit code."""
        give_up = time.monotonic() + timeout_s
        while self.process.poll() is None:
            assert time.monotonic() < give_up, f"it did not end: {self.text[-3000:]}"
            self._read(0.2)
        while self._read(0):
            pass
        return self.process.returncode

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._master)
        os.close(self._slave)

    def _read(self, timeout_s: float) -> bool:
        if not select.select([self._master], [], [], timeout_s)[0]:
            return False
        self._bytes += os.read(self._master, 65536)
        return True
