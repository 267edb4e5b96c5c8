"""What has to be settled before the program is loaded: Ctrl-C in the middle of an import, and how often Python looks for cycles."""

import gc
import os
import signal
from types import FrameType

_CYCLES_AT = 10_000
"""Python looks for cycles when there are 700 objects more. A batch of messages is thousands of them, a module at import hundreds, next to none in
cycles; measured, a larger number saves little more, and `store` takes no more memory with this one."""


def look_for_cycles_seldom() -> None:
    """Save the tenth of the CPU time that looking for cycles takes while modules are loaded and messages stream through."""
    gc.set_threshold(_CYCLES_AT, *gc.get_threshold()[1:])


def shield() -> None:
    """
    Let Ctrl-C end the process at once; what a parent has told us to ignore (nohup) stays ignored.

    In the middle of an import it would be a traceback, and there is nothing yet to finish.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end_at_once)


def unshield() -> None:
    """Let Ctrl-C be an exception again, so that what is open is closed."""
    if signal.getsignal(signal.SIGINT) is _end_at_once:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end_at_once(_number: int, _frame: FrameType | None) -> None:
    os._exit(130)
