"""What users install: sdist and wheel, in a clean environment, on every interpreter at hand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from email.parser import HeaderParser
from pathlib import Path

import pytest

from celebcollect import __version__
from support import missing

ROOT = Path(__file__).parents[1]

EVERY_PYTHON = bool(os.environ.get("CI") or os.environ.get("EVERY_PYTHON"))
"""An environment costs ten seconds; on a laptop the running interpreter is enough."""

NO_INDEX = re.compile(
    r"name resolution|Network is unreachable|Connection refused|NewConnectionError|ProxyError|Read"
    r" timed out"
)

IMPORT_ALL = """
import importlib, pkgutil, celebcollect
found = pkgutil.walk_packages(celebcollect.__path__, "celebcollect.")
names = [module.name for module in found if not module.name.endswith("__main__")]
for name in names:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        assert error.name in ("dlib", "face_recognition_models"), (name, error)
print(len(names))
"""

pytestmark = pytest.mark.slow


def interpreters() -> Iterator[Path]:
    """Yield one interpreter of each version from 3.11 on, the running one first."""
    seen = {sys.version_info[:2]}
    yield Path(sys.executable)
    if not EVERY_PYTHON:
        return
    found = [path for minor in range(11, 20) if (path := shutil.which(f"python3.{minor}"))]
    pyenv = sorted(Path.home().glob(".pyenv/versions/*/bin/python3"))
    for candidate in (*map(Path, found), *pyenv):
        # Names of interpreters may be shims that lead nowhere.
        done = subprocess.run(
            [candidate, "-c", "import sys, venv; print(*sys.version_info[:2])"],
            capture_output=True,
            text=True,
        )
        major, minor = map(int, done.stdout.split()) if done.returncode == 0 else (0, 0)
        version = (major, minor)
        if version >= (3, 11) and version not in seen:
            seen.add(version)
            yield candidate


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The sdist, and the wheel that is built from the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    [sdist], [wheel] = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return sdist, wheel


@pytest.fixture(
    scope="module",
    params=list(interpreters()),
    ids=lambda path: f"{path.parent.parent.name}-{path.name}",
)
def installed(
    request: pytest.FixtureRequest,
    built: tuple[Path, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The folder of programs of a clean environment with the wheel in it."""
    environment = tmp_path_factory.mktemp("clean")
    subprocess.run(
        [request.param, "-m", "venv", "--without-pip", str(environment)], check=True, timeout=60
    )
    programs = environment / "bin"
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(programs / "python"),
        "install",
        "--quiet",
        "--no-compile",
        str(built[1]),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    if done.returncode and NO_INDEX.search(done.stderr):
        missing("a package index")
    assert done.returncode == 0, done.stderr[-2000:]
    return programs


def call(
    program: Path, *arguments: str, cwd: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run an installed program as a user would, who knows nothing of this checkout."""
    own = {
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(cwd),
        "LC_ALL": "C.UTF-8",
        **environment,
    }
    return subprocess.run(
        [program, *arguments], cwd=cwd, env=own, capture_output=True, text=True, timeout=60
    )


def test_the_wheel_holds_the_program_and_nothing_else(built: tuple[Path, Path]) -> None:
    """Code, types, licence and the parts of the gallery; no tests, no data."""
    with zipfile.ZipFile(built[1]) as wheel:
        names = wheel.namelist()
        about = HeaderParser().parsestr(
            wheel.read(f"celebcollect-{__version__}.dist-info/METADATA").decode()
        )

    code = {name for name in names if name.startswith("celebcollect/")}
    assert {
        name
        for name in names
        if name not in code and not name.startswith(f"celebcollect-{__version__}.dist-info/")
    } == set()
    assert {Path(name).suffix for name in code if "/assets/" not in name} == {
        ".py",
        ".typed",
        ".npy",
    }
    assert {Path(name).suffix for name in code if "/assets/" in name} == {".html", ".css", ".js"}
    assert not [name for name in names if "test" in name.lower() or "__pycache__" in name]
    assert "celebcollect/py.typed" in names
    assert f"celebcollect-{__version__}.dist-info/licenses/LICENSE" in names
    assert (about["License-Expression"], about["Requires-Python"], about["Version"]) == (
        "MIT",
        ">=3.11",
        __version__,
    )


def test_the_sdist_holds_what_is_needed_to_build_and_no_more(built: tuple[Path, Path]) -> None:
    """Nothing of a checkout's caches, environments and collections."""
    with tarfile.open(built[0]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}

    tops = {name.partition("/")[0] for name in names}
    assert {"src", "README.md", "LICENSE", "pyproject.toml", "CHANGELOG.md"} <= tops
    assert tops <= {
        "src", "tests", "scripts", "docs", "benchmarks", "README.md", "LICENSE", "pyproject.toml",
        "CHANGELOG.md", "CONTRIBUTING.md", "config.example.toml", "Makefile", "PKG-INFO",
        ".gitignore",
    }  # fmt: skip
    assert not [
        name for name in names if "__pycache__" in name or name.endswith((".sqlite3", ".pyc"))
    ]


def test_it_works_in_a_clean_environment(installed: Path, tmp_path: Path) -> None:
    """Version, help, the first configuration, an empty status, an empty gallery."""
    program = installed / "celebcollect"
    version, helped = (
        call(program, "--version", cwd=tmp_path),
        call(program, "--help", cwd=tmp_path),
    )
    assert version.stdout == f"celebcollect {__version__}\n"
    assert "run-all" in helped.stdout

    begun, status = (
        call(program, "init", cwd=tmp_path),
        call(program, "status", "--json", cwd=tmp_path),
    )
    assert (begun.returncode, begun.stderr) == (0, "")
    assert (tmp_path / "config.toml").is_file()
    assert status.returncode == 0, status.stderr
    assert '"celebrities": 0' in status.stdout
    assert call(program, "gallery", "page", cwd=tmp_path).returncode == 4
    assert len(list((tmp_path / "page").glob("data-*/*.js"))) == 4


def test_every_module_can_be_imported(installed: Path, tmp_path: Path) -> None:
    """What the code imports is a dependency, and this interpreter knows its syntax."""
    done = call(installed / "python", "-W", "error::SyntaxWarning", "-c", IMPORT_ALL, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 80


@pytest.mark.skipif(
    not EVERY_PYTHON, reason="an environment for each costs ten seconds: set EVERY_PYTHON or CI"
)
@pytest.mark.parametrize("installer", ["pipx", "uv"])
def test_installers_of_programs_can_install_it(
    built: tuple[Path, Path], tmp_path: Path, installer: str
) -> None:
    """`pipx install` takes the wheel and `uv tool install` the sdist; both make a program."""
    sdist, wheel = built
    command = (
        ["install", str(wheel)]
        if installer == "pipx"
        else ["tool", "install", "--python", sys.executable, str(sdist)]
    )
    programs = tmp_path / "bin"
    folders = {
        name: str(tmp_path / name.lower()) for name in ("PIPX_HOME", "PIPX_MAN_DIR", "UV_TOOL_DIR")
    }
    environment = {
        **os.environ,
        **folders,
        "PIPX_BIN_DIR": str(programs),
        "UV_TOOL_BIN_DIR": str(programs),
    }
    done = subprocess.run(
        [sys.executable, "-m", installer, *command],
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
    )
    if done.returncode and NO_INDEX.search(done.stderr):
        missing("a package index")

    assert done.returncode == 0, done.stderr[-2000:]
    assert (
        call(programs / "celebcollect", "--version", cwd=tmp_path).stdout
        == f"celebcollect {__version__}\n"
    )


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_can_complete(installed: Path, tmp_path: Path, shell: str) -> None:
    """The script for the shell is printed, and commands are completed."""
    script = call(
        installed / "celebcollect", cwd=tmp_path, _CELEBCOLLECT_COMPLETE=f"source_{shell}"
    )
    assert (script.returncode, "celebcollect" in script.stdout) == (0, True), script.stderr

    if shell == "bash":
        words = {
            "COMP_WORDS": "celebcollect gal",
            "COMP_CWORD": "1",
            "_CELEBCOLLECT_COMPLETE": "complete_bash",
        }
        assert call(installed / "celebcollect", cwd=tmp_path, **words).stdout.split() == ["gallery"]
