"""Broken pictures by the thousand, in a process of their own.

A crash in a decoder would take the tests with it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "benchmarks" / "fuzz.py"


@pytest.mark.slow
def test_thousands_of_broken_pictures_lead_to_facts_or_a_reason() -> None:
    """
    No crash, no hang, no other exception, little memory, whoever opens them.

    The mutations reach deep enough to matter. `make fuzz` does it with 20,000.
    """
    finished = subprocess.run(
        [sys.executable, PROGRAM, "--files", "500", "--seed", "11"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert finished.returncode == 0, finished.stdout[-2000:] + finished.stderr[-2000:]
    assert finished.stderr == ""
    *counts, facts = finished.stdout.splitlines()
    assert json.loads(facts)["surprises"] == 0
    outcomes = {line.split(None, 1)[1] for line in counts}
    for kind in ("jpeg", "png", "webp", "gif", "avif"):
        stored = {outcome for outcome in outcomes if outcome.split()[:2] == ["store", kind]}
        assert any("picture" in outcome for outcome in stored)
        assert any("corrupt" in outcome for outcome in stored)
    assert any(outcome.split()[:2] == ["clean", "tail"] for outcome in outcomes)
    for opener, word in {
        "clean": "accepted",
        "rehash": "hashed",
        "faces": "FacesSeen",
        "crop": "cut",
        "chart": "RGB",
        "thumbnail": "made",
        "export": "same",
    }.items():
        assert any(outcome.split()[0::2] == [opener, word] for outcome in outcomes), opener
