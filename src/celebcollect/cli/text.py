"""Print JSON, sentences and tables on stdout, for a terminal and for a file.

Nothing is printed that a terminal would obey.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

UNBOUNDED = 100_000
"""Columns; more than any line has."""


def printable(text: str) -> str:
    """Return a text without anything that a terminal would obey."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def print_json(value: object) -> None:
    """Print one line of JSON on stdout."""
    from celebcollect.cli.log import json_line

    sys.stdout.write(json_line(value, sys.stdout.encoding) + "\n")


def print_line(text: str, *, indent: int = 0) -> None:
    """
    Print a sentence on stdout.

    On a terminal it is broken between words, and what follows is indented further.
    """
    if not sys.stdout.isatty():
        sys.stdout.write(f"{' ' * indent}{text}\n")
        return
    from rich.console import Console
    from rich.text import Text

    console = Console()
    for number, line in enumerate(Text(text).wrap(console, max(20, console.width - indent - 2))):
        sys.stdout.write(f"{' ' * (indent + 2 * bool(number))}{line.plain.rstrip()}\n")


def print_table(table: Table) -> None:
    """Print a table on stdout, as wide as the terminal; elsewhere as wide as its text."""
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console = Console(width=max(80, full_width(table)))
    console.print(table)


def full_width(table: Table) -> int:
    """Return the columns that a table takes uncut."""
    # A console never measures more than it is wide itself.
    from rich.console import Console

    return Console(width=UNBOUNDED).measure(table).maximum
