"""Run the real program against the small web, and show what became of what was planted there.

Every planted picture must have ended as planned, and an unseen face must be recognised.
"""

from __future__ import annotations

import json
import shutil
import sys
import threading
from contextlib import AbstractContextManager
from pathlib import Path

from celebcollect.config.sections import CleanConfig
from celebcollect.demo.cast import CAST, STRANGER
from celebcollect.demo.drawing import encode, portrait
from celebcollect.demo.outcome import Outcome, judge, show
from celebcollect.demo.program import Program, config_text
from celebcollect.demo.web import SmallWeb
from celebcollect.disk.files import disk_errors
from celebcollect.disk.locks import check_foreign
from celebcollect.domain.errors import CelebCollectError
from celebcollect.vision import dlib_package
from celebcollect.vision.engines import engine_for

MARK = ".celebcollect-demo"
"""File that says that a folder is ours to empty."""

_ANOTHER = "Name another folder: celebcollect demo DIR"

UNSEEN_SHOT = 60
"""Of the pictures to recognise: the small web has none with this number."""

REPORT = "That is a fault of the program: please report it, with the output above."


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
    faces = dlib_package.why_not() is None
    config = folder / "config.toml"
    program = Program(config, stop)
    with SmallWeb() as web:
        config.write_text(_configuration(web, dlib=faces), encoding="utf-8")
        sys.stdout.write(
            f"A small web plays Wikidata, Google Images, TMDB and Commons at {web.base}.\n"
        )
        program.run("run-all")
        outcome = _judged(web, program.ask("images", "--json"), faces=faces)
    sys.stdout.write("\n")
    show(outcome, faces=faces)
    if outcome.wrong:
        raise CelebCollectError(
            f"{len(outcome.wrong)} pictures ended otherwise than planted:"
            f" {'; '.join(outcome.wrong[:5])}",
            hint=REPORT,
        )
    if faces:
        _recognise(program, folder / "unseen")
    _conclude(folder, outcome, faces=faces)


def _configuration(web: SmallWeb, *, dlib: bool) -> str:
    """Return a configuration in which dlib looks at faces or, where it is missing, nobody."""
    if dlib:
        return config_text(web.base, Path("data"))
    if engine_for(CleanConfig()) is None:  # then the program says what is missing
        return config_text(web.base, Path("data"), engine="auto")
    return config_text(web.base, Path("data"), faces="off")


def _judged(web: SmallWeb, listed: str, *, faces: bool) -> Outcome:
    """Hold what `images --json` lists against what was planted."""
    rows = [json.loads(line) for line in listed.splitlines()]
    return judge(
        list(web.albums.pictures.values()),
        {row["url"].removeprefix(web.base): row for row in rows},
        {row["source"] for row in rows},
        faces=faces,
    )


def _conclude(folder: Path, outcome: Outcome, *, faces: bool) -> None:
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
    sys.stdout.write(f"Look around: celebcollect --config {folder / 'config.toml'} status\n")


def _recognise(program: Program, folder: Path) -> None:
    """
    Train, and ask about two pictures that nobody has collected.

    One shows a person of the set, the other a stranger.
    """
    known, stranger = folder / "known.jpg", folder / "stranger.jpg"
    with _told(folder):
        folder.mkdir(exist_ok=True)
        known.write_bytes(encode(portrait(CAST[0].looks, UNSEEN_SHOT)))
        stranger.write_bytes(encode(portrait(STRANGER, UNSEEN_SHOT)))
    program.run("train")
    said = program.ask("identify", str(known), str(stranger), tell=True)
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
