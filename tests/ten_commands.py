"""Ten commands of the README in a row, and what they say, times and digests left out.

    python ten_commands.py

prints it. `fixtures/ten-commands.txt` is what version 0.1 printed: users' scripts read these lines.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from celebcollect.demo.cast import CAST
from celebcollect.demo.program import config_text
from celebcollect.demo.tmdb import TOKEN
from celebcollect.demo.web import SmallWeb

ADA, ZOE = CAST[0], CAST[1]
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("init", "mine.toml", "--contact", "me@example.org", "--data-dir", "mine"),
    ("topics", "publish", "urls"),
    ("run-all", "--limit", "3", "--target-images", "3", "--sources", "tmdb,commons"),
    ("status",),
    ("status", "--json"),
    ("images", "--qid", ADA.qid, "--status", "rejected"),
    ("images", "--json"),
    ("topics", "list"),
    ("topics", "peek", "dataclean", "-n", "2", "--json"),
    ("gallery", "page"),
    ("export", "faces"),
    ("forget", ZOE.qid),
    ("images", "--qid", ZOE.qid),
    ("train",),
    ("identify", "nothing.jpg"),
)
"""Ten names of commands; some are asked twice, and the last ones fail as they should."""
HIDDEN = (
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)", "TIME"),
    (r"\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d)?)?", "DAY"),
    (r"127\.0\.0\.1:\d+", "HOST"),
    (r"\b[0-9a-f]{8,}…?[0-9a-f]*\b", "DIGEST"),
    (r"demo[0-9a-f]{8}", "FILE"),
    (r"A better face engine .*\n", ""),  # where dlib is the only one
    (r"\b\d+(\.\d+)? ?(s|ms|min|kB|KB|MB|B)\b", "AMOUNT"),
    (r'"bytes": ?\d+', '"bytes": N'),
    (r"train \d+, validation \d+, test \d+", "SPLIT"),  # by page, whose URL has the port
    (r"(?<!\S)\d+(\.\d+)?/(s|min)(?!\S)", ""),  # a rate, which is told where it is known
    (r" +", " "),
    (r" +\n", "\n"),
)
"""What differs from run to run."""


def told(folder: Path) -> str:
    """Run the commands in this folder; return each with its exit code and what it printed."""
    lines = []
    with SmallWeb() as web:
        config = folder / "config.toml"
        config.write_text(config_text(web.base, folder / "data", faces="off"), encoding="utf-8")
        facts = {"schema": 1, "qid": ADA.qid, "name": ADA.name, "source": "mine"}
        candidate = json.dumps({**facts, "url": f"{web.base}/google/0/shot-0.jpg"})
        for command in COMMANDS:
            done = subprocess.run(
                [sys.executable, "-m", "celebcollect", "--config", str(config), *command],
                env={**os.environ, "CELEBCOLLECT_TMDB__TOKEN": TOKEN, "COLUMNS": "100"},
                input=candidate,
                capture_output=True,
                text=True,
                cwd=folder,
                check=False,
            )
            lines += [f"$ celebcollect {' '.join(command)}", *sorted_rows(command, done.stdout)]
            # Log lines come and go; an error is what a user reads.
            lines += done.stderr.splitlines() if done.returncode else []
            lines.append(f"exit code {done.returncode}")
    return hidden("\n".join(lines) + "\n", folder)


def sorted_rows(command: tuple[str, ...], said: str) -> list[str]:
    """Return the lines; rows are sorted, since their ids depend on the port of the small web."""
    lines = said.splitlines()
    return sorted(lines, key=_without_names) if command[0] == "images" else lines


def _without_names(line: str) -> str:
    return hidden(line, Path("/nowhere"))


def hidden(text: str, folder: Path) -> str:
    """Leave out what differs from run to run."""
    text = text.replace(str(folder), "FOLDER")
    for pattern, word in HIDDEN:
        text = re.sub(pattern, word, text)
    return text


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        sys.stdout.write(told(Path(name).resolve()))
