"""`doctor`, `init` and the end of `run-all` say what a better face engine would bring, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from celebcollect.app import App
from celebcollect.cli.run_summary import RunSummary
from celebcollect.cli.stage_table import StageTable
from celebcollect.config.sections import CleanConfig
from celebcollect.configuration import config_model
from celebcollect.run.plan import RunPlan
from celebcollect.run.progress import RunProgress
from celebcollect.vision.model_store import take_from
from checks.face_photos import need_engine
from cli.cli_process import Run
from vision.model_wheel import zoo_models

pytestmark = pytest.mark.slow

GAIN = "celebcollect models get yunet-sface"


@pytest.fixture(autouse=True)
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who has dlib and no models yet."""
    need_engine()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))


def end_of_run(folder: Path, capsys: pytest.CaptureFixture[str], clean: CleanConfig) -> str:
    plan = RunPlan(("commons",), target_images=20, max_rounds=1)
    with App(config_model()(data_dir=folder / "data", clean=clean)) as app:
        RunSummary.of(
            app, plan, RunProgress(), unusable={}, config_file=None, interrupted=False
        ).print(StageTable("run-all", []))
    return capsys.readouterr().out


def test_it_is_said_once_with_whose_pictures(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In numbers, with the people they are of, and with the command that gets it."""
    said = [
        run("init").stdout,
        run("doctor", WIKIDATA__ENDPOINT="http://127.0.0.1:9").stdout.replace("\n", " "),
        end_of_run(tmp_path, capsys, CleanConfig()),
    ]

    for text in said:
        plain = " ".join(text.split())
        assert plain.count(GAIN) == 1
        assert "96.7 %" in plain
        assert "49 people" in plain


@pytest.mark.parametrize("chosen", [{"engine": "dlib"}, {"faces": "off"}])
def test_who_has_chosen_is_told_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], chosen: dict[str, str]
) -> None:
    """An engine by name, or none."""
    assert GAIN not in end_of_run(tmp_path, capsys, CleanConfig.model_validate(chosen))


def test_who_has_it_is_told_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], run: Run
) -> None:
    """As soon as the models are there."""
    take_from("yunet-sface", zoo_models())

    assert GAIN not in end_of_run(tmp_path, capsys, CleanConfig())
    assert GAIN not in run("init").stdout
