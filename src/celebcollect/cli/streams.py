"""The three standard streams where they fail: closed, full, gone, or of a small encoding."""

import errno
import io
import os
import sys
from collections.abc import Sequence
from itertools import pairwise


def are_json_lines(arguments: Sequence[str]) -> bool:
    """Tell whether `--log-format json` stands on a command line, which may be wrong elsewhere."""
    return "--log-format=json" in arguments or ("--log-format", "json") in pairwise(arguments)


def prepare() -> None:
    """
    Make every write possible, or fail with an OSError instead of something else.

    Python sets a stream that was closed (`>&-`) to None, and the next file that is opened would
    take its number. Standing in for stdin and stdout is a descriptor of the wrong direction, so
    that whoever needs them is told "Bad file descriptor"; what stderr would have said is lost.
    """
    sys.stdin = sys.stdin or _stand_in(0, os.O_WRONLY, "r")
    sys.stdout = sys.stdout or _stand_in(1, os.O_RDONLY, "w")
    sys.stderr = sys.stderr or _stand_in(2, os.O_WRONLY, "w")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def close_output() -> None:
    """
    Send what is still to be written nowhere.

    It cannot be written, and the interpreter would complain at its end.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def why_unusable(error: OSError) -> str | None:
    """
    Return what to tell of a stream that can be neither written nor read.

    None when the error is about something else.
    """
    if error.filename is None and error.errno in (
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EIO,
    ):
        return f"cannot write the output: {os.strerror(error.errno)}"
    if (error.filename is None and error.errno == errno.EBADF) or isinstance(
        error, io.UnsupportedOperation
    ):
        return "cannot read stdin or write stdout: it is closed"
    return None


def _stand_in(number: int, flags: int, mode: str) -> io.TextIOWrapper:
    opened = os.open(os.devnull, flags)
    if opened != number:
        os.dup2(opened, number)
        os.close(opened)
    raw = io.FileIO(number, mode, closefd=False)
    return io.TextIOWrapper(
        io.BufferedReader(raw) if mode == "r" else io.BufferedWriter(raw), encoding="utf-8"
    )
