"""`identify`: say who is in a picture."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from celebcollect.cli.session import JsonOption, session_of
from celebcollect.cli.signals import stopping
from celebcollect.cli.text import print_json
from celebcollect.cli.train import ModelOption
from celebcollect.domain.errors import NothingProduced, UsageError

if TYPE_CHECKING:
    from celebcollect.stages.identify import IdentifiedFile


def identify(
    context: typer.Context,
    pictures: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Picture files.")],
    name: ModelOption = "faces",
    as_json: JsonOption = False,
) -> None:
    """
    Read pictures and say of each face in them who it is, by a trained model, or `unknown`.

    How sure that is: how many strangers are less like anybody whom the model knows.

    A file that is no picture is told and does not stop the others. The exit code is 2 when a file
    was missing, else 4 when none was a picture.

    Example: celebcollect identify holiday.jpg
    """
    from celebcollect.stages.identify import engine_of
    from celebcollect.stages.identify import identify as identify_all
    from celebcollect.stages.train import Shelf

    missing: list[Path] = []
    seen_any = False
    with stopping() as stop, session_of(context).app(stop) as app:
        model = Shelf(app.data_dir, name).load()
        spec = engine_of(model, app.config.clean)
        for seen in identify_all(
            pictures, model, spec, clean=app.config.clean, store=app.config.store
        ):
            (_print_lines if as_json else _print_seen)(seen)
            seen_any |= seen.fault is None
            if seen.fault == "missing":
                missing.append(seen.file)
            if stop.is_set():
                break
    if missing:
        raise UsageError(
            "no such file:"
            f" {', '.join(map(ascii, map(str, missing[:5])))}{' ...' if missing[5:] else ''}",
            hint="The others were looked at. Check the names.",
        )
    if not seen_any:
        raise NothingProduced(
            f"none of {len(pictures)} files is a picture that can be read",
            hint="The lines above say what is wrong with each.",
        )


def _print_seen(seen: "IdentifiedFile") -> None:
    from celebcollect.domain.text import clean_text

    # A file's name may hold anything, also what moves a terminal's cursor.
    file = clean_text(str(seen.file).encode("utf-8", "replace").decode())
    if seen.fault:
        sys.stderr.write(f"celebcollect: {file}: {clean_text(seen.detail)}\n")
    elif not seen.faces:
        sys.stdout.write(f"{file}: no face\n")
    for face in seen.faces:
        who = f"{face.person.name} ({face.person.qid})" if face.person else "unknown"
        left, top, right, bottom = face.box
        sys.stdout.write(
            f"{file}: {who}, distance {face.distance:.2f}, nearer than"
            f" {100 * face.nearer_than:.1f} % of strangers, face at {left},{top} to"
            f" {right},{bottom}\n"
        )


def _print_lines(seen: "IdentifiedFile") -> None:
    """Print one line of JSON for each face, or one that says why there is none."""
    file: dict[str, Any] = {"file": str(seen.file).encode("utf-8", "replace").decode()}
    if seen.fault:
        print_json({**file, "error": seen.fault, "detail": seen.detail})
    elif not seen.faces:
        print_json({**file, "faces": 0})
    for number, face in enumerate(seen.faces):
        who = (
            {"qid": face.person.qid, "name": face.person.name}
            if face.person
            else {"qid": None, "name": "unknown"}
        )
        print_json(
            {
                **file,
                "faces": len(seen.faces),
                "face": number,
                "box": face.box,
                **who,
                "distance": face.distance,
                "score": face.score,
                "nearer_than": face.nearer_than,
            }
        )
