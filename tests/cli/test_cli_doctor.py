"""`doctor` says what works, what does not, and what to do."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from celebcollect import doctor
from celebcollect.app import App
from celebcollect.configuration import config_model
from cli.cli_process import Run
from sources.sparql_server import SparqlServer

pytestmark = pytest.mark.slow

ONE_FACT = (
    "<http://www.wikidata.org/entity/Q42> <http://www.w3.org/2000/01/rdf-schema#label> 'Douglas"
    " Adams'@en ."
)


def findings(text: str) -> dict[str, dict[str, str]]:
    return {finding["name"]: finding for finding in json.loads(text)}


def test_what_works_is_ok_and_what_is_left_out_is_advice(run: Run, tmp_path: Path) -> None:
    """
    Without a browser, a token and a contact a run is possible.

    Exit 0, and each is told with what to do.
    """
    with SparqlServer(ONE_FACT) as server:
        done = run(
            "doctor", "--json", WIKIDATA__ENDPOINT=server.url, GOOGLE__BROWSER="/nowhere/chromium"
        )

    assert done.returncode == 0, done.stderr
    found = findings(done.stdout)
    assert {name: finding["verdict"] for name, finding in found.items() if name != "faces"} == {
        "data folder": "ok",
        "log": "ok",
        "catalogue": "ok",
        "contact": "advice",
        "wikidata": "ok",
        "browser": "advice",
        "tmdb": "advice",
        "clock": "ok",
    }
    assert "/nowhere/chromium" in found["browser"]["what"]
    assert all(finding["hint"] for finding in found.values() if finding["verdict"] != "ok")


def test_what_nothing_works_without_ends_with_3(run: Run, dead_port: int) -> None:
    """A dead endpoint, broker and database are told each in its line."""
    done = run(
        "doctor",
        WIKIDATA__ENDPOINT=f"http://127.0.0.1:{dead_port}/sparql",
        GOOGLE__BROWSER="/nowhere",
        KAFKA__BOOTSTRAP_SERVERS=f"127.0.0.1:{dead_port}",
        KAFKA__TIMEOUT_S="1",
        MONGO__URI=f"mongodb://user:hunter2@127.0.0.1:{dead_port}",
        MONGO__TIMEOUT_S="1",
    )

    assert done.returncode == 3
    missing = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("missing")]
    assert missing == ["log", "catalogue", "wikidata"]
    assert "hunter2" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_each_thing_is_looked_at_for_itself(run: Run, dead_port: int) -> None:
    """A database that is gone is told once, and does not hide that the endpoint answers."""
    with SparqlServer(ONE_FACT) as server:
        done = run(
            "doctor",
            "--json",
            WIKIDATA__ENDPOINT=f"{server.url}?key=hunter2",
            GOOGLE__BROWSER="/nowhere",
            MONGO__URI=f"mongodb://127.0.0.1:{dead_port}",
            MONGO__TIMEOUT_S="1",
        )

    found = findings(done.stdout)
    assert [name for name, finding in found.items() if finding["verdict"] == "missing"] == [
        "catalogue"
    ]
    assert found["wikidata"]["verdict"] == "ok"
    assert done.returncode == 3


def test_secrets_in_addresses_are_not_shown(run: Run, dead_port: int) -> None:
    """What doctor prints is pasted into bug reports."""
    with SparqlServer(ONE_FACT) as server:
        done = run(
            "doctor",
            WIKIDATA__ENDPOINT=f"{server.url}?key=hunter2",
            GOOGLE__REMOTE_URL=f"http://me:hunter3@127.0.0.1:{dead_port}",
        )

    assert "hunter" not in done.stdout + done.stderr
    assert server.url in done.stdout


@pytest.mark.browser
def test_the_browser_is_really_started(run: Run, browser: None) -> None:
    """A browser that is there and starts is ok; one that does not start is told."""
    with SparqlServer(ONE_FACT) as server:
        works = run("doctor", "--json", WIKIDATA__ENDPOINT=server.url)
        broken = run(
            "doctor", "--json", WIKIDATA__ENDPOINT=server.url, GOOGLE__BROWSER="/bin/false"
        )

    assert findings(works.stdout)["browser"]["verdict"] == "ok"
    assert "chromedriver" in findings(works.stdout)["browser"]["what"]
    assert findings(broken.stdout)["browser"]["verdict"] == "advice"
    assert broken.returncode == 0


def test_a_face_model_that_is_not_there_is_told(run: Run) -> None:
    """The user's own models are part of what a run needs."""
    with SparqlServer(ONE_FACT) as server:
        done = run(
            "doctor",
            "--json",
            WIKIDATA__ENDPOINT=server.url,
            GOOGLE__BROWSER="/nowhere",
            CLEAN__DETECTOR_MODEL="/nowhere/yunet.onnx",
            CLEAN__EMBEDDER_MODEL="/nowhere/sface.onnx",
        )

    assert done.returncode == 3
    assert findings(done.stdout)["faces"]["verdict"] == "missing"
    assert "/nowhere/yunet.onnx" in findings(done.stdout)["faces"]["what"]
    assert "faces" in done.stderr


@pytest.mark.parametrize(
    ("free", "verdict"), [(10**8, "missing"), (10**9, "advice"), (10**11, "ok")]
)
def test_a_disk_that_is_full_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, verdict: str
) -> None:
    """Nearly nothing left: nothing works; a little: it will not last."""
    usage = shutil.disk_usage(tmp_path)._replace(free=free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)

    with App(config_model()(data_dir=tmp_path)) as app:
        finding = next(iter(doctor.examine(app)))

    assert (finding.name, finding.verdict.value, bool(finding.hint)) == (
        "data folder",
        verdict,
        verdict != "ok",
    )


def test_a_folder_that_cannot_be_written_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By asking the system: a test that runs as root may write everywhere."""
    (tmp_path / "images").mkdir()
    for place in (tmp_path, tmp_path / "images"):
        monkeypatch.setattr(os, "access", lambda path, _mode, place=place: path != place)

        with App(config_model()(data_dir=tmp_path)) as app:
            finding = next(iter(doctor.examine(app)))

        assert (finding.verdict.value, finding.what) == ("missing", f"{place} cannot be written")
