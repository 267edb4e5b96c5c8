"""Give the result away, and take it back: export, forget."""

import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from celebcollect.cli.session import JsonOption, add, check_qid, print_json, session_of, stopping
from celebcollect.domain.errors import NothingProduced, StorageError, UsageError

if TYPE_CHECKING:
    from celebcollect.app import App
    from celebcollect.domain.tally import Tally
    from celebcollect.stages.export import Summary
    from celebcollect.stages.forget import Removed


def add_to(app: typer.Typer) -> None:
    """Add the commands that give away and take back."""
    for command in (export, forget):
        add(app, command)


def export(
    context: typer.Context,
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="A new or empty folder, or one that was exported to before."
        ),
    ],
    layout: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="imagefolder: a folder per person; webdataset: tar files.",
        ),
    ] = "imagefolder",
    crops: Annotated[
        bool,
        typer.Option(
            "--crops",
            help="The faces, cut out and level, 224 pixels wide, instead of whole pictures.",
        ),
    ] = False,
    max_shard_mb: Annotated[
        int, typer.Option(min=1, metavar="N", help="Size of a tar file, in megabytes (10^6 bytes).")
    ] = 500,
    as_json: JsonOption = False,
) -> None:
    """
    Write the accepted pictures with their metadata, a data card and Croissant metadata to a folder that training tools load.

    A second export to the same folder writes what is new and removes what is no longer accepted.

    Example: celebcollect export faces --format webdataset
    """
    from celebcollect.domain.tally import Tally
    from celebcollect.stages.export import LAYOUTS, About, Settings, export_images

    known = next((name for name in LAYOUTS if name == layout), None)
    if known is None:
        raise UsageError(f"unknown format: {layout!r}", hint=f"Formats are {', '.join(LAYOUTS)}.")
    tally = Tally()
    with stopping() as stop, session_of(context).app(stop) as app:
        permitted = app.config.train.ml_use_permitted
        settings = Settings(
            known, ml_use_permitted=permitted, max_shard_bytes=max_shard_mb * 10**6, crops=crops
        )
        about = About.of(app.catalogue, app.checks)
        summary = export_images(
            app.catalogue, app.folder, folder, settings, about=about, tally=tally, stop=stop
        )
        _print_export(folder, summary, tally, as_json=as_json)
        if about.unclean:
            sys.stderr.write(
                f"celebcollect: the pictures of {about.unclean} people wait for `celebcollect"
                " clean`\n"
            )
        _judge(app, summary)


def forget(
    context: typer.Context,
    qid: Annotated[str, typer.Argument(metavar="QID", help="The person's Wikidata item.")],
    as_json: JsonOption = False,
) -> None:
    """
    Remove a person for good from files, catalogue, topics, exports, models and galleries, and never collect it again.

    Another item with the same TMDB or IMDb id is the same person. A second time does no harm, and
    finishes what was interrupted.

    Example: celebcollect forget Q42
    """
    from celebcollect.app import SOURCES
    from celebcollect.catalogue import tasks
    from celebcollect.gallery.write import known_galleries, rewrite_gallery
    from celebcollect.sources.google.cache import forget as forget_google
    from celebcollect.stages.export import About
    from celebcollect.stages.forget import Place, forget_person

    check_qid(qid)
    with session_of(context).app() as app:
        rewrite = partial(
            rewrite_gallery,
            catalogue=app.catalogue,
            pictures=app.folder,
            data_dir=app.data_dir,
            max_bytes=app.config.store.max_bytes,
        )
        place = Place(
            app.catalogue,
            app.bus,
            app.folder,
            About.of(app.catalogue, app.checks),
            clean_topic=app.config.topics.clean,
            tasks=[*map(tasks.search_task, SOURCES), tasks.CLEAN],
            caches=[partial(forget_google, app.data_dir)],
            galleries={where: partial(rewrite, where) for where in known_galleries(app.catalogue)},
        )
        removed = forget_person(place, qid)
        _print_removed(removed, as_json=as_json)
        _tell_the_rest(app)
    if removed.failed:
        raise StorageError(
            f"{len(removed.failed)} exports or galleries still hold {qid}:"
            f" {'; '.join(f'{where} ({why})' for where, why in removed.failed.items())}",
            hint="All else is done. Put that right and forget the person once more.",
        )


def _print_removed(removed: "Removed", *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(removed))
        return
    who = removed.qids[0]
    if removed.qids[1:]:
        who += f" and {', '.join(removed.qids[1:])} (the same person by a TMDB or IMDb id)"
    sys.stdout.write(f"forgotten: {who}; nothing about them will be collected again\n")
    numbers = {
        "pictures": removed.files,
        "rows of pictures": removed.images,
        "withdrawn on the topic of clean pictures": removed.withdrawn,
    }
    numbers |= {f"messages on {topic}": number for topic, number in removed.messages.items()}
    numbers |= {"remembered answers and pages": removed.cached}
    numbers |= {"models with their reports": removed.models}
    numbers |= {
        f"pictures in the export {where}": number for where, number in removed.exports.items()
    }
    told = [f"{number} {what}" for what, number in numbers.items() if number]
    sys.stdout.write(f"removed: {', '.join(told) or 'nothing, there was nothing left'}\n")
    for where in removed.galleries:
        sys.stdout.write(f"written again: the gallery {where}\n")
    for where in removed.missing:
        sys.stdout.write(
            f"not there any more: the export or gallery {where}; if it was moved, write it again or"
            " delete it\n"
        )


def _tell_the_rest(app: "App") -> None:
    """Say what no program can take back."""
    from celebcollect.bus.base import Purging

    if not isinstance(app.bus, Purging):
        names = ", ".join(
            name for name in app.config.topics.all() if name != app.config.topics.clean
        )
        sys.stderr.write(
            "celebcollect: Kafka keeps earlier messages until the retention of their topics ends"
            f" ({names} and their .dead topics)\n"
        )
    sys.stderr.write(
        "celebcollect: copies elsewhere, and models that were trained with other programs, are"
        " yours to renew or delete\n"
    )


def _print_export(folder: Path, summary: "Summary", tally: "Tally", *, as_json: bool) -> None:
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
    "no_known_face": " (`clean` looks for faces where the extra `faces` is installed)",
}


def _judge(app: "App", summary: "Summary") -> None:
    """End with an error when there are pictures and none could be exported."""
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
            or "docs/reasons.md explains the words.",
        )
    if any(counts.values()):
        states = ", ".join(f"{n} {state.value}" for state, n in counts.items() if n)
        raise NothingProduced(
            f"no picture is accepted ({states})",
            hint="`celebcollect clean` looks at stored ones, `store` at verified ones.",
        )
