"""Learn the people's faces and recognise them: train, identify."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from celebcollect.cli.session import JsonOption, add, print_json, print_table, session_of, stopping
from celebcollect.domain.errors import NothingProduced, UsageError

if TYPE_CHECKING:
    from celebcollect.stages.identify import Seen
    from celebcollect.stages.train import Trained

MAX_ROWS = 30
"""People in the table on stdout: those with the most mistakes; the report has all."""

ModelOption = Annotated[
    str, typer.Option("--model", metavar="NAME", help="Folder of the model in data_dir/models.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands that learn and recognise."""
    for command in (train, identify):
        add(app, command)


def train(context: typer.Context, name: ModelOption = "faces", as_json: JsonOption = False) -> None:
    """
    Read accepted pictures from dataclean, train the reference face classifier and write it with its report to data_dir/models.

    The report tells how photographs fared that the classifier had not seen, and how often a
    stranger was taken for somebody.

    Example: celebcollect train
    """
    from celebcollect.domain.tally import Tally
    from celebcollect.stages.train import Settings, Shelf
    from celebcollect.stages.train import train as train_model

    tally = Tally()
    with stopping() as stop, session_of(context).app(stop) as app:
        own = app.config.train
        settings = Settings(
            app.config.topics.clean,
            threshold=own.unknown_distance,
            ml_use_permitted=own.ml_use_permitted,
            forgotten=app.catalogue.forgotten,
        )
        trained = train_model(
            app.bus, app.folder, Shelf(app.data_dir, name), settings, tally, stop=stop
        )
        if as_json:
            print_json({"model": str(trained.file), **trained.report()})
        else:
            _print_report(trained)


def identify(
    context: typer.Context,
    pictures: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Picture files.")],
    name: ModelOption = "faces",
    as_json: JsonOption = False,
) -> None:
    """
    Read pictures and say of each face in them who it is, by a trained model, or `unknown`.

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


def _print_report(trained: "Trained") -> None:
    from rich.table import Table
    from rich.text import Text

    model, measured = trained.model, trained.evaluation
    people = [person for person in measured.people if person.held_out]
    people.sort(
        key=lambda person: (person.right / person.held_out, -person.held_out, int(person.qid[1:]))
    )
    if people:
        table = Table(title="Photographs that it had not seen", title_justify="left")
        for column in ("person", "name", "pictures", "unseen", "right", "unknown", "wrong"):
            table.add_column(column, justify="left" if column in ("person", "name") else "right")
        for person in people[:MAX_ROWS]:
            numbers = (person.pictures, person.held_out, person.right, person.unknown, person.wrong)
            table.add_row(person.qid, Text(person.name), *map(str, numbers))
        print_table(table)
        if people[MAX_ROWS:]:
            sys.stdout.write(f"and {len(people) - MAX_ROWS} people who fared no worse\n")
    sys.stdout.write(
        f"trained on {len(model.vectors)} pictures of {len(model.people)} people, data set"
        f" {model.fingerprint[:12]}\n"
    )
    if measured.held_out:
        sys.stdout.write(
            f"unseen: {measured.held_out} pictures, {_percent(measured.recognised)} recognised,"
            f" {_percent(measured.rejected)} unknown, {_percent(measured.confused)} taken for"
            f" somebody else ({_percent(measured.closed_accuracy)} right when nobody may be"
            " unknown)\n"
        )
    if measured.strangers:
        sys.stdout.write(
            f"strangers: {measured.strangers} pictures,"
            f" {_percent(measured.strangers_accepted)} taken for somebody\n"
        )
    else:
        sys.stdout.write("not measured: too few pictures to keep some of them apart\n")
    for reason, number in trained.left_out.items():
        why = (
            " (`[train] ml_use_permitted` names the agreements that you hold)"
            if reason == "needs_agreement"
            else ""
        )
        sys.stdout.write(f"left out: {number} {reason}{why}\n")
    if trained.people_left_out:
        sys.stdout.write(
            f"left out: {trained.people_left_out} people with fewer than 2 usable pictures\n"
        )
    sys.stdout.write(f"wrote {trained.file}; the report lies beside it\n")


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _print_seen(seen: "Seen") -> None:
    from celebcollect.domain.records import clean_text

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
            f"{file}: {who}, distance {face.distance:.2f}, face at {left},{top} to"
            f" {right},{bottom}\n"
        )


def _print_lines(seen: "Seen") -> None:
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
            }
        )
