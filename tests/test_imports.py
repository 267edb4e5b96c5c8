"""Each heavy library has one home: whoever replaces it changes one folder."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "celebcollect"
HOMES = {
    "httpx": "web/",
    "confluent_kafka": "bus/kafka/",
    "mongoengine": "catalogue/mongo/",
    "pymongo": "catalogue/mongo/",
    "bson": "catalogue/mongo/",
    "selenium": "sources/google/browser.py",
    "SPARQLWrapper": "sources/wikidata/endpoint.py",
    "typer": "cli/",
    "rdflib": "demo/",
    "stamina": ("web/", "log.py"),
    "w3lib": "web/urls.py",
}


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("library", HOMES)
def test_a_library_is_imported_in_its_home_only(library: str) -> None:
    """Nobody else imports it, and its home still needs it."""
    importers = {file.relative_to(SOURCE).as_posix() for file in SOURCE.rglob("*.py") if library in imported(file)}

    assert all(importer.startswith(HOMES[library]) for importer in importers), importers
    assert importers or library in ("bson", "pymongo")
