"""`models list` and `models get`, against a server on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from celebcollect.cli import app
from celebcollect.disk.known_file import WrongFile
from celebcollect.domain.errors import CelebCollectError, ServiceError, UsageError
from celebcollect.vision import model_sets, model_store
from vision.model_wheel import zoo_models

pytestmark = pytest.mark.slow


class Quiet(SimpleHTTPRequestHandler):
    """Serves the files of a folder without a word."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that a server offers in place of the official addresses; it is empty."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user"))

    def handler(*given: object) -> Quiet:
        return Quiet(*given, directory=str(folder))  # type: ignore[arg-type]

    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}"
        known = model_sets.YUNET_SFACE_SET
        files = tuple(
            replace(file, addresses=(f"{address}/absent", f"{address}/{file.name}"))
            for file in known.files
        )
        sets = (replace(known, files=files), model_sets.AURAFACE_SET)
        monkeypatch.setattr(model_store, "KNOWN_SETS", sets)
        yield folder
        server.shutdown()
        thread.join()


def fill(folder: Path) -> None:
    for file in (model_sets.YUNET, model_sets.SFACE):
        (folder / file.name).write_bytes((zoo_models() / file.name).read_bytes())


def run(*words: str) -> tuple[str, str]:
    """Return what a command writes to stdout and stderr; its errors are raised."""
    result = CliRunner().invoke(app, ["models", *words], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result.stdout, result.stderr


def installed(name: str) -> bool:
    states = [json.loads(line) for line in run("list", "--json")[0].splitlines()]
    return bool(next(state for state in states if state["name"] == name)["installed"])


def test_an_engine_is_fetched_proved_and_its_terms_are_told_once(mirror: Path) -> None:
    """The second time everything is there, and nobody is told again."""
    fill(mirror)
    assert not installed("yunet-sface")

    out, terms = run("get", "yunet-sface")
    again, silence = run("get", "yunet-sface")

    assert "proved and kept" in out
    assert "WIDER FACE" in terms
    assert "Apache License 2.0" in terms
    assert "all there, proved" in again
    assert "Apache" not in silence
    assert installed("yunet-sface")


def test_an_interrupted_download_goes_on(mirror: Path) -> None:
    """Half a file on the server is an error that says so; the whole one mends it."""
    fill(mirror)
    file = mirror / model_sets.SFACE.name
    whole = file.read_bytes()
    file.write_bytes(whole[:1_000_000])
    with pytest.raises(ServiceError, match="1000000 of 38696353"):
        run("get", "yunet-sface")
    assert not installed("yunet-sface")
    file.write_bytes(whole)

    run("get", "yunet-sface")

    assert installed("yunet-sface")


def test_a_wrong_file_is_refused(mirror: Path) -> None:
    """Right size, wrong bytes: named, and nothing is installed."""
    fill(mirror)
    file = mirror / model_sets.YUNET.name
    file.write_bytes(file.read_bytes()[:-1] + b"!")

    with pytest.raises(WrongFile, match="face_detection_yunet"):
        run("get", "yunet-sface")

    assert not installed("yunet-sface")


def test_a_refusal_is_told(mirror: Path) -> None:
    """An empty mirror: exit code 3, with the address and what it said."""
    with pytest.raises(ServiceError, match="HTTP 404") as caught:
        run("get", "yunet-sface")

    assert caught.value.exit_code == 3


def test_files_that_are_there_are_taken_from_a_folder(mirror: Path, tmp_path: Path) -> None:
    """Without any network; a folder that lacks one says which."""
    folder = tmp_path / "files"
    folder.mkdir()
    with pytest.raises(UsageError, match=model_sets.SFACE.name):
        run("get", "yunet-sface", "--from", str(folder))
    fill(folder)

    run("get", "yunet-sface", "--from", str(folder))

    assert installed("yunet-sface")


@pytest.mark.parametrize("name", ["auraface", "no-such-engine", "../up", "auto"])
def test_what_cannot_be_fetched_says_why(mirror: Path, name: str) -> None:
    """A clear error, exit code 2, and nothing is asked of anybody."""
    with pytest.raises(CelebCollectError) as caught:
        run("get", name)

    assert caught.value.exit_code == 2
    assert caught.value.hint
