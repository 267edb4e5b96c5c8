"""The order of the house, kept: what no module may do, wherever it stands."""

from __future__ import annotations

import re
from pathlib import Path

from celebcollect.sources.registry import installed

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "celebcollect"

FACTS_OF_WIKIDATA = re.compile(r"tmdb_ids|tmdb/\{number\}|TMDB or IMDb id|commons_category")
"""What Wikidata says of a person and where: keys of the catalogue, and words for them."""


def test_no_module_outside_its_room_names_a_source() -> None:
    """Not in code, text or comment: what is said of one source belongs to its specification."""
    words = {word for spec in installed() for word in (spec.name, *spec.title.split())}
    names = re.compile(rf"(?<![a-z])({'|'.join(words - {'Images', 'Wikimedia'})})(?![a-z])", re.I)
    topics = re.compile("|".join(rf"\b{spec.topic}\b" for spec in installed() if spec.order > 10))
    found = [
        f"{file.relative_to(SOURCE)}:{number}: {line.strip()}"
        for file in sorted(SOURCE.rglob("*.py"))
        if file.relative_to(SOURCE).parts[0] not in ("sources", "demo")
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
        if names.search(FACTS_OF_WIKIDATA.sub("", line)) or topics.search(line)
    ]

    assert found == []
