"""Run the program against the demonstration's small web, and look at what is left on disk."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from celebcollect.demo import pictures
from celebcollect.demo.cast import CAST
from celebcollect.demo.planted import album
from celebcollect.demo.program import config_text
from celebcollect.demo.tmdb import TOKEN

SOURCES = frozenset(("google", "tmdb", "commons"))
WITHOUT_BROWSER = ("run-all", "--sources", "tmdb,commons")


def planted(*, faces: bool, sources: Set[str] = SOURCES) -> set[tuple[str, str]]:
    """Return QID and SHA-256 of every picture that must be left at the end."""
    return {
        (player.qid, hashlib.sha256(pictures.data(picture)[2]).hexdigest())
        for player in CAST
        for picture in album(player)
        if picture.source in sources and picture.must_be_accepted(faces=faces)
    }


PICTURE_PATHS = ("/google/", "/mirror/", "/t/p/", "/commons/")


@dataclass
class Collection:
    """One data folder and the program that fills it from a small web."""

    folder: Path
    web: Any
    """A `SmallWeb`, or whatever has a `base` and `requests`."""
    more_config: str = ""
    faces: bool = False

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        # Face work costs seconds that most tests have no use for.
        self.config.write_text(
            config_text(self.web.base, self.folder / "data", faces="auto" if self.faces else "off")
            + self.more_config
        )

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    def start(
        self, *arguments: str, env: Mapping[str, str] | None = None, **options: Any
    ) -> subprocess.Popen[bytes]:
        """Start the program in a process group of its own; `env` adds to the environment."""
        environment = {**os.environ, "CELEBCOLLECT_TMDB__TOKEN": TOKEN, **(env or {})}
        command = [sys.executable, "-m", "celebcollect", "--config", str(self.config), *arguments]
        return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, **options)

    def run(self, *arguments: str) -> str:
        """Run the program to its end, which must be a good one; return its stdout."""
        process = self.start(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, error = process.communicate(timeout=240)
        assert process.returncode == 0, (
            f"{arguments} ended with {process.returncode}: {error.decode()[-4000:]}"
        )
        return out.decode()

    def killed_after(self, seconds: float, *arguments: str) -> bool:
        """Start the program, end it with SIGKILL after so long; tell whether it still ran."""
        process = self.start(*arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return True
        return False

    def images(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.run("images", "--json").splitlines()]

    def status(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(self.run("status", "--json"))
        return facts

    def peek(self, topic: str) -> list[dict[str, Any]]:
        return [
            json.loads(line)
            for line in self.run("topics", "peek", topic, "-n", "100000", "--json").splitlines()
        ]

    def files(self) -> set[str]:
        """Return every file of pictures below the data folder, temporary ones included."""
        data = self.folder / "data"
        return {
            str(file.relative_to(data))
            for folder in ("images", "quarantine", "tmp")
            for file in (data / folder).rglob("*")
            if file.is_file()
        }

    def contents(self) -> dict[str, bytes]:
        """Return the same files with their bytes."""
        return {path: (self.folder / "data" / path).read_bytes() for path in self.files()}

    def data_set(self, clean_topic: str = "dataclean") -> dict[str, Any]:
        """Return what must be the same however often the work was interrupted."""
        rows = self.images()
        return {
            "images": {
                (
                    row["qid"],
                    row["url"].removeprefix(self.web.base),
                    row["status"],
                    row["reason"],
                    row["sha256"],
                    row["path"],
                )
                for row in rows
            },
            "files": self.files(),
            "published": {
                message["key"]: message["value"] is not None for message in self.peek(clean_topic)
            },
        }

    def downloads(self) -> int:
        """Return how many pictures the web was asked for so far."""
        return sum(n for path, n in self.web.requests.items() if path.startswith(PICTURE_PATHS))
