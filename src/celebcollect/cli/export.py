"""`export`: write the accepted pictures as a data set."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from celebcollect.cli.session import JsonOption, session_of
from celebcollect.cli.signals import stopping
from celebcollect.cli.text import print_json
from celebcollect.domain.errors import NothingProduced, UsageError

if TYPE_CHECKING:
    from celebcollect.app import App
    from celebcollect.domain.tally import Tally
    from celebcollect.stages.export import ExportSummary
    from celebcollect.stages.export.index import Layout

FormatOption = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="imagefolder: a folder per person; webdataset: tar files.",
    ),
]
CropsOption = Annotated[
    bool,
    typer.Option(
        "--crops", help="The faces, cut out and level, 224 pixels wide, instead of whole pictures."
    ),
]


def export(
    context: typer.Context,
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="A new or empty folder, or one that was exported to before."
        ),
    ],
    layout: FormatOption = "imagefolder",
    crops: CropsOption = False,
    max_shard_mb: Annotated[
        int, typer.Option(min=1, metavar="N", help="Size of a tar file, in megabytes (10^6 bytes).")
    ] = 500,
    as_json: JsonOption = False,
) -> None:
    """
    Write the accepted pictures with their metadata, a data card and Croissant metadata to a
    folder that training tools load.

    A second export to the same folder writes what is new and removes what is no longer accepted.

    Example: celebcollect export faces --format webdataset
    """
    from celebcollect.domain.tally import Tally
    from celebcollect.stages import folder_notes
    from celebcollect.stages.export import About, ExportSettings, export_images
    from celebcollect.stages.verify.lost import correct

    tally, known = Tally(), _layout(layout)
    with stopping() as stop, session_of(context).app(stop) as app:
        settings = ExportSettings(
            known,
            ml_use_permitted=app.config.train.ml_use_permitted,
            max_shard_bytes=max_shard_mb * 10**6,
            crops=crops,
        )
        folder_notes.settle(app.catalogue, app.data_dir)
        about = About.of(app.catalogue, app.checks)
        lost: set[str] = set()
        try:
            given = (app.catalogue, app.folder, folder, settings)
            summary = export_images(*given, about=about, tally=tally, stop=stop, lost=lost)
        finally:
            correct(app.catalogue, app.folder, lost)
        _print_export(folder, summary, tally, as_json=as_json)
        _judge(app, summary, about.unclean)


def _layout(name: str) -> "Layout":
    from celebcollect.stages.export import LAYOUTS

    for layout in LAYOUTS:
        if layout == name:
            return layout
    raise UsageError(f"unknown format: {name!r}", hint=f"Formats are {', '.join(LAYOUTS)}.")


def _print_export(folder: Path, summary: "ExportSummary", tally: "Tally", *, as_json: bool) -> None:
    if as_json:
        facts: dict[str, Any] = {
            "folder": str(folder),
            "format": summary.layout,
            "images": summary.images,
            "people": summary.people,
        }
        print_json(
            {
                **facts,
                "bytes": summary.bytes,
                "splits": summary.splits,
                "fingerprint": summary.fingerprint,
                **tally.as_dict(),
            }
        )
        return
    splits = ", ".join(f"{split} {n}" for split, n in summary.splits.items())
    sys.stdout.write(
        f"{summary.images} pictures of {summary.people} people in {folder} ({splits})\n"
    )
    files = "shards" if summary.layout == "webdataset" else "pictures"
    sys.stdout.write(
        f"{files}:"
        f" {', '.join(f'{tally[what]} {what}' for what in ('written', 'unchanged', 'removed'))}\n"
    )
    for reason, number in tally.reasons.items():
        sys.stdout.write(f"left out: {number} {reason}{_WHAT_TO_DO.get(reason, '')}\n")


_WHAT_TO_DO = {
    "needs_agreement": " (`[train] ml_use_permitted` names the agreements that you hold)",
    "no_known_face": " (`clean` looks for faces with the extra `faces`: `celebcollect doctor`)",
}


def _judge(app: "App", summary: "ExportSummary", unclean: int) -> None:
    """Tell how many people wait; end with an error when no picture could be exported."""
    if unclean:
        people = f"the pictures of {unclean} people"
        sys.stderr.write(f"celebcollect: {people} wait for `celebcollect clean`\n")
    if summary.images:
        return
    counts = app.catalogue.counts().images
    if summary.left_out:
        raise NothingProduced(
            "none of the accepted pictures may or can be exported:"
            f" {', '.join(f'{n} {why}' for why, n in summary.left_out.items())}",
            hint="; ".join(
                f"{why}{_WHAT_TO_DO[why]}" for why in summary.left_out if why in _WHAT_TO_DO
            )
            or "`celebcollect explain REASON` says what a word means.",
        )
    states = ", ".join(f"{n} {state.value}" for state, n in counts.items() if n)
    raise NothingProduced(
        f"no picture is accepted ({states or 'nothing was collected yet'})",
        hint=(
            "`celebcollect clean` looks at stored ones, `store` at verified ones."
            if states
            else f"Is {app.data_dir.absolute()} the collection that you mean? `run-all` collects."
        ),
    )
