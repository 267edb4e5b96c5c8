"""What users' scripts rely on is as it was in version 0.1: names, and what ten commands say."""

from __future__ import annotations

import difflib
import json
from pathlib import Path

import pytest

from promised_names import names
from ten_commands import COMMANDS, told

FIXTURES = Path(__file__).parent / "fixtures"
VERSION_0_1 = json.loads((FIXTURES / "names-0.1.json").read_text(encoding="utf-8"))
IMAGE_KEYS = [
    "qid",
    "name",
    "status",
    "reason",
    "source",
    "url",
    "page_url",
    "licence",
    "author",
    "sha256",
    "path",
    "bytes",
    "format",
    "width_px",
    "height_px",
    "found_at",
    "stored_at",
]
STATUS_KEYS = ["log", "catalogue", "celebrities", "images", "in_doubt", "reasons", "topics"]
STATES = ["verified", "stored", "accepted", "rejected", "failed"]


def test_no_name_is_gone() -> None:
    """Every command, option, argument and configuration key of version 0.1 is still there."""
    today = names()

    gone = {
        command: set(options) - set(today["commands"].get(command, ()))
        for command, options in VERSION_0_1["commands"].items()
    }
    assert {command: left for command, left in gone.items() if left} == {}
    assert set(VERSION_0_1["commands"]) - set(today["commands"]) == set()
    assert set(VERSION_0_1["config"]) - set(today["config"]) == set()


@pytest.mark.slow
def test_ten_commands_say_what_they_said(tmp_path: Path) -> None:
    """The same output and exit codes; whoever changes a line on purpose changes the kept text."""
    expected = (FIXTURES / "ten-commands.txt").read_text(encoding="utf-8")

    said = told(tmp_path)

    lines = difflib.unified_diff(expected.splitlines(), said.splitlines(), "0.1", "today", n=1)
    assert said == expected, "\n".join(lines)
    assert len({command[0] for command in COMMANDS}) >= 10


def test_json_has_the_keys_that_were_promised() -> None:
    """Read from what ten commands said, which the test above compares with today's."""
    lines = (FIXTURES / "ten-commands.txt").read_text(encoding="utf-8").splitlines()
    status = json.loads(lines[lines.index("$ celebcollect status --json") + 1])
    image = json.loads(lines[lines.index("$ celebcollect images --json") + 1].replace(": N", ": 0"))

    assert list(status) == STATUS_KEYS
    assert list(status["images"]) == STATES
    assert set(IMAGE_KEYS) <= set(image)
