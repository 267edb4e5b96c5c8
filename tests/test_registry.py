"""Plug-ins are found through entry points; a broken one costs a sentence and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points as entry_points_of_python
from pathlib import Path

import pytest

from celebcollect import plugins
from celebcollect.sources.registry import Sources, installed, usable
from celebcollect.sources.spec import GROUP

SPEC = """
from celebcollect.sources.spec import SourceSpec
SPEC = SourceSpec(name={name!r}, title="It", topic={topic!r}, settings=None,
                  build=None, summary="Do.")
"""


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path for packages, beside those that are installed; found anew."""
    monkeypatch.syspath_prepend(str(tmp_path))
    installed.cache_clear()
    usable.cache_clear()
    yield tmp_path
    installed.cache_clear()
    usable.cache_clear()
    for name in ("it_module", "other_module"):
        sys.modules.pop(name, None)


def install(folder: Path, package: str, line: str, module: str, code: str) -> None:
    """Lay down what an installer would."""
    metadata = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[console_scripts]\nx = y:z\n\n[{GROUP}]\n{line}\n")
    (folder / f"{module}.py").write_text(code)


def test_our_own_sources_are_found_in_their_order() -> None:
    """They are declared like those of anybody else."""
    assert installed().problems == ()
    assert installed().names[:3] == ("google", "tmdb", "commons")


def test_the_scan_finds_what_python_finds(beside: Path) -> None:
    """Same names and targets for every group that an installed package declares."""
    install(
        beside, "some-it", "it = it_module:SPEC", "it_module", SPEC.format(name="it", topic="t")
    )

    for group in (GROUP, "console_scripts"):
        expected = {(found.name, found.value) for found in entry_points_of_python(group=group)}
        found = {(entry.name, entry.target) for entry in plugins.entry_points(group)}
        assert found == expected, group


def test_a_source_of_another_package_comes_after_ours(beside: Path) -> None:
    """By its number, which is 100 unless it says something else."""
    install(
        beside, "some-it", "it = it_module:SPEC", "it_module", SPEC.format(name="it", topic="t")
    )

    assert installed().names == ("google", "tmdb", "commons", "it")


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ("it = it_module:SPEC", "import no_such_module_at_all", "ModuleNotFoundError"),
        ("it = it_module:SPEC", "raise SystemExit(3)", "SystemExit: 3"),
        ("it = it_module:SPEC", "this is no Python", "SyntaxError"),
        ("it = it_module:SPEC", "", "AttributeError"),
        ("it = it_module:SPEC", "SPEC = 1", "is no SourceSpec"),
        ("it = it_module:SPEC", SPEC.format(name="that", topic="t"), "'that'"),
        ("I_T = it_module:SPEC", SPEC.format(name="I_T", topic="t"), "'I_T'"),
        ("store = it_module:SPEC", SPEC.format(name="store", topic="t"), "belongs to celebcollect"),
        ("tmdb = it_module:SPEC", SPEC.format(name="tmdb", topic="t"), "is taken"),
        ("it = it_module:SPEC", SPEC.format(name="it", topic="urls"), "topic urls is taken"),
        ("it = it_module:SPEC", SPEC.format(name="it", topic="dataclean"), "can be no topic"),
        ("it = it_module:SPEC", SPEC.format(name="it", topic="a b"), "can be no topic"),
    ],
)
def test_a_broken_plug_in_is_left_out_with_a_sentence(
    beside: Path, line: str, code: str, told: str
) -> None:
    """The others work as before."""
    install(beside, "some-it", line, "it_module", code)

    found: Sources = installed()

    assert found.names == ("google", "tmdb", "commons")
    [problem] = found.problems
    assert "some-it" in problem
    assert told in problem
    assert "\n" not in problem


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("None", "TypeError"),
        ("lambda: int", "no Section"),
        ("lambda: 1 / 0", "ZeroDivisionError"),
        ("lambda: NoDefault", "NoDefault"),
    ],
)
def test_settings_that_can_be_no_section_are_told(beside: Path, settings: str, told: str) -> None:
    """The source is left out of the configuration; the others are in it."""
    code = (
        "from celebcollect.config.fields import Section\n"
        "class NoDefault(Section):\n    key: int\n"
        + SPEC.format(name="it", topic="t").replace("settings=None", f"settings={settings}")
    )
    install(beside, "some-it", "it = it_module:SPEC", "it_module", code)

    found = usable()

    assert installed().names[-1] == "it"
    assert found.names == ("google", "tmdb", "commons")
    [problem] = found.problems
    assert told in problem


@pytest.mark.slow
@pytest.mark.parametrize("command", [["--help"], ["init", "c.toml"], ["doctor", "--help"]])
def test_a_broken_plug_in_takes_no_command_down(tmp_path: Path, command: list[str]) -> None:
    """One line on stderr says what was left out."""
    install(tmp_path, "some-it", "it = it_module:SPEC", "it_module", "raise ValueError('oh no')")
    done = subprocess.run(
        [sys.executable, "-m", "celebcollect", *command],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0
    assert done.stdout
    [line] = done.stderr.splitlines()
    assert "some-it" in line
    assert "ValueError: oh no" in line


def test_specs_import_nothing_heavy() -> None:
    """They are read at every start, for the list of commands."""
    heavy = ("pydantic", "selenium", "httpx", "numpy", "importlib.metadata", "email")
    code = (
        "import sys\n"
        "from celebcollect.sources.registry import installed\n"
        "assert installed().names\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
