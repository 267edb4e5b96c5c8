"""
What this program changes about the Python process that it runs in, and changes back.

`tuned` is put around the loading of the program and around `cli.main`, `working` around a command.
Each restores what it found, so that nothing stays changed, however the block is left.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

_CYCLES_AT = 10_000
"""Python looks for cycles when there are 700 objects more. A batch of messages is thousands of
them, a module at import hundreds, next to none in cycles. Not more, so that what a cycle does hold
(an error with a picture's bytes) goes soon; measured, `store` takes no more memory with this."""

_TURN_S = 0.001
"""Python lets a thread go on for 5 ms while others wait. Ours do little between two calls of SQLite
or librdkafka, and each would wait so long."""

_MALLOPT = {
    "M_ARENA_MAX": (-8, 1),
    "M_MMAP_THRESHOLD": (-3, 33_554_432),
    "M_TRIM_THRESHOLD": (-1, 134_217_728),
}
"""Settings of glibc's malloc with their numbers in malloc.h, see `keep_memory`."""


@contextmanager
def tuned(*, ends_process: bool = False) -> Iterator[None]:
    """
    Spare the program what Python's defaults cost it while it is loaded and runs.

    Inside, Python looks for no cycles and Ctrl-C ends the process at once, until `working` begins
    and again after it.

    Args:
        ends_process: Nothing is restored, because the process ends with the block. The end of the
            interpreter is as bad a place for Ctrl-C as its start, and looking for cycles in all
            that was loaded takes a seventh of what a short command costs.
    """
    with ExitStack() as restore:
        # Looking for plugins, pydantic reads the entry points of every package that is installed
        # beside us; we have no use for any.
        restore.enter_context(environment(PYDANTIC_DISABLE_PLUGINS="__all__"))
        restore.enter_context(warnings.catch_warnings())
        silence_pillow()
        restore.callback(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(_TURN_S)
        restore.callback(gc.set_threshold, *gc.get_threshold())
        gc.set_threshold(_CYCLES_AT, *gc.get_threshold()[1:])
        if gc.isenabled():
            restore.callback(gc.enable)
            gc.disable()  # modules stay, so that there is nothing to be found among them
        if _handles_ctrl_c(signal.default_int_handler):
            restore.callback(signal.signal, signal.SIGINT, signal.default_int_handler)
            signal.signal(signal.SIGINT, _end_at_once)
        yield
        if ends_process:
            gc.freeze()
            restore.pop_all()


@contextmanager
def working() -> Iterator[None]:
    """
    Run a command: Ctrl-C is an exception, so that what is open is closed.

    Python looks for cycles again, in what comes from now on.
    """
    with ExitStack() as restore:
        if _handles_ctrl_c(_end_at_once):
            restore.callback(signal.signal, signal.SIGINT, _end_at_once)
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if not gc.get_freeze_count():
            restore.callback(gc.unfreeze)
            gc.freeze()
        if not gc.isenabled():
            restore.callback(gc.disable)
            gc.enable()
        yield


@contextmanager
def environment(**defaults: str) -> Iterator[None]:
    """Set variables that the environment does not set, for what reads them inside the block."""
    added = {name: value for name, value in defaults.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


def silence_pillow() -> None:
    """
    Ignore Pillow's warnings, about its own limit of pixels and about broken EXIF.

    Our limit is checked before every decode, and Pillow's error at twice its own limit stays, so
    that they would only go to stderr. `tuned` does this for the program; a worker process that
    decodes does it for itself.
    """
    warnings.filterwarnings("ignore", module=r"PIL\.")


def keep_memory() -> None:
    """
    Let all threads take memory from one place that is not given back after each picture.

    By default each thread keeps apart what its largest picture took, and buffers of megabytes come
    from the system, zeroed, again and again. Measured on the benchmark's pictures: a quarter of the
    page faults, 5 % less CPU, 185 MB at most instead of 220. 128 MB stay when idle.

    This is mallopt(3) of glibc; elsewhere nothing happens. glibc cannot tell the values before, so
    they stay until the process ends. They change what memory costs and nothing else.
    """
    import ctypes

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    for number, value in _MALLOPT.values():
        mallopt(number, value)


def _handles_ctrl_c(handler: object) -> bool:
    """
    Tell whether this is what Ctrl-C does now, and whether this thread may change that.

    What a parent has told us to ignore (nohup) stays ignored, as any other handler stays.
    """
    if threading.current_thread() is not threading.main_thread():
        return False
    return signal.getsignal(signal.SIGINT) is handler


def _end_at_once(_number: int, _frame: FrameType | None) -> None:
    """
    End the process, which has nothing to finish.

    In the middle of an import, an exception would be a traceback.
    """
    os._exit(130)
