"""A live display on a terminal that changes its width."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from celebcollect.cli.run_display import Reflow
from celebcollect.cli.stage_table import StageTable
from celebcollect.run.stage_line import StageLine

VIEW = StageTable(
    "run-all",
    [StageLine("store", "URLs", done=95, waiting=15, now="at work", so_far={"stored": 80})] * 3,
)
UP = "\x1b[1A"


@pytest.mark.parametrize(("width", "wiped"), [(80, 0), (120, 0), (52, 0), (26, 4), (25, 8)])
def test_the_rows_that_wrapping_adds_are_wiped(width: int, wiped: int) -> None:
    """A heading of 7 columns and four rows of 52: as many more rows each as do not fit."""
    console = Console(file=io.StringIO(), force_terminal=True, width=80, height=40)
    reflow = Reflow(console)
    reflow.fit(VIEW)

    console.width = width
    reflow.fit(VIEW)
    reflow.fit(VIEW)

    assert console.file.getvalue().count(UP) == wiped  # type: ignore[attr-defined]
