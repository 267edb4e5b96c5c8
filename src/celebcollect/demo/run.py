"""Run the real program against the small web, show what became of every picture that was planted there, and let it recognise faces."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from celebcollect.config.sections import CleanConfig
from celebcollect.demo.cast import CAST, GOOD_SHOTS, IDENTITY_THRESHOLD, STRANGER, UNKNOWN_DISTANCE
from celebcollect.demo.drawing import encode, portrait
from celebcollect.demo.outcome import judge, show
from celebcollect.demo.web import TOKEN, SmallWeb
from celebcollect.disk.files import disk_errors
from celebcollect.disk.locks import check_foreign
from celebcollect.domain.errors import CelebCollectError, Interrupted
from celebcollect.vision.engines import engine_for

MARK = ".celebcollect-demo"

_ANOTHER = "Name another folder: celebcollect demo DIR"
"""File that says that a folder is ours to empty."""

UNSEEN_SHOT = 60
"""Of the pictures to recognise: the small web has none with this number."""

REPORT = "That is a fault of the program: please report it, with the output above."

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
faces = "{faces}"
# Drawn faces are more alike than photographed ones: two shots of one are up to 0.19 apart on average, shots of two at least 0.30.
# For photographs leave the default, 0.6, which was measured on some.
identity_threshold = {identity_threshold}
[train]
# For the same reason; the default is 0.55.
unknown_distance = {unknown_distance}
[run]
target_images = {target}
"""


def config_text(base: str, data_dir: Path, *, faces: str = "auto") -> str:
    """Return a configuration for which the small web at `base` plays all services."""
    return CONFIG.format(
        base=base, data_dir=json.dumps(str(data_dir)), faces=faces, target=GOOD_SHOTS,
        identity_threshold=IDENTITY_THRESHOLD, unknown_distance=UNKNOWN_DISTANCE,
    )  # fmt: skip


def run_demo(folder: Path, stop: threading.Event) -> None:
    """
    Play the small web, run the program against it as a user would, and print what came of it.

    Where faces can be looked at, it ends with a classifier that names an unseen picture and calls a
    stranger unknown.

    Raises:
        UsageError: The folder holds something that is not a former demonstration.
        Interrupted: `stop` was set.
        CelebCollectError: The run failed, or something else than the planted pictures was accepted,
            or somebody was not recognised.
    """
    _prepare(folder)
    faces = engine_for(CleanConfig()) is not None
    config = folder / "config.toml"
    with SmallWeb() as web:
        config.write_text(config_text(web.base, folder / "data"), encoding="utf-8")
        sys.stdout.write(
            f"A small web plays Wikidata, Google Images, TMDB and Commons at {web.base}.\n"
        )
        _program(config, ["run-all"], stop)
        rows = [
            json.loads(line)
            for line in _program(config, ["images", "--json"], stop, capture=True).splitlines()
        ]
        sources = {row["source"] for row in rows}
        outcome = judge(
            list(web.pictures.values()),
            {row["url"].removeprefix(web.base): row for row in rows},
            sources,
            faces=faces,
        )
    sys.stdout.write("\n")
    show(outcome)
    if outcome.wrong:
        raise CelebCollectError(
            f"{len(outcome.wrong)} pictures ended otherwise than planted:"
            f" {'; '.join(outcome.wrong[:5])}",
            hint=REPORT,
        )
    if faces:
        _recognise(config, folder / "unseen", stop)
    left_out = sum(reasons.total() for reasons in outcome.left_out.values())
    sys.stdout.write(
        f"\nExactly as planted: {outcome.accepted.total()} pictures accepted, {left_out} left out,"
        " each for its reason.\n"
    )
    if not faces:
        sys.stdout.write(
            "Nobody looked at faces, so wrong people, groups and landscapes stayed in, and nothing"
            " can be trained on them.\n"
        )
    sys.stdout.write(
        f"Accepted pictures lie in {folder / 'data' / 'images'}, rejected ones in"
        f" {folder / 'data' / 'quarantine'}.\n"
    )
    sys.stdout.write(f"Look around: celebcollect --config {config} status\n")


def _recognise(config: Path, folder: Path, stop: threading.Event) -> None:
    """Train, and ask about two pictures that nobody has collected: one of a person in the set, one of a stranger."""
    known, stranger = folder / "known.jpg", folder / "stranger.jpg"
    with _told(folder):
        folder.mkdir(exist_ok=True)
        known.write_bytes(encode(portrait(CAST[0].looks, UNSEEN_SHOT)))
        stranger.write_bytes(encode(portrait(STRANGER, UNSEEN_SHOT)))
    _program(config, ["train"], stop)
    said = _program(config, ["identify", str(known), str(stranger)], stop, capture=True)
    sys.stdout.write(said)
    first, second, *_ = [*said.splitlines(), "", ""]
    if f": {CAST[0].name} ({CAST[0].qid})," not in first or ": unknown," not in second:
        raise CelebCollectError(
            f"{known} shows {CAST[0].name}, and {stranger} somebody unknown", hint=REPORT
        )


def _prepare(folder: Path) -> None:
    with _told(folder):
        if check_foreign(folder, MARK, former="demonstration", hint=_ANOTHER):
            shutil.rmtree(folder / "data", ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARK).touch()


def _told(folder: Path) -> AbstractContextManager[None]:
    return disk_errors("write in", folder, hint=_ANOTHER)


def _program(
    config: Path, arguments: list[str], stop: threading.Event, *, capture: bool = False
) -> str:
    """Run the program as a user would, in a process of its own, which is asked to end when `stop` is set."""
    if not capture or arguments[0] == "identify":
        sys.stdout.write(f"\n$ celebcollect --config {config} {' '.join(arguments)}\n")
    sys.stdout.flush()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("CELEBCOLLECT_")
    }
    command = [sys.executable, "-m", "celebcollect", "--config", str(config), *arguments]
    process = subprocess.Popen(  # noqa: S603 - our own program
        command,
        env={**environment, "CELEBCOLLECT_TMDB__TOKEN": TOKEN},
        stdout=subprocess.PIPE if capture else None,
    )
    asked_to_end = False
    while True:
        with suppress(subprocess.TimeoutExpired):
            out, _ = process.communicate(timeout=0.2)
            break
        # Ctrl-C has reached it through the terminal, SIGTERM has not
        if stop.is_set() and not asked_to_end:
            process.terminate()
            asked_to_end = True
    if stop.is_set():
        raise Interrupted("interrupted", hint="The demonstration begins anew when it is run again.")
    if process.returncode:
        raise CelebCollectError(
            f"celebcollect {' '.join(arguments)} ended with exit code {process.returncode}",
            hint="What it wrote above says why; doctor tells more.",
        )
    return out.decode() if out else ""
