"""Run the real program against the small web and show what became of every picture that was planted there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from celebcollect.demo.cast import CAST, GOOD_SHOTS, Picture
from celebcollect.demo.web import TOKEN, SmallWeb, tmdb_file
from celebcollect.errors import CelebCollectError, StorageError, UsageError

MARK = ".celebcollect-demo"
"""File that says that a folder is ours to empty."""

CONFIG = """# Written by `celebcollect demo`: the small web plays all services.
data_dir = {data_dir}
[http]
contact = "demo@example.org"
[wikidata]
endpoint = "{base}/sparql"
dialect = "wdqs"
occupations = ["Q33999"]
min_interval_s = 0
[google]
search_url = "{base}/search"
min_interval_s = 0
[tmdb]
base_url = "{base}/3"
requests_per_s = 100
[commons]
api_url = "{base}/w/api.php"
requests_per_s = 100
[store]
allow_private_addresses = true
[clean]
faces = "off"
[run]
target_images = {target}
"""


def run_demo(folder: Path, stop: threading.Event) -> None:
    """
    Play the small web, run `run-all` against it as a user would, and print what came of it.

    Raises:
        UsageError: The folder holds something that is not a former demonstration.
        CelebCollectError: The run failed, or something else than the planted pictures was accepted.
    """
    _prepare(folder)
    with SmallWeb() as web:
        config = folder / "config.toml"
        config.write_text(CONFIG.format(base=web.base, data_dir=json.dumps(str(folder / "data")), target=GOOD_SHOTS), encoding="utf-8")
        sys.stdout.write(f"A small web plays Wikidata, Google Images, TMDB and Commons at {web.base}.\n$ celebcollect --config {config} run-all\n\n")
        sys.stdout.flush()
        _program(config, ["run-all"], stop)
        rows = [json.loads(line) for line in _program(config, ["images", "--json"], stop, capture=True).splitlines()]
        outcomes = {row["url"].removeprefix(web.base): row for row in rows}
        sources = {picture.source for picture in web.pictures.values() if any(row["source"] == picture.source for row in rows)}
        report = judge(list(web.pictures.values()), outcomes, sources)
    _show(report, folder)
    if report.wrong:
        raise CelebCollectError(f"{len(report.wrong)} pictures ended otherwise than planted: {'; '.join(report.wrong[:5])}")


@dataclass(frozen=True)
class Report:
    """What became of what was planted."""

    accepted: Counter[str]
    """By QID."""
    left_out: dict[str, Counter[str]]
    """Reasons by QID."""
    wrong: list[str]


def judge(planted: list[Picture], outcomes: dict[str, dict[str, Any]], sources: set[str]) -> Report:
    """Compare the images that the program knows, by path on the small web, with what was planted in the sources that it could use."""
    accepted: Counter[str] = Counter()
    left_out: dict[str, Counter[str]] = {player.qid: Counter() for player in CAST}
    wrong = []
    by_sha = Counter(row["sha256"] for row in outcomes.values() if row["status"] == "accepted")
    wrong += [f"{sha} was accepted {n} times" for sha, n in by_sha.items() if n > 1]
    for picture in planted:
        row = outcomes.get(_asked_path(picture))
        if row is None:
            if picture.source in sources:
                wrong.append(f"{picture.path} was never collected")
            continue
        if row["status"] == "accepted":
            accepted[picture.player.qid] += 1
        else:
            left_out[picture.player.qid][row["reason"]] += 1
        # Of two files with the same bytes either may be kept; which one is told by their URLs, not by the plan.
        same_bytes = picture.kind == "good" and picture.shot == 0
        if not same_bytes and (row["status"] == "accepted") != picture.accepted:
            wrong.append(f"{picture.path} ({picture.kind}) is {row['status']} {row['reason'] or ''}")
        if not picture.accepted and row["status"] != "accepted" and not same_bytes and row["reason"] not in picture.reasons:
            wrong.append(f"{picture.path} ({picture.kind}) was left out for {row['reason']}")
    return Report(accepted, left_out, wrong)


def _asked_path(picture: Picture) -> str:
    """Return the path under which the program knows a picture."""
    return f"/t/p/original{tmdb_file(picture)}" if picture.source == "tmdb" else picture.path


def _prepare(folder: Path) -> None:
    try:
        if folder.exists() and any(folder.iterdir()):
            if not (folder / MARK).is_file():
                raise UsageError(f"{folder} is not empty and no former demonstration", hint="Name another folder: celebcollect demo DIR")
            shutil.rmtree(folder / "data", ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARK).touch()
    except OSError as error:
        raise StorageError(f"cannot write in {folder}: {error.strerror}") from error


def _program(config: Path, arguments: list[str], stop: threading.Event, *, capture: bool = False) -> str:
    """Run the program as a user would, in a process of its own; Ctrl-C reaches it through the terminal."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CELEBCOLLECT_")}
    command = [sys.executable, "-m", "celebcollect", "--config", str(config), *arguments]
    process = subprocess.Popen(  # noqa: S603 - our own program
        command, env={**environment, "CELEBCOLLECT_TMDB__TOKEN": TOKEN}, stdout=subprocess.PIPE if capture else None
    )
    out, _ = process.communicate()
    if process.returncode and not stop.is_set():
        raise CelebCollectError(f"celebcollect {' '.join(arguments)} ended with exit code {process.returncode}")
    return out.decode() if out else ""


def _show(report: Report, folder: Path) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title="What became of the planted pictures", title_justify="left")
    for column in ("person", "accepted", "left out", "why"):
        table.add_column(column, justify="right" if column in ("accepted", "left out") else "left")
    for player in CAST:
        reasons = report.left_out[player.qid]
        why = ", ".join(f"{n} {reason}" for reason, n in sorted(reasons.items()))
        table.add_row(Text(player.name), str(report.accepted[player.qid]), str(reasons.total()), Text(why))
    everything: Counter[str] = sum(report.left_out.values(), Counter())
    total = ", ".join(f"{n} {reason}" for reason, n in everything.most_common())
    table.add_section()
    table.add_row(f"{len(CAST)} people", str(report.accepted.total()), str(everything.total()), total)
    console = Console()
    # Without a terminal a line is as wide as it must be, so that nothing is cut.
    (console if console.is_terminal else Console(width=200)).print(table)
    sys.stdout.write(f"Accepted pictures lie in {folder / 'data' / 'images'}, rejected ones in {folder / 'data' / 'quarantine'}.\n")
    sys.stdout.write(f"Look around: celebcollect --config {folder / 'config.toml'} status\n")
