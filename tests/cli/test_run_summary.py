"""What `run-all` says at its end: who is short, why, and what to do next."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from celebcollect.app import App
from celebcollect.catalogue.state import SearchState
from celebcollect.cli.run_all import judge
from celebcollect.cli.run_summary import RunSummary
from celebcollect.cli.stage_table import StageTable
from celebcollect.configuration import config_model
from celebcollect.domain.errors import NothingProduced, SourceBlocked, SourceError
from celebcollect.domain.records import Celebrity
from celebcollect.run.plan import RunPlan
from celebcollect.run.progress import RunProgress
from celebcollect.run.stage_line import StageLine

PLAN = RunPlan(("google", "tmdb", "commons"), target_images=20, max_rounds=3)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    with App(config_model()(data_dir=tmp_path / "data")) as app:
        yield app


def searched(app: App, number: int, **exhausted: bool) -> str:
    """Add a person whom sources have searched."""
    qid = f"Q{number}"
    app.catalogue.save_people(
        [Celebrity(qid=qid, name=f"Person {number}", sitelinks=1000 - number)]
    )
    for source, is_exhausted in exhausted.items():
        app.catalogue.record_search(
            qid, source, SearchState(rounds=1, offered=3, exhausted=is_exhausted)
        )
    return qid


def told(
    app: App,
    progress: RunProgress,
    capsys: pytest.CaptureFixture[str],
    *,
    interrupted: bool = False,
    **unusable: str,
) -> str:
    RunSummary.of(
        app,
        PLAN,
        progress,
        unusable=unusable,
        config_file=Path("my config.toml"),
        interrupted=interrupted,
    ).print(StageTable("run-all", []))
    return capsys.readouterr().out


def test_who_is_short_is_told_with_the_cause(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    """Blocked until when, failed with the hint, exhausted, or to be searched again."""
    progress = RunProgress()
    progress.people[searched(app, 1, commons=True, google=False)] = 0
    progress.blocked["google"] = SourceBlocked(
        "a captcha", hint="Wait.", until=datetime(2099, 1, 2, 3, 4, tzinfo=UTC)
    )
    progress.failed["tmdb"] = SourceError("no token", hint="Set it.")

    text = told(app, progress, capsys)

    assert "0 of 1 people have 20 pictures:" in text
    assert "Person 1 (Q1) has 0. blocked: google; failed: tmdb; no more: commons" in text
    assert (
        "google is blocked: a captcha. The same command goes on with it after 2099-01-02 03:04 UTC."
        in text
    )
    assert "tmdb failed: no token. Set it." in text


def test_what_to_do_next_can_be_typed(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    """The command names the configuration, quoted; an interrupted run says that it goes on."""
    progress = RunProgress()
    progress.people[searched(app, 1, google=True, tmdb=True, commons=False)] = 0

    assert (
        "`celebcollect --config 'my config.toml' run-all --celebrities known` searches those"
        in told(app, progress, capsys)
    )
    interrupted = told(app, progress, capsys, interrupted=True)
    assert "the same command goes on where it was" in interrupted
    assert "--celebrities known" not in interrupted


def test_a_source_that_was_left_out_is_told_with_what_it_lacks(
    app: App, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever is short may still be found there, so nobody is told that no source has more."""
    progress = RunProgress()
    progress.people[searched(app, 1, google=True, tmdb=True, commons=True)] = 0

    text = told(app, progress, capsys, tmdb="no token")

    assert (
        "tmdb was left out: no token. `celebcollect --config 'my config.toml' doctor` says what"
        " to do." in text
    )
    assert "No source has more" not in text


def test_without_a_terminal_no_line_is_cut(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    """However many reasons a stage has: what is piped to a file is read later."""
    reasons = {f"reason_number_{number}": number for number in range(1, 40)}
    view = StageTable("run-all", [StageLine("clean", "pictures", left_out=reasons)])

    RunSummary.of(app, PLAN, RunProgress(), unusable={}, config_file=None, interrupted=False).print(
        view
    )

    text = capsys.readouterr().out
    assert "39 reason_number_39" in text
    assert "…" not in text


def test_many_who_are_short_are_counted(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    """A few by name, famous ones first, the others by cause; programs get them all."""
    progress = RunProgress()
    for number in range(1, 31):
        progress.people[searched(app, number, google=True, tmdb=True, commons=True)] = 0

    text = told(app, progress, capsys)
    RunSummary.of(
        app, PLAN, progress, unusable={"tmdb": "no token"}, config_file=None, interrupted=False
    ).print_json()
    facts = json.loads(capsys.readouterr().out)

    assert "Person 1 (Q1)" in text
    assert "Person 9 (Q9)" not in text
    assert "and 22 more. no more: google for 22" in text
    assert "No source has more of those who are short" in text
    assert facts["people"] == len(facts["short"]) == 30
    assert facts["short"][0] == {
        "qid": "Q1", "name": "Person 1", "accepted": 0, "why": "no more: google, tmdb, commons",
    }  # fmt: skip


def test_a_block_is_not_taken_for_a_world_without_pictures(app: App) -> None:
    """When every source wants to be left alone, that is why nothing came."""
    progress = RunProgress()
    progress.people[searched(app, 1)] = 0
    for name in PLAN.sources:
        progress.tally(name).count("asked for")
        progress.blocked[name] = SourceBlocked(f"{name} asks for a captcha", hint="Wait.")

    with pytest.raises(NothingProduced, match="google asks for a captcha; tmdb asks"):
        judge(PLAN, progress)

    progress.tally("tmdb").count("candidates")
    judge(PLAN, progress)
