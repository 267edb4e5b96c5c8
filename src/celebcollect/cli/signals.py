"""Turn SIGINT and SIGTERM into an event, so that a command ends between two batches."""

from __future__ import annotations

import _thread
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from celebcollect.domain.errors import Interrupted

GRACE_S = 8.0
"""How long work in hand may take to end after a signal: Docker kills after 10 seconds."""

GOES_ON = "What was finished is kept; the same command goes on from there."


class Stop(threading.Event):
    """Set by the first SIGINT or SIGTERM: finish the batch and end."""

    signal: int | None = None


@contextmanager
def stopping(*, following: bool = False) -> Iterator[Stop]:
    """
    Turn SIGINT and SIGTERM into an event, so that work ends between two batches.

    What does not end in time, because a service does not answer, and what is interrupted a second
    time, ends at once: everything that is kept bears that, and browsers are ended by their
    guardian. A command that follows ends normally by SIGTERM: that is how its supervisor stops it.

    Raises:
        Interrupted: When the block was left after a signal.
    """
    stop, ended = Stop(), threading.Event()

    def is_normal() -> bool:
        return following and stop.signal == signal.SIGTERM

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if stop.is_set() and number == signal.SIGINT:
            _end_at_once(Interrupted.exit_code)
        if not stop.is_set():
            # Beside the main thread, which may sit in a call that no signal ends. Begun only now,
            # because a thread that is there from the start costs `store` memory (see store.engine).
            # Not by threading.Thread: its start takes a lock that the interrupted code may hold.
            _thread.start_new_thread(watch, ())
        stop.signal = number
        stop.set()

    def watch() -> None:
        if not ended.wait(GRACE_S):
            _end_at_once(0 if is_normal() else Interrupted.exit_code)

    before = {
        number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stop
    except Interrupted:
        # Work that waited for a service ends like this; below, it is an interruption or a normal
        # end as if it had seen the event itself.
        if stop.signal is None:
            raise
    finally:
        ended.set()
        for number, handler in before.items():
            signal.signal(number, handler)
    if stop.signal is not None and not is_normal():
        raise Interrupted("interrupted", hint=GOES_ON)


def _end_at_once(code: int) -> NoReturn:
    """
    End the process without waiting for anybody.

    It writes past Python's streams, one of which may be what does not go on.
    """
    with suppress(OSError):
        if os.isatty(2):
            os.write(2, b"\x1b[?25h\n")  # the live display hides the cursor and leaves it in a line
        if code:
            told = f"celebcollect: interrupted before the work in hand had ended\n  {GOES_ON}\n"
            os.write(2, told.encode())
    os._exit(code)
