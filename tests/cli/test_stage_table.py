"""The table of stages fits every terminal, and plain lines say the same."""

from __future__ import annotations

import io
import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from celebcollect.catalogue.state import Counts
from celebcollect.cli.log import JsonFormatter
from celebcollect.cli.run_display import say
from celebcollect.cli.stage_table import StageTable, duration, plain, rate
from celebcollect.domain.records import Status
from celebcollect.run.progress import Activity, RunProgress
from celebcollect.run.stage_line import Rates, StageLine, cooling_down
from celebcollect.run.watch import PipelineState

STORE = StageLine(
    "store",
    "URLs",
    12_095,
    1_500,
    3.21,
    "at work",
    {"stored": 12_000, "failed": 95},
    {"not_an_image": 50, "truncated": 40, "too_many_pixels": 5},
)
GOOGLE = StageLine(
    "google", "people", 4, 996, 0.066, "waits 12 s: Björk Guðmundsdóttir", {"found": 80}
)
BLOCKED = StageLine(
    "tmdb", "people", 3, 7, None, "cooling down until 14:05 UTC", {"found": 9}, trouble=True
)
LINES = [
    StageLine("wikidata", "people", 10, None, None, "done"),
    GOOGLE,
    BLOCKED,
    STORE,
    StageLine("clean", "pictures", 0, 0),
]


def drawn(view: StageTable, width: int, **options: Any) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width, **options).print(view)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 80, 119, 120, 200])
def test_each_stage_takes_one_line_of_the_terminal(width: int) -> None:
    """Whatever the width: nothing wraps, nothing is wider, every stage is there."""
    headline = "run-all · round 1 of at most 3 · 1000 people · 20 min"
    lines = drawn(StageTable(headline, LINES), width)

    assert all(cell_len(line) <= width for line in lines)
    assert [line.split()[0] for line in lines[2:7]] == [
        "wikidata",
        "google",
        "tmdb",
        "store",
        "clean",
    ]


@pytest.mark.parametrize("width", [80, 200])
def test_the_line_of_a_stage_says_what_one_wants_to_know(width: int) -> None:
    """Done and total, rate, lag, time left, what it does, and why pictures were left out."""
    text = "\n".join(drawn(StageTable("run-all", LINES), width))

    for said in (
        "12,095/13,595",
        "3.2/s",
        "1,500",
        "8 min",
        "12,000 stored",
        "4/1,000",
        "4.0/min",
        "4 h 12",
        "waits 12 s: Björk",
        "cooling down until 14:05",
    ):
        assert said in text
    assert "50 not_an_image, 40 truncated" in text


def test_what_a_name_holds_is_not_obeyed_by_the_terminal() -> None:
    """Escape sequences and markup in a person's name are shown, not done."""
    hostile = StageLine("google", "people", 1, 1, None, "\x1b[2J\x07[bold]Eve[/bold]\n")

    text = "\n".join(
        drawn(StageTable("x", [hostile]), 200, force_terminal=True, color_system=None)
    ) + plain(hostile)

    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[bold]Eve[/bold]" in text


def test_a_plain_line_says_the_same() -> None:
    """One line of text, for logs."""
    assert (
        plain(STORE)
        == "store 12,095/13,595 URLs, 3.2/s, lag 1,500, 8 min left: at work; 12,000 stored, 95"
        " failed (50 not_an_image, 40 truncated, 5 too_many_pixels)"
    )
    assert plain(LINES[0]) == "wikidata 10 people: done"


def test_only_lines_that_changed_are_said_again(caplog: pytest.LogCaptureFixture) -> None:
    """Each line once; the facts for programs go with it."""
    said: dict[str, str] = {}
    with caplog.at_level("INFO", "celebcollect"):
        say(LINES, said, 1)
        say([*LINES[:3], StageLine("store", "URLs", 13_595, 0), LINES[4]], said, 1)

    assert [record.getMessage().split()[2] for record in caplog.records] == [
        "wikidata",
        "google",
        "tmdb",
        "store",
        "store",
    ]
    facts = caplog.records[-1].facts  # type: ignore[attr-defined]
    assert (facts["stage"], facts["done"], facts["waiting"], facts["round"]) == (
        "store",
        13_595,
        0,
        1,
    )
    assert json.loads(JsonFormatter().format(caplog.records[-1]))["facts"] == facts


def test_rates_need_two_looks_and_follow_the_last_half_minute() -> None:
    """Nothing from one look, then the growth by time; a number that fell gives none."""
    rates = Rates()

    assert rates.of("store", 100, at=0.0) is None
    assert rates.of("store", 100, at=0.0) is None
    assert rates.of("store", 120, at=10.0) == pytest.approx(2.0)
    assert rates.of("store", 120, at=100.0) == pytest.approx(0.0)
    assert rates.of("store", 90, at=110.0) is None


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, ""),
        (8.4, "8 s"),
        (99, "99 s"),
        (720, "12 min"),
        (11_100, "3 h 05"),
        (86_399, "1 d 0 h"),
        (188_000, "2 d 4 h"),
    ],
)
def test_times_are_said_roughly(seconds: float | None, said: str) -> None:
    """In the unit in which one thinks of them."""
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("per_s", "said"),
    [
        (None, ""),
        (0.0, ""),
        (120.0, "120/s"),
        (1.75, "1.8/s"),
        (0.066, "4.0/min"),
        (0.002, "7.2/h"),
    ],
)
def test_rates_are_said_in_a_unit_that_can_be_read(per_s: float | None, said: str) -> None:
    """Per second, per minute or per hour."""
    assert rate(StageLine("x", "people", rate_per_s=per_s)) == said


def test_a_rest_says_until_when() -> None:
    """The time, and the day where it is not within a day."""
    assert cooling_down(datetime.now(UTC) + timedelta(hours=1)).endswith(" UTC")
    assert (
        cooling_down(datetime(2099, 5, 4, 3, 2, tzinfo=UTC))
        == "cooling down until 2099-05-04 03:02 UTC"
    )


def test_an_activity_tells_what_is_done_and_what_it_waits_for() -> None:
    """An item counts as done when the next one is asked for; a pause is known while it lasts."""
    activity = Activity()
    stop = threading.Event()
    seen: list[float | None] = []
    activity.begin(3)
    people = activity.each(["Ada", "Zoë", "Eve"], str.upper)

    assert next(people) == "Ada"
    assert (activity.done, activity.item, activity.rate_per_s()) == (0, "ADA", None)
    next(people)

    def at_once(_: float) -> bool:
        seen.append(activity.waits_until)
        return stop.wait(0)

    wait = activity.waiting(at_once)
    wait(60)
    activity.end()

    assert (activity.done, activity.planned, activity.item, activity.waits_until) == (
        1,
        3,
        "",
        None,
    )
    assert seen[0] is not None
    assert activity.rate_per_s()


def test_a_group_that_never_ran_is_behind_by_everything() -> None:
    """A look at topics on which nobody committed."""
    from celebcollect.bus.base import TopicInfo

    counts = Counts(celebrities=0, images=dict.fromkeys(Status, 0), reasons={})
    look = PipelineState(
        0.0,
        counts,
        {
            "urls": TopicInfo("urls", 10, {}),
            "urlsFromTmdb": TopicInfo("urlsFromTmdb", 5, {"validate": 1}),
        },
    )

    assert look.progress("validate", ("urls", "urlsFromTmdb", "missing")) == (4, 11)


def test_a_run_in_which_nothing_happened_has_nothing_to_say() -> None:
    """Asking Wikidata in vain is nothing; a new person, a search or a block is something."""
    progress = RunProgress()
    progress.tally("wikidata").count("requests", 12)
    progress.tally("wikidata").count("unchanged", 10)
    progress.tally("store")
    assert not progress.did_anything()

    progress.tally("store").count("stored")
    assert progress.did_anything()
