"""The last table of a run that something has ended."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from celebcollect.app import App
from celebcollect.bus.base import Item
from celebcollect.cli.run_display import run_table
from celebcollect.configuration import config_model
from celebcollect.domain.errors import SourceError, StorageError
from celebcollect.run import rounds
from celebcollect.run.plan import RunPlan
from celebcollect.run.progress import RunProgress
from celebcollect.run.stage_line import StageLine
from celebcollect.run.watch import LEFT, RunWatch

CANDIDATE: Item = ("Q1", b'{"schema": 1, "qid": "Q1", "name": "A", "url": "http://127.0.0.1:9/a"}')


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    with App(config_model()(data_dir=tmp_path)) as app:
        yield app


def last_lines(app: App, celebrities: str) -> dict[str, StageLine]:
    """Run until something ends the run, and return the lines of its last table, by stage."""
    plan = RunPlan(("commons",), 1, 1, limit=None, celebrities=celebrities)  # type: ignore[arg-type]
    progress = RunProgress()
    watch = RunWatch(app, progress)
    watch.look()
    with pytest.raises((SourceError, StorageError)):
        rounds.run_all(app, plan, progress, threading.Event())
    watch.look()
    table = run_table(watch, progress, rounds=1, spent_s=1)
    return {line.stage: line for line in table.lines}


def test_wikidata_that_cannot_be_reached_is_not_at_work(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody works any more: its line says what went wrong, and the topics wait for another run."""

    def unreachable(*_: object, **__: object) -> None:
        raise SourceError("wikidata does not answer", hint="Try later.")

    monkeypatch.setattr(App, "people_source", unreachable)
    app.bus.publish("urls", [CANDIDATE])

    lines = last_lines(app, "new")

    assert (lines["wikidata"].now, lines["wikidata"].trouble) == (
        "failed: wikidata does not answer",
        True,
    )
    assert (lines["validate"].waiting, lines["validate"].now) == (1, LEFT)
    assert "at work" not in {line.now for line in lines.values()}


def test_cleaning_that_fails_is_not_at_work(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same of the stage that ends a round."""

    def full(*_: object, **__: object) -> None:
        raise StorageError("the disk is full", hint="Make room.")

    monkeypatch.setattr(rounds, "clean_people", full)

    lines = last_lines(app, "known")

    assert (lines["clean"].now, lines["clean"].trouble) == ("failed: the disk is full", True)
    assert "at work" not in {line.now for line in lines.values()}
