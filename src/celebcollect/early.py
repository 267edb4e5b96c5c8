"""Ctrl-C while the program is still being loaded: in the middle of an import it would be a traceback, and there is nothing yet to finish."""

import os
import signal
from types import FrameType


def shield() -> None:
    """Let Ctrl-C end the process at once; what a parent has told us to ignore (nohup) stays ignored."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end_at_once)


def unshield() -> None:
    """Let Ctrl-C be an exception again, so that what is open is closed."""
    if signal.getsignal(signal.SIGINT) is _end_at_once:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end_at_once(_number: int, _frame: FrameType | None) -> None:
    os._exit(130)
