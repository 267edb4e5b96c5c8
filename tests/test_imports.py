"""Each heavy library has one home: whoever replaces it changes one folder."""

from __future__ import annotations

import ast
import functools
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import house

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "celebcollect"
HOMES: dict[str, str | tuple[str, ...]] = {
    "httpx": "web/http_library.py",
    "confluent_kafka": "bus/kafka/",
    "mongoengine": "catalogue/mongo/",
    "pymongo": "catalogue/mongo/",
    "bson": "catalogue/mongo/",
    "selenium": "sources/google/",
    "SPARQLWrapper": "sources/wikidata/endpoint.py",
    "typer": "cli/",
    "rdflib": "demo/",
    "stamina": ("web/",),
    "w3lib": "web/url_key.py",
    "protego": "web/robots.py",
    "pycurl": "web/connection.py",
    "certifi": "web/connection.py",
    "idna": "web/url_key.py",
    "ada_url": "web/url_parts.py",
    "dlib": "vision/dlib_engine.py",
    "PIL": (
        "pictures/",
        "vision/",
        "checks/quality.py",
        "demo/",
        "stages/export/crops.py",
        "stages/train/",
    ),
    "safetensors": "stages/train/model_file.py",
    "platformdirs": ("config/file.py", "vision/"),
    "urllib3": "sources/google/",
}


@functools.cache
def imported(file: Path) -> frozenset[str]:
    """Return the names of the packages that a file imports anywhere in it."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(module.partition(".")[0] for module, _ in house.imported(tree))


@pytest.mark.parametrize("library", HOMES)
def test_a_library_is_imported_in_its_home_only(library: str) -> None:
    """Nobody else imports it, and its home still needs it."""
    importers = {
        file.relative_to(SOURCE).as_posix()
        for file in SOURCE.rglob("*.py")
        if library in imported(file)
    }

    assert all(importer.startswith(HOMES[library]) for importer in importers), importers
    assert importers or library in ("bson", "pymongo")


def test_pictures_are_opened_at_one_door() -> None:
    """Pillow opens files, and reads EXIF, nowhere but in `pictures/pixels.py`."""
    doors = {
        path
        for path, tree in house.trees().items()
        for node in ast.walk(tree)
        if (
            isinstance(node, ast.Attribute)
            and (
                node.attr in ("exif_transpose", "getexif", "Parser")
                or (
                    node.attr == "open"
                    and isinstance(node.value, ast.Name)
                    and node.value.id in ("Image", "Pillow", "PIL")
                )
            )
        )
        or (isinstance(node, ast.ImportFrom) and node.module == "PIL.Image")
    }

    assert doors == {"pictures/pixels.py"}


def declared(*extras: str) -> set[str]:
    """Return the names of the distributions that pyproject.toml asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(line for extra in extras for line in project["optional-dependencies"][extra]),
    ]
    return {canonicalize_name(Requirement(line).name) for line in wanted}


@pytest.mark.parametrize("folder", ["src", "tests", "scripts", "benchmarks"])
def test_what_is_imported_is_declared(folder: str) -> None:
    """Nothing is relied upon because something else happens to bring it."""
    known = declared(*(("faces", "onnx") if folder == "src" else ("faces", "onnx", "dev")))
    homes = packages_distributions()
    undeclared = {
        f"{file.relative_to(ROOT)}: {name}"
        for file in (ROOT / folder).rglob("*.py")
        for name in imported(file)
        if name in homes
        and name != "celebcollect"
        and not {canonicalize_name(home) for home in homes[name]} & known
    }

    assert undeclared == set()
