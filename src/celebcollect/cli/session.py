"""What all commands share: the options before the command, the open app, signals, and ways to print."""

from __future__ import annotations

import _thread
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from celebcollect.domain.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from celebcollect.app import App
    from celebcollect.cli.view import View
    from celebcollect.config.sections import Config
    from celebcollect.domain.tally import Tally

UNBOUNDED = 100_000
"""Columns; more than any line has."""

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for a program.")]
FollowOption = Annotated[
    bool, typer.Option("--follow", help="Go on with what arrives until SIGTERM or Ctrl-C.")
]


GRACE_S = 8.0
"""How long work in hand may take to end after a signal: Docker kills after 10 seconds."""
GOES_ON = "What was finished is kept; the same command goes on from there."


class LogFormat(StrEnum):
    """Form of the log lines."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True)
class Session:
    """The options before the command."""

    config_file: Path | None
    verbosity: int
    log_format: LogFormat

    def config(self) -> Config:
        """Read the configuration and start logging."""
        from celebcollect import runtime as early
        from celebcollect.cli import log
        from celebcollect.config import file as configfile

        early.loaded()
        log.setup(self.verbosity, self.log_format.value)
        return configfile.load(self.config_file)

    @contextmanager
    def app(self, stop: threading.Event | None = None, **changes: dict[str, Any]) -> Iterator[App]:
        """Open the app; `stop` ends its waiting for services, `changes` are values of the command line by section, above file and environment."""
        from celebcollect.app import App
        from celebcollect.config import file as configfile

        loaded = self.config()
        with App(configfile.changed(loaded, changes), stop=stop) as app:
            yield app


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
            # because a thread that is there from the start costs `store` memory (see store_engine);
            # without threading.Thread, whose lock the interrupted code may hold.
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
    """End the process without waiting for anybody; written past Python's streams, one of which may be what does not go on."""
    with suppress(OSError):
        if os.isatty(2):
            os.write(2, b"\x1b[?25h\n")  # the live display hides the cursor and leaves it in a line
        if code:
            os.write(
                2,
                f"celebcollect: interrupted before the work in hand had ended\n  {GOES_ON}\n".encode(),
            )
    os._exit(code)


def add(app: typer.Typer, command: Callable[..., None], name: str | None = None) -> None:
    """Add a command; the list of commands shows the first sentence of its help whole."""
    app.command(name, short_help=(command.__doc__ or "").strip().partition("\n")[0])(command)


def session_of(context: typer.Context) -> Session:
    """Return the session that the options before the command made."""
    session = context.obj
    assert isinstance(session, Session)  # noqa: S101 - set by the callback of every command
    return session


def check_qid(qid: str) -> None:
    """
    Refuse what cannot be anybody.

    Raises:
        UsageError: It is no Wikidata item.
    """
    if not re.fullmatch(r"Q[1-9][0-9]{0,11}", qid):
        raise UsageError(
            f"{qid!r} is no Wikidata item",
            hint="An item is a Q and a number, e.g. Q42; `celebcollect images` shows them.",
        )


def print_json(value: object) -> None:
    """Print one line of JSON on stdout."""
    from celebcollect.cli.log import json_line

    sys.stdout.write(json_line(value, sys.stdout.encoding) + "\n")


def print_summary(session: Session, name: str, tally: Tally, *, as_json: bool) -> None:
    """Print what a stage did; with `-q` nothing where it found nothing to do, so that cron sends no mail."""
    if as_json:
        print_json({"stage": name, **tally.as_dict()})
    elif session.verbosity >= 0 or not tally.is_idle():
        sys.stdout.write(f"{name}: {tally}\n")


def printable(text: str) -> str:
    """Return a text without anything that a terminal would obey."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def print_line(text: str, *, indent: int = 0) -> None:
    """Print a sentence on stdout; on a terminal it is broken between words, and what follows is indented further."""
    if not sys.stdout.isatty():
        sys.stdout.write(f"{' ' * indent}{text}\n")
        return
    from rich.console import Console
    from rich.text import Text

    console = Console()
    for number, line in enumerate(Text(text).wrap(console, max(20, console.width - indent - 2))):
        sys.stdout.write(f"{' ' * (indent + 2 * bool(number))}{line.plain.rstrip()}\n")


def print_view(view: View) -> None:
    """Print stages on stdout, for the width of the terminal; where there is none, with everything and uncut."""
    from rich.cells import cell_len
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        from celebcollect.cli.view import WIDE

        console = Console(
            width=max(
                WIDE,
                _full_width(view.table()),
                *(cell_len(note) + 1 for note in (view.headline, *view.notes)),
            )
        )
    console.print(view)


def print_table(table: Table) -> None:
    """Print a table on stdout: as wide as the terminal, or as wide as its text where there is none."""
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console = Console(width=max(80, _full_width(table)))
    console.print(table)


def _full_width(table: Table) -> int:
    """Return the columns that a table takes uncut; a console never measures more than it is wide itself."""
    from rich.console import Console

    return Console(width=UNBOUNDED).measure(table).maximum
