"""`forget`: remove a person for good."""

import sys
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from celebcollect.cli.session import JsonOption, check_qid, session_of
from celebcollect.cli.text import print_json
from celebcollect.domain.errors import StorageError

if TYPE_CHECKING:
    from celebcollect.app import App
    from celebcollect.stages.forget import ForgetContext, Removed


def forget(
    context: typer.Context,
    qid: Annotated[str, typer.Argument(metavar="QID", help="The person's Wikidata item.")],
    as_json: JsonOption = False,
) -> None:
    """
    Remove a person for good from files, catalogue, topics, exports, models and galleries, and
    never collect it again.

    Another item with the same TMDB or IMDb id is the same person. A second time does no harm, and
    finishes what was interrupted.

    Example: celebcollect forget Q42
    """
    from celebcollect.stages.forget import forget_person

    check_qid(qid)
    with session_of(context).app() as app:
        removed = forget_person(_everything(app), qid)
        _print_removed(removed, as_json=as_json)
        _tell_the_rest(app)
    if removed.failed:
        raise StorageError(
            f"{len(removed.failed)} exports or galleries still hold {qid}:"
            f" {'; '.join(f'{where} ({why})' for where, why in removed.failed.items())}",
            hint="All else is done. Put that right and forget the person once more.",
        )


def _everything(app: "App") -> "ForgetContext":
    """Return all that may know somebody."""
    from celebcollect.catalogue import tasks
    from celebcollect.gallery.known import known_galleries
    from celebcollect.gallery.write import rewrite_gallery
    from celebcollect.stages import folder_notes
    from celebcollect.stages.export import About
    from celebcollect.stages.forget import ForgetContext

    folder_notes.settle(app.catalogue, app.data_dir)
    rewrite = partial(
        rewrite_gallery,
        catalogue=app.catalogue,
        pictures=app.folder,
        data_dir=app.data_dir,
        max_bytes=app.config.store.max_bytes,
    )
    return ForgetContext(
        app.catalogue,
        app.bus,
        app.folder,
        app.data_dir,
        About.of(app.catalogue, app.checks),
        clean_topic=app.config.topics.clean,
        tasks=[*map(tasks.search_task, app.sources.names), tasks.CLEAN],
        caches=[partial(spec.forget, app.data_dir) for spec in app.sources if spec.forget],
        galleries={where: partial(rewrite, where) for where in known_galleries(app.catalogue)},
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
