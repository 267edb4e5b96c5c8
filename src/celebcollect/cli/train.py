"""`train`: learn the people's faces."""

import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from celebcollect.cli.session import JsonOption, session_of
from celebcollect.cli.signals import stopping
from celebcollect.cli.text import print_json, print_table

if TYPE_CHECKING:
    from celebcollect.stages.train import Trained
    from celebcollect.stages.train.evaluation import Evaluation

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
    from celebcollect.stages.train.rule import numbers_of
    from celebcollect.stages.verify.lost import correct

    tally = Tally()
    with stopping() as stop, session_of(context).app(stop) as app:
        own = app.config.train
        settings = TrainSettings(
            app.config.topics.clean,
            forgotten=app.catalogue.forgotten,
            threshold=own.unknown_distance,
            false_accept_rate=own.false_accept_rate,
            numbers_of=partial(numbers_of, clean=app.config.clean),
            described=app.catalogue.people,
            ml_use_permitted=own.ml_use_permitted,
        )
        lost: set[str] = set()
        shelf = Shelf(app.data_dir, name)
        try:
            trained = train_model(app.bus, app.folder, shelf, settings, tally, stop=stop, lost=lost)
        finally:
            correct(app.catalogue, app.folder, lost)
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
    sys.stdout.write(f"unknown beyond {model.threshold:.3f}, {_rule_text(trained)}\n")
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
    _print_groups(measured)
    _print_left_out(trained)
    sys.stdout.write(f"wrote {trained.file}; the report lies beside it\n")


def _print_left_out(trained: "Trained") -> None:
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


def _rule_text(trained: "Trained") -> str:
    from celebcollect.stages.train.charts import COMPARED

    compared = COMPARED[trained.model.rule]
    text = f"by the {compared[0].lower()}{compared[1:]}"
    if trained.false_accept_rate is not None:
        return f"{text}: {_percent(trained.false_accept_rate)} of strangers asked for"
    return text


def _print_groups(measured: "Evaluation") -> None:
    """Print how good the model is for people of each gender and citizenship."""
    from rich.table import Table
    from rich.text import Text

    if not measured.groups:
        return
    table = Table(title="By gender and citizenship", title_justify="left")
    for column in ("group", "people", "unseen", "right", "unknown", "wrong", "strangers", "taken"):
        table.add_column(column, justify="left" if column == "group" else "right")
    for group in measured.groups[:MAX_ROWS]:
        name = ", ".join(part for part in (group.gender, group.citizenship) if part)
        asked = (group.people, group.held_out, group.right, group.unknown, group.wrong)
        numbers = (*asked, group.strangers, group.strangers_accepted)
        table.add_row(Text(name), *map(str, numbers))
    print_table(table)
    if measured.groups[MAX_ROWS:]:
        sys.stdout.write(f"and {len(measured.groups) - MAX_ROWS} groups, see the report\n")


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"
