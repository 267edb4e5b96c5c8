"""What has to be settled before the program is loaded: Ctrl-C in the middle of an import, and what Python does beside our work."""

import gc
import os
import signal
import sys
from types import FrameType

_CYCLES_AT = 10_000
"""Python looks for cycles when there are 700 objects more. A batch of messages is thousands of
them, a module at import hundreds, next to none in cycles. Not more, so that what a cycle does hold
(an error with a picture's bytes) goes soon; measured, `store` takes no more memory with this."""

_TURN_S = 0.001
"""Python lets a thread go on for 5 ms while others wait. Ours do little between two calls of SQLite
or librdkafka, and each would wait so long."""


def tune() -> None:
    """Spare the program what defaults cost it: CPU time at every start and while messages stream through, and waiting between threads."""
    # Looking for plugins, pydantic reads the entry points of every package that is installed beside
    # us; we have no use for any.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.disable()  # until `loaded`: modules stay, so that there is nothing to be found among them
    gc.set_threshold(_CYCLES_AT, *gc.get_threshold()[1:])
    sys.setswitchinterval(_TURN_S)


def loaded() -> None:
    """Begin the work: Ctrl-C is an exception again, so that what is open is closed, and Python looks for cycles in what comes from now on."""
    if signal.getsignal(signal.SIGINT) is _end_at_once:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.freeze()
    gc.enable()


def leave() -> None:
    """Let the interpreter end without looking for cycles in all that was loaded; that took a seventh of what a short command costs."""
    gc.freeze()


def shield() -> None:
    """
    Let Ctrl-C end the process at once; what a parent has told us to ignore (nohup) stays ignored.

    In the middle of an import it would be a traceback, and there is nothing yet to finish.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end_at_once)


def _end_at_once(_number: int, _frame: FrameType | None) -> None:
    os._exit(130)
