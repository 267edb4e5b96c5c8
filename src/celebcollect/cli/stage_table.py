"""Draw the stages as a table that fits the terminal; elsewhere say them as plain lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from celebcollect.cli.text import full_width, printable

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.table import Table

    from celebcollect.run.stage_line import StageLine

WIDE = 120
"""From this width on counts and losses have columns of their own."""
NARROW = 60
"""Below this width rates and times are left out."""


@dataclass(frozen=True)
class StageTable:
    """
    A headline, a line per stage, and what else there is to say below them.

    Rich draws it anew for the width that it finds.
    """

    headline: str
    lines: Sequence[StageLine]
    notes: Sequence[str] = ()
    sparse: bool = False
    """Leave out columns in which nothing stands, and a table of none: for what is drawn once."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw for the width at hand: nothing is wider, and a stage takes one line."""
        from rich.text import Text

        width = options.max_width
        wide = width >= WIDE
        if self.headline:
            yield Text(self.headline, style="bold", no_wrap=True, overflow="ellipsis")
        table = self.table(width)
        if not self.sparse or len(table.columns) > 1:
            yield table
        losses = (
            []
            if wide
            else [
                f"{line.stage} left out {numbers(line.left_out)}"
                for line in self.lines
                if line.left_out
            ]
        )
        for note in (*losses, *self.notes):
            yield Text(f" {note}", style="dim", no_wrap=True, overflow="ellipsis")

    def table(self, width: int = WIDE) -> Table:
        """Return the table alone, with the columns for a terminal of this width."""
        from rich.table import Table
        from rich.text import Text

        def flexible(text: str, style: str = "") -> Text:
            return Text(text, style, no_wrap=True, overflow="ellipsis")

        columns: dict[str, list[Text]] = {"stage": [Text(line.stage) for line in self.lines]}
        figures = (
            {"done": done, "rate": rate, "lag": lag, "left": left}
            if width >= NARROW
            else {"done": done, "lag": lag}
        )
        for name, shown in figures.items():
            columns[name] = [Text(shown(line)) for line in self.lines]
        doing = [(printable(line.now), numbers(line.so_far), _style(line)) for line in self.lines]
        if width >= WIDE:
            columns["now"] = [flexible(now, style) for now, _, style in doing]
            columns["so far"] = [flexible(so_far) for _, so_far, _ in doing]
            columns["left out"] = [flexible(numbers(line.left_out), "dim") for line in self.lines]
        else:
            columns["now"] = [
                flexible("; ".join(filter(None, (now, so_far))), style)
                for now, so_far, style in doing
            ]
        kept = {name: cells for name, cells in columns.items() if not self.sparse or any(cells)}
        table = Table(box=None, padding=(0, 1), header_style="dim")
        for name in kept:
            # Columns that may not wrap keep their width; the others share what is left.
            table.add_column(
                name,
                justify="right" if name in figures else "left",
                no_wrap=name == "stage" or name in figures,
            )
        for row in zip(*kept.values(), strict=True):
            table.add_row(*row)
        return table


def print_stages(view: StageTable) -> None:
    """Print stages on stdout, for the width of the terminal; elsewhere with everything, uncut."""
    from rich.cells import cell_len
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console = Console(
            width=max(
                WIDE,
                full_width(view.table()),
                *(cell_len(note) + 1 for note in (view.headline, *view.notes)),
            )
        )
    console.print(view)


def plain(line: StageLine) -> str:
    """
    Return a line as text.

    For example `store 95/110 URLs, 1.8/s, lag 15, 8 s left: at work; 80 stored (5 corrupt)`.
    """
    numbers_said = [f"{done(line)} {line.unit}", rate(line)]
    if line.waiting:
        numbers_said += [f"lag {lag(line)}", f"{left(line)} left" if line.left_s else ""]
    said = "; ".join(filter(None, (printable(line.now), numbers(line.so_far))))
    reasons = f" ({numbers(line.left_out)})" if line.left_out else ""
    figures = ", ".join(filter(None, numbers_said))
    return f"{line.stage} {figures}{f': {said}' if said else ''}{reasons}"


def numbers(counts: Mapping[str, int]) -> str:
    """Return `30 near_duplicate, 10 exact_duplicate`."""
    return ", ".join(f"{n:,} {what}" for what, n in counts.items())


def done(line: StageLine) -> str:
    """Return `95/110`, or only what is done where nobody knows the whole."""
    return (
        f"{line.done:,}"
        if line.total is None
        else f"{line.done:,}/{line.total:,}"
        if line.total
        else ""
    )


def lag(line: StageLine) -> str:
    """Return what waits; nothing where nobody knows."""
    return "" if line.waiting is None or not line.total else f"{line.waiting:,}"


def rate(line: StageLine) -> str:
    """Return the rate in the unit in which it is a readable number."""
    per_s = line.rate_per_s
    if not per_s:
        return ""
    for unit, seconds in (("s", 1), ("min", 60)):
        if per_s * seconds >= 1:
            return (
                f"{per_s * seconds:,.0f}/{unit}"
                if per_s * seconds >= 10
                else f"{per_s * seconds:.1f}/{unit}"
            )
    return f"{per_s * 3600:.1f}/h"


def left(line: StageLine) -> str:
    """Return how long the rest takes."""
    return duration(line.left_s)


def duration(seconds: float | None) -> str:
    """Return a time roughly, as one looks at a clock: `8 s`, `12 min`, `3 h 05`, `2 d 4 h`."""
    if seconds is None:
        return ""
    minutes = round(seconds / 60)
    if seconds < 100:
        return f"{seconds:.0f} s"
    if minutes < 100:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60:02}"
    hours = round(minutes / 60)
    return f"{hours // 24} d {hours % 24} h"


def _style(line: StageLine) -> str:
    return "red" if line.trouble else "yellow" if line.now.startswith("waits") else ""
