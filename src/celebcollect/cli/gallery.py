"""`gallery`: write a page of what was kept and what was rejected."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from celebcollect.cli.session import JsonOption, session_of
from celebcollect.cli.signals import stopping
from celebcollect.cli.text import print_json
from celebcollect.domain.errors import NothingProduced

if TYPE_CHECKING:
    from celebcollect.gallery.write import GallerySummary


def gallery(
    context: typer.Context,
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="Where the page is written: a new folder, or that of a former page."
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """
    Read people and pictures from the catalogue and write a static page of what was kept, what
    was rejected, and why.

    The page needs no server: open DIR/index.html in a browser. It links accepted pictures where
    they lie, so move it together with data_dir.

    Example: celebcollect gallery gallery
    """
    from celebcollect.gallery.write import write_gallery
    from celebcollect.stages import folder_notes

    with stopping() as stop, session_of(context).app(stop) as app:
        folder_notes.settle(app.catalogue, app.data_dir)
        summary = write_gallery(
            folder,
            app.catalogue,
            app.folder,
            data_dir=app.data_dir,
            max_bytes=app.config.store.max_bytes,
            stop=stop,
        )
    _print(folder / "index.html", summary, as_json=as_json)
    if not summary.people:
        raise NothingProduced(
            "the catalogue holds no picture yet", hint="`celebcollect run-all` collects some."
        )


def _print(page: Path, summary: "GallerySummary", *, as_json: bool) -> None:
    if as_json:
        print_json({"page": str(page), **asdict(summary)})
        return
    numbers = ", ".join(f"{n} {status}" for status, n in summary.images.items())
    sys.stdout.write(f"{summary.people} people; images: {numbers}\n")
    made, kept, removed = (
        summary.thumbnails_made,
        summary.thumbnails_kept,
        summary.thumbnails_removed,
    )
    sys.stdout.write(
        f"thumbnails: {made} made, {kept} kept, {removed} removed;"
        f" {summary.pictures_without_thumbnail} pictures have none\n"
    )
    sys.stdout.write(f"wrote {page}\n")
