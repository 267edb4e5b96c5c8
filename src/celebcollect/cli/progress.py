"""Show a run while it goes on: a live table on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from celebcollect.pipeline import Progress

log = logging.getLogger(__name__)

PLAIN_PERIOD_S = 10.0
LIVE_PER_SECOND = 4


@contextmanager
def watching(progress: Progress, *, verbosity: int, log_format: str) -> Iterator[None]:
    """Show the progress on stderr while the block runs."""
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_terminal and log_format == "text" and verbosity >= 0:
        from rich.live import Live
        from rich.logging import RichHandler

        from celebcollect import log as logs

        logs.setup(verbosity, "text", RichHandler(console=console, show_path=False, markup=False))
        with Live(get_renderable=lambda: table(progress), console=console, refresh_per_second=LIVE_PER_SECOND, transient=True):
            yield
        return
    done = threading.Event()
    lines = threading.Thread(target=_plain_lines, args=(progress, done), name="progress", daemon=True)
    lines.start()
    try:
        yield
    finally:
        done.set()
        lines.join()


def table(progress: Progress) -> Table:
    """Return one line per stage: what it counted, and why things were left out."""
    from rich.table import Table
    from rich.text import Text

    shown = Table(title=f"round {progress.round}, {progress.people} people", title_justify="left", expand=False)
    shown.add_column("stage")
    shown.add_column("so far")
    shown.add_column("left out")
    for name, tally in list(progress.tallies.items()):
        counts = ", ".join(f"{n} {what}" for what, n in tally.counts.items() if n)
        reasons = ", ".join(f"{n} {reason}" for reason, n in tally.reasons.items())
        if name in progress.blocked:
            reasons = f"blocked: {progress.blocked[name].message}"
        elif name in progress.failed:
            reasons = f"failed: {progress.failed[name].message}"
        shown.add_row(Text(name), Text(counts), Text(reasons))
    return shown


def _plain_lines(progress: Progress, done: threading.Event) -> None:
    before = ""
    while not done.wait(PLAIN_PERIOD_S):
        line = " | ".join(f"{name}: {tally}" for name, tally in list(progress.tallies.items()))
        if line != before:
            log.info("round %d people=%d %s", progress.round, progress.people, line)
        before = line
