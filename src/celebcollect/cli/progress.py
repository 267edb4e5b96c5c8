"""Show a run while it goes on: a live table on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from celebcollect.cli.reflow import Reflow
from celebcollect.cli.view import View, duration, plain
from celebcollect.domain.errors import CelebCollectError

if TYPE_CHECKING:
    from celebcollect.run.progress import Progress
    from celebcollect.run.watch import Line, RunWatch

log = logging.getLogger(__name__)

LIVE_PER_SECOND = 4
LOOK_EVERY_S = 1.0
LOOK_SHARE = 0.05
"""Most of the time that looking may take: where a look is slow, looks are rarer."""
FIRST_PERIOD_S, LONGEST_PERIOD_S = 10.0, 300.0
"""Plain lines come every ten seconds at first; in a run of hours, every five minutes."""


@contextmanager
def watching(
    watch: RunWatch, progress: Progress, *, rounds: int, verbosity: int, log_format: str
) -> Iterator[None]:
    """Show the run on stderr while the block runs; with `-q` nothing is shown."""
    from rich.console import Console

    console = Console(stderr=True)
    begun = time.monotonic()
    if verbosity < 0:
        yield
    elif console.is_terminal and log_format == "text":
        from rich.live import Live
        from rich.logging import RichHandler

        from celebcollect.cli import log as logs

        reflow = Reflow(console)

        def view() -> View:
            return reflow.fit(
                run_view(watch, progress, rounds=rounds, spent_s=time.monotonic() - begun)
            )

        live = Live(
            get_renderable=view,
            console=console,
            refresh_per_second=LIVE_PER_SECOND,
            transient=True,
            redirect_stdout=False,
        )

        class Above(RichHandler):
            """Writes lines above the display, whole: rich lets go of the lock before they are out, and a refresh in between wipes too little."""

            def emit(self, record: logging.LogRecord) -> None:
                # its own: another lock of ours would be taken in the other order when it stops
                with live._lock:
                    super().emit(record)

        logs.setup(
            verbosity,
            "text",
            Above(console=console, show_path=False, markup=False, log_time_format="%H:%M:%S"),
        )
        with _beside(lambda stop: _look(watch, stop)), live:
            yield
    else:
        with _beside(lambda stop: _say(watch, progress, stop)):
            yield


def run_view(watch: RunWatch, progress: Progress, *, rounds: int, spent_s: float) -> View:
    """Return what a run is doing, to be drawn."""
    people = f"{len(progress.people)} people" if progress.people else "looking for people"
    at = (
        f"round {progress.round} of at most {rounds}"
        if progress.round
        else "what was left on the topics"
        if progress.people
        else ""
    )
    return View(" · ".join(filter(None, ("run-all", at, people, duration(spent_s)))), watch.lines())


@contextmanager
def _beside(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Do something in a thread while the block runs."""
    done = threading.Event()
    thread = threading.Thread(target=work, args=(done,), name="progress", daemon=True)
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
    """Look once; return how long to wait before the next look. A look that fails is left out: the work itself will tell of trouble."""
    started = time.monotonic()
    try:
        look()
    except CelebCollectError as error:
        log.debug("could not look reason=%s", error.message)
    return max(every_s, (time.monotonic() - started) / LOOK_SHARE)


def _say(watch: RunWatch, progress: Progress, stop: threading.Event) -> None:
    """Log the lines that changed, now and then."""
    begun = time.monotonic()
    said: dict[str, str] = {}
    looked(watch.look)  # rates need two looks
    while not stop.wait(
        min(LONGEST_PERIOD_S, max(FIRST_PERIOD_S, (time.monotonic() - begun) / 10))
    ):
        looked(watch.look)
        say(watch.lines(), said, progress.round)


def say(lines: list[Line], said: dict[str, str], round_number: int) -> None:
    """Log each line that is not empty and is another one than was said last; `said` remembers, by stage."""
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
