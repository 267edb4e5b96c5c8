"""`train`: learn the people's faces."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from celebcollect.cli.session import JsonOption, session_of
from celebcollect.cli.signals import stopping
from celebcollect.cli.text import print_json, print_table

if TYPE_CHECKING:
    from celebcollect.stages.train import Trained

MAX_ROWS = 30
"""People in the table on stdout: those with the most mistakes; the report has all."""

ModelOption = Annotated[
    str, typer.Option("--model", metavar="NAME", help="Folder of the model in data_dir/models.")
]


def train(context: typer.Context, name: ModelOption = "faces", as_json: JsonOption = False) -> None:
    """
    Read accepted pictures from dataclean, train the reference face classifier and write it with
    its report to data_dir/models.

    The report tells how photographs fared that the classifier had not seen, and how often a
    stranger was taken for somebody.

    Example: celebcollect train
    """
    from celebcollect.domain.tally import Tally
    from celebcollect.stages.train import Shelf, TrainSettings
    from celebcollect.stages.train import train as train_model

    tally = Tally()
    with stopping() as stop, session_of(context).app(stop) as app:
        own = app.config.train
        settings = TrainSettings(
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
