"""The table of attacks names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_attack_in_the_table_has_its_test() -> None:
    """docs/security.md lists forty attacks and more, and each named test is there."""
    table = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    known = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text("utf-8"), re.MULTILINE)
    }

    numbers = [int(number) for number in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)]
    named = set(re.findall(r"`(test_\w+)`", table))

    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 40
    assert named - known == set()
