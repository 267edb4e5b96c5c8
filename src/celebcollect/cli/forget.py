"""`forget`: remove a person for good."""

import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from celebcollect.cli.session import JsonOption, check_qid, session_of
from celebcollect.cli.text import print_json
from celebcollect.domain.errors import Interrupted, NothingProduced, StorageError, UsageError

if TYPE_CHECKING:
    from celebcollect.app import App
    from celebcollect.stages.forget import ForgetContext, Removed


def forget(
    context: typer.Context,
    qid: Annotated[str, typer.Argument(metavar="QID", help="The person's Wikidata item.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go and change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """
    Remove a person for good from files, catalogue, topics, exports, models and galleries, and
    never collect it again.

    Another item with the same TMDB or IMDb id is the same person, and so is the item that Wikidata
    merges theirs into. On a terminal it asks. A second time does no harm, and finishes what was
    interrupted.

    Example: celebcollect forget Q42 --dry-run
    """
    from celebcollect.cli.ask import confirm
    from celebcollect.stages.forget import forget_person
    from celebcollect.stages.forget_preview import is_known, would_remove

    check_qid(qid)
    session = session_of(context)
    asking = not yes and not dry_run and _is_asked(as_json=as_json)
    with session.app(looking=True) as app:
        everything = _everything(app, looking=True)
        known = is_known(everything, qid)
        if dry_run or asking:
            found = would_remove(everything, qid)
            _print_removed(found, as_json=as_json, dry_run=True)
        if not known and not _is_there(app):
            raise _unknown(app, qid, "nothing was changed")
    if dry_run:
        return
    if asking and not confirm(f"Forget {qid} for good?"):
        raise Interrupted("nothing was removed", hint="The person stays as it was.")
    with session.app() as app:
        removed = forget_person(_everything(app), qid)
        if not known and not removed.anything:
            raise _unknown(app, qid, f"it is remembered all the same; `unforget {qid}` undoes that")
        _print_removed(removed, as_json=as_json)
        _tell_the_rest(app)
    if removed.failed:
        raise StorageError(
            f"{len(removed.failed)} exports or galleries still hold {qid}:"
            f" {'; '.join(f'{where} ({why})' for where, why in removed.failed.items())}",
            hint="All else is done. Put that right and forget the person once more.",
        )


def _is_asked(*, as_json: bool) -> bool:
    """Tell whether somebody sits there to be asked."""
    from celebcollect.cli.ask import is_watched

    if is_watched() and as_json:
        raise UsageError(
            "--json is for programs, and a terminal is asked first",
            hint="Add --yes, or --dry-run to look.",
        )
    return is_watched()


def unforget(
    context: typer.Context,
    qid: Annotated[str, typer.Argument(metavar="QID", help="The person's Wikidata item.")],
    ids: Annotated[
        list[str] | None,
        typer.Option("--id", metavar="ID", help="Allow this id too, e.g. imdb/nm0000001."),
    ] = None,
) -> None:
    """
    Allow a person again who was to be forgotten; nothing that was removed comes back by itself.

    That is under every item and id that is known to be theirs. Ids of people who were forgotten by
    an older version stay forbidden unless named.

    Example: celebcollect unforget Q42
    """
    from celebcollect.stages.forgotten import allow_again, is_remembered

    check_qid(qid)
    named = set(ids or ())
    with session_of(context).app(looking=True) as app:
        strange = sorted(named - set(app.catalogue.forgotten_ids()))
        if strange:
            raise NothingProduced(
                f"nobody is forgotten under {', '.join(strange)}",
                hint="Without --id, `unforget` names the ids that nobody knows whose they are.",
            )
        if not named and not is_remembered(app.catalogue, qid):
            raise NothingProduced(
                f"{qid} is not forgotten in {app.data_dir.absolute()}",
                hint="Name the collection with --config, and the person with the item of `forget`.",
            )
    with session_of(context).app() as app:
        allowed = allow_again(app.catalogue, qid, named)
    told = ", ".join([*allowed.items, *sorted(named)])
    sys.stdout.write(f"may be collected again: {told}\n")
    if allowed.kept_ids:
        sys.stdout.write(
            f"forbidden as before, for nobody noted whose they are: {', '.join(allowed.kept_ids)};"
            f" if one is theirs, `celebcollect unforget {qid} --id ID` allows it\n"
        )


def _is_there(app: "App") -> bool:
    """Tell whether there is a collection at all."""
    from celebcollect.stages.folder_notes import CATALOGUE

    return app.catalogue.kind != "embedded" or (app.data_dir / CATALOGUE).exists()


def _unknown(app: "App", qid: str, outcome: str) -> NothingProduced:
    return NothingProduced(
        f"nobody has ever known {qid} in {app.data_dir.absolute()}: {outcome}",
        hint="Is it the collection that you mean? --config names its configuration file.",
    )


def _everything(app: "App", *, looking: bool = False) -> "ForgetContext":
    """Return all that may know somebody; writes nothing for who is looking."""
    from celebcollect.catalogue import tasks
    from celebcollect.gallery.write import rewrite_gallery
    from celebcollect.stages import folder_notes
    from celebcollect.stages.export import About
    from celebcollect.stages.forget import ForgetContext

    settle = folder_notes.known if looking else folder_notes.settle
    folders = settle(app.catalogue, app.data_dir)
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
        galleries={Path(where): partial(rewrite, Path(where)) for where in folders.galleries},
        exports=[Path(where) for where in folders.exports],
    )


def _print_removed(removed: "Removed", *, as_json: bool, dry_run: bool = False) -> None:
    if as_json:
        print_json({**asdict(removed), **({"dry_run": True} if dry_run else {})})
        return
    who = removed.qids[0]
    if removed.qids[1:]:
        who += f" and {', '.join(removed.qids[1:])} (the same person by a TMDB or IMDb id)"
    if dry_run:
        sys.stdout.write(f"would be forgotten: {who}\n")
    else:
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
    would = "would be " if dry_run else ""
    sys.stdout.write(f"{would}removed: {', '.join(told) or 'nothing, there was nothing left'}\n")
    for where in removed.galleries:
        sys.stdout.write(f"{would}written again: the gallery {where}\n")
    for where in removed.missing:
        sys.stdout.write(
            f"not there any more: the export or gallery {where}; if its disk is not mounted, forget"
            " the person once more when it is; if it was moved, write it again or delete it\n"
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
