"""Ask whoever sits at the terminal, wherever the output of the program goes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from celebcollect.domain.errors import UsageError

ANSWERS = {"y": True, "yes": True, "n": False, "no": False, "": False}


def is_watched() -> bool:
    """Tell whether somebody can answer: stdin alone tells, as stdout and stderr may go to files."""
    return sys.stdin.isatty()


def confirm(question: str) -> bool:
    """
    Ask a question and return the answer; no answer is no.

    Raises:
        UsageError: Nobody would see the question.
    """
    with _shown() as terminal:
        while True:
            terminal.write(f"{question} [y/N]: ")
            terminal.flush()
            said = sys.stdin.readline()
            if said.strip().lower() in ANSWERS:
                return ANSWERS[said.strip().lower()]


@contextmanager
def _shown() -> Iterator[TextIO]:
    """Yield a stream to the terminal that the answer comes from."""
    if sys.stdout.isatty():
        yield sys.stdout
        return
    try:
        # Not stderr: it may be a file, or lines of JSON in which an unfinished line waits.
        terminal = open(os.ttyname(sys.stdin.fileno()), "w", encoding="utf-8")  # noqa: PTH123, SIM115
    except OSError as error:
        raise UsageError(
            "nobody can be asked: the terminal is out of reach", hint="Answer with --yes."
        ) from error
    with terminal:
        yield terminal
