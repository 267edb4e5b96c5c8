"""Keep a live display whole on a terminal that becomes narrower."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from celebcollect.cli.view import View


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

    def fit(self, view: View) -> View:
        """Return the view, which is drawn next; call it right before."""
        from rich.control import Control
        from rich.segment import ControlType, Segment

        width = self._console.width
        if width < self._width:
            surplus = sum(max(0, columns - 1) // width for columns in self._drawn)
            self._console.control(
                Control(*[(ControlType.ERASE_IN_LINE, 2), (ControlType.CURSOR_UP, 1)] * surplus)
            )
        self._width = width
        self._drawn = [
            Segment.get_line_length(line) for line in self._console.render_lines(view, pad=False)
        ]
        return view
