"""A package with one source and one check takes part in everything, and the project is untouched.

The package is `tests/example_plugin`, which CONTRIBUTING tells people to copy. It is installed
beside the built celebcollect in an environment of their own, without a network: the libraries come
from the environment that runs the tests.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from celebcollect.demo.cast import CAST
from celebcollect.demo.program import config_text
from celebcollect.demo.web import SmallWeb
from picture_web import PictureWeb, answer, serve

ROOT = Path(__file__).parents[1]
PLUGIN = ROOT / "tests" / "example_plugin"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

Program = Callable[..., subprocess.CompletedProcess[str]]


def build(project: Path, folder: Path) -> Path:
    """Build the wheel of a project."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder)]
    subprocess.run([*command, str(project)], check=True, capture_output=True, timeout=240)
    [wheel] = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment with celebcollect and the plug-in in it."""
    folder = tmp_path_factory.mktemp("plugin")
    ours, other = build(ROOT, folder / "ours"), build(PLUGIN, folder / "other")
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    subprocess.run(
        [*command, "--no-index", "--no-deps", "--no-compile", str(ours), str(other)],
        check=True,
        timeout=240,
    )
    [site_packages] = environment.glob("lib/python*/site-packages")
    # After the environment's own packages, so that the libraries are found and this checkout is not
    (site_packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python.parent


@pytest.fixture(scope="module")
def webs() -> Iterator[tuple[SmallWeb, PictureWeb]]:
    """A Wikidata, and the web of It: four wide pictures and a high one of each person."""
    with SmallWeb() as wikidata, serve() as it:

        def listed(qid: str) -> bytes:
            return json.dumps([it.url(f"/{qid}-{n}.png") for n in range(5)]).encode()

        for number, qid in enumerate(player.qid for player in CAST):
            it.routes[f"/people/{qid}"] = answer(listed(qid), content_type="application/json")
            for n in range(5):
                size = (400, 300) if n else (300, 400)
                it.routes[f"/{qid}-{n}.png"] = answer(drawn(100 * number + n, size))
        yield wikidata, it


def drawn(seed: int, size: tuple[int, int]) -> bytes:
    """Draw coloured tiles, others for each seed."""
    tiles = np.random.default_rng(seed).integers(0, 255, (9, 12, 3), dtype=np.uint8)
    target = io.BytesIO()
    Image.fromarray(tiles).resize(size, Image.Resampling.NEAREST).save(target, "PNG")
    return target.getvalue()


@pytest.fixture(scope="module")
def program(
    programs: Path,
    webs: tuple[SmallWeb, PictureWeb],
    tmp_path_factory: pytest.TempPathFactory,
) -> Program:
    """What runs the installed program with a configuration for the local servers."""
    wikidata, it = webs
    folder = tmp_path_factory.mktemp("work")
    text = config_text(wikidata.base, folder / "data", faces="off")
    own_section = f'[it]\napi_url = "{it.url("/people")}"\n'
    (folder / "config.toml").write_text(text + own_section)

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        own = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8"}
        named = {f"CELEBCOLLECT_{name}": value for name, value in environment.items()}
        return subprocess.run(
            [programs / "celebcollect", *arguments],
            cwd=folder,
            env={**own, **named},
            capture_output=True,
            text=True,
            timeout=240,
        )

    return run


@pytest.fixture(scope="module")
def collected(program: Program) -> dict[str, object]:
    """What `run-all --sources it` says of itself."""
    done = program("run-all", "--sources", "it", "--limit", "2", "--target-images", "4", "--json")
    assert done.returncode == 0, done.stderr
    said: dict[str, object] = json.loads(done.stdout)
    return said


def test_its_command_is_in_the_help(program: Program) -> None:
    """In the list, and with the options that all sources have."""
    assert "scrape-it " in program("--help").stdout
    own = " ".join(program("scrape-it", "--help").stdout.split())
    sources = " ".join(program("run-all", "--help").stdout.split())

    assert "put the picture URLs on topic urlsFromIt" in own
    assert "Example: celebcollect scrape-it --limit 10" in own
    assert "--qid" in own
    assert "google, tmdb, commons, it; all" in sources


def test_its_section_is_in_the_first_configuration(program: Program, tmp_path: Path) -> None:
    """With the key's default and meaning, and its topic; unknown keys are errors there too."""
    file = tmp_path / "first.toml"
    program("init", str(file))
    text = file.read_text()
    wrong = program("status", IT__API_ULR="x")

    written = tomllib.loads(text)
    assert written["it"] == {"api_url": "https://it.example/people"}
    assert "# Answers with a list of picture URLs below the QID of a person.\napi_url" in text
    assert written["topics"]["it"] == "urlsFromIt"
    assert wrong.returncode == 2
    assert "CELEBCOLLECT_IT__API_ULR" in wrong.stderr


def test_doctor_and_status_have_lines_for_it(program: Program) -> None:
    """What its probe says, with the value that the environment gives; its topic."""
    examined = program("doctor", IT__API_URL="http://127.0.0.1:1/elsewhere").stdout
    status = json.loads(program("status", "--json").stdout)

    assert "would be asked at http://127.0.0.1:1/elsewhere" in examined
    assert "urlsFromIt" in status["topics"]


def test_run_all_collects_from_it(program: Program, collected: dict[str, Any]) -> None:
    """Its pictures are accepted; those that its check rejects are not."""
    lines = program("images", "--json").stdout.splitlines()
    images = [json.loads(line) for line in lines]

    assert set(collected["stages"]) >= {"it", "validate", "store", "clean"}
    assert sum(image["status"] == "accepted" for image in images) == 8
    assert {image["reason"] for image in images if image["status"] == "rejected"} == {
        "upright_picture"
    }


@pytest.mark.usefixtures("collected")
def test_its_terms_hold_in_train_and_export(program: Program, tmp_path: Path) -> None:
    """Without an agreement nothing is learnt or given away; with one, its line is in the card."""
    refused = program("export", str(tmp_path / "nothing"))
    untrained = program("train")
    allowed = {"TRAIN__ML_USE_PERMITTED": '["it"]'}
    trained = program("train", **allowed)
    exported = program("export", str(tmp_path / "set"), **allowed)

    assert "8 needs_agreement" in refused.stdout + refused.stderr
    assert "8 needs_agreement" in untrained.stdout + untrained.stderr
    # Nobody looked at faces here, which is found out of what may be looked at only
    assert "8 no_embedding" in trained.stdout + trained.stderr
    assert exported.returncode == 0, exported.stderr
    assert "Pictures by way of It, which endorses nothing." in (
        tmp_path / "set" / "README.md"
    ).read_text(encoding="utf-8")


@pytest.mark.usefixtures("collected")
def test_its_reasons_are_explained(program: Program, tmp_path: Path) -> None:
    """In the gallery beside the pictures, and by `explain`."""
    program("gallery", str(tmp_path / "page"))
    written = "".join(
        file.read_text(encoding="utf-8", errors="replace")
        for file in (tmp_path / "page").rglob("*")
        if file.suffix in (".js", ".html")
    )

    assert "upright_picture" in written
    assert "higher than wide, which nobody likes" in written
    assert "higher than wide" in program("explain", "upright_picture").stdout
    assert "knows nobody" in program("explain", "it_nobody").stdout
