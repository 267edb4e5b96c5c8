"""Show a run while it goes on: a live table on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from celebcollect.cli.stage_table import StageTable, duration, plain
from celebcollect.domain.errors import CelebCollectError

if TYPE_CHECKING:
    from rich.console import Console

    from celebcollect.run.progress import RunProgress
    from celebcollect.run.stage_line import StageLine
    from celebcollect.run.watch import RunWatch

log = logging.getLogger(__name__)

LIVE_PER_SECOND = 4
LOOK_EVERY_S = 1.0
LOOK_SHARE = 0.05
"""Most of the time that looking may take: where a look is slow, looks are rarer."""
FIRST_PERIOD_S, LONGEST_PERIOD_S = 10.0, 300.0
"""Plain lines come every ten seconds at first; in a run of hours, every five minutes."""


@contextmanager
def watching(
    watch: RunWatch, progress: RunProgress, *, rounds: int, verbosity: int, log_format: str
) -> Iterator[None]:
    """Show the run on stderr while the block runs; with `-q` nothing is shown."""
    from rich.console import Console

    console = Console(stderr=True)
    begun = time.monotonic()

    def table() -> StageTable:
        return run_table(watch, progress, rounds=rounds, spent_s=time.monotonic() - begun)

    if verbosity < 0:
        yield
    elif console.is_terminal and log_format == "text":
        with _beside(lambda stop: _look(watch, stop)), _live(console, table, verbosity):
            yield
    else:
        with _beside(lambda stop: _say(watch, progress, stop)):
            yield


def run_table(watch: RunWatch, progress: RunProgress, *, rounds: int, spent_s: float) -> StageTable:
    """Return what a run is doing, to be drawn."""
    nobody = "no people" if progress.is_over else "looking for people"
    people = f"{len(progress.people)} people" if progress.people else nobody
    at = ""
    if progress.round:
        at = f"round {progress.round} of at most {rounds}"
    elif progress.people:
        at = "what was left on the topics"
    headline = " · ".join(filter(None, ("run-all", at, people, duration(spent_s))))
    return StageTable(headline, watch.lines())


@contextmanager
def _live(console: Console, table: Callable[[], StageTable], verbosity: int) -> Iterator[None]:
    """
    Draw the table again and again, with the log above it, until the block ends.

    Log lines are written whole, without a refresh in between, which would wipe too little: rich
    lets go of its own lock before a line is out. So whoever draws or writes holds a lock of ours,
    which is always taken before rich's; therefore rich does not refresh by itself.
    """
    from rich.live import Live
    from rich.logging import RichHandler

    from celebcollect.cli import log as logs

    reflow = Reflow(console)
    live = Live(
        get_renderable=lambda: reflow.fit(table()),
        console=console,
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
    )
    drawing = threading.RLock()

    class Above(RichHandler):
        """Writes the log above the display."""

        def emit(self, record: logging.LogRecord) -> None:
            with drawing:
                super().emit(record)

    def refresh(stop: threading.Event) -> None:
        while not stop.wait(1 / LIVE_PER_SECOND):
            with drawing:
                live.refresh()

    handler = Above(console=console, show_path=False, markup=False, log_time_format="%H:%M:%S")
    logs.setup(verbosity, "text", handler)
    try:
        with drawing:
            live.start()
        with _beside(refresh):
            yield
    finally:
        with drawing:
            live.stop()


@contextmanager
def _beside(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Do something in a thread while the block runs."""
    done = threading.Event()
    thread = threading.Thread(target=work, args=(done,), name="display", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _look(watch: RunWatch, stop: threading.Event) -> None:
    """Look again and again until told to stop."""
    pause_s = 0.0
    while not stop.wait(pause_s):
        pause_s = looked(watch.look)


def looked(look: Callable[[], object], every_s: float = LOOK_EVERY_S) -> float:
    """
    Look once; return how long to wait before the next look.

    A look that fails is left out: the work itself will tell of trouble.
    """
    started = time.monotonic()
    try:
        look()
    except CelebCollectError as error:
        log.debug("could not look reason=%s", error.message)
    return max(every_s, (time.monotonic() - started) / LOOK_SHARE)


def _say(watch: RunWatch, progress: RunProgress, stop: threading.Event) -> None:
    """Log the lines that changed, now and then."""
    begun = time.monotonic()
    said: dict[str, str] = {}
    looked(watch.look)  # rates need two looks
    while not stop.wait(
        min(LONGEST_PERIOD_S, max(FIRST_PERIOD_S, (time.monotonic() - begun) / 10))
    ):
        looked(watch.look)
        say(watch.lines(), said, progress.round)


def say(lines: list[StageLine], said: dict[str, str], round_number: int) -> None:
    """Log each line that is not empty and has changed; `said` remembers the last, by stage."""
    for line in lines:
        text = plain(line)
        if text != said.get(line.stage) and (line.total or line.done or line.so_far or line.now):
            log.info(
                "round %d: %s",
                round_number,
                text,
                extra={"facts": {"round": round_number, **line.facts()}},
            )
        said[line.stage] = text


class Reflow:
    """
    Wipes the rows that a narrower terminal makes of the last picture. One thread uses it.

    Terminals (VTE, tmux, kitty, iTerm) wrap the lines that stand there already; rich goes up by as
    many rows as it drew, so the others stayed above the next picture. On one that cuts lines
    instead (xterm) as many rows of the log above are wiped.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._width = console.width
        self._drawn: list[int] = []
        """Columns of each line drawn last."""

    def fit(self, table: StageTable) -> StageTable:
        """Return the table, which is drawn next; call it right before."""
        from rich.control import Control
        from rich.segment import ControlType, Segment

        width = self._console.width
        if width < self._width:
            surplus = sum(max(0, columns - 1) // width for columns in self._drawn)
            self._console.control(
                Control(*[(ControlType.ERASE_IN_LINE, 2), (ControlType.CURSOR_UP, 1)] * surplus)
            )
        self._width = width
        lines = self._console.render_lines(table, pad=False)
        self._drawn = [Segment.get_line_length(line) for line in lines]
        return table
