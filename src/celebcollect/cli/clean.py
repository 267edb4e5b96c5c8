"""`clean`: judge stored pictures."""

from typing import TYPE_CHECKING, Annotated

import typer

from celebcollect.cli.session import (
    FollowOption,
    JsonOption,
    Session,
    print_summary,
    session_of,
)
from celebcollect.cli.signals import stopping
from celebcollect.domain.errors import UsageError

if TYPE_CHECKING:
    import threading
    from collections.abc import Collection

    from celebcollect.app import App
    from celebcollect.domain.tally import Tally

LimitOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Clean at most N people, and those whose pictures are like theirs.",
    ),
]
RestoreOption = Annotated[
    list[str] | None,
    typer.Option(metavar="ID", help="Bring this rejected picture back: QID/sha256 (repeatable)."),
]
ForceOption = Annotated[
    bool,
    typer.Option(
        "--force", help="With --restore: also what carries a script, an archive or a bomb."
    ),
]


def clean(
    context: typer.Context,
    follow: FollowOption = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Say what would change, for whom, and write nothing."),
    ] = False,
    limit: LimitOption = None,
    restore: RestoreOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """
    Read stored pictures from the catalogue, move bad ones to quarantine with a reason and
    publish the rest on dataclean.

    Example: celebcollect clean --dry-run
    """
    from celebcollect.domain.tally import Tally

    _check_together(follow=follow, dry_run=dry_run, limit=limit, restore=restore, force=force)
    tally = Tally()
    session = session_of(context)
    with stopping(following=follow) as stop, session.app(stop, looking=dry_run) as app:
        qids = _picked(app, limit, restore, force=force)
        if dry_run:
            _tell_before(session, app, tally, stop, qids, as_json=as_json)
            return
        _clean(app, tally, stop, qids, follow=follow)
        print_summary(session, "clean", tally, as_json=as_json)


def _clean(
    app: "App",
    tally: "Tally",
    stop: "threading.Event",
    qids: "Collection[str] | None",
    *,
    follow: bool,
) -> None:
    from celebcollect.stages.clean.stage import clean_people, quarantine_orphans

    clean_people(
        app.catalogue,
        app.folder,
        app.bus,
        app.checks,
        topic=app.config.topics.clean,
        tally=tally,
        stop=stop,
        follow=follow,
        qids=qids,
    )
    if qids is None:
        quarantine_orphans(app.catalogue, app.folder, tally)


def _tell_before(
    session: Session,
    app: "App",
    tally: "Tally",
    stop: "threading.Event",
    qids: "Collection[str] | None",
    *,
    as_json: bool,
) -> None:
    """Print what cleaning would change, by person and for all."""
    from celebcollect.cli.text import print_json, print_line, printable
    from celebcollect.stages.clean.dry_run import foresee

    found = foresee(app.catalogue, app.folder, app.checks, tally=tally, stop=stop, qids=qids)
    if as_json:
        print_json({"stage": "clean", **tally.as_dict(), **found.as_dict()})
        return
    for qid, changes in found.people.items():
        print_line(f"{qid} {printable(found.names[qid])}: {changes}")
    if found.people:
        print_line(f"{len(found.people)} people would change: {found.total}")
    if found.measured:
        print_line(
            f"{found.measured} pictures were measured for this, and will be again by `clean`:"
            " nothing was written."
        )
    print_summary(session, "clean", tally, as_json=False)


def _check_together(
    *, follow: bool, dry_run: bool, limit: int | None, restore: list[str] | None, force: bool
) -> None:
    if force and not restore:
        raise UsageError(
            "--force is for --restore", hint="Say which pictures: --restore QID/sha256 --force"
        )
    if follow and limit:
        raise UsageError("--follow and --limit do not go together", hint="Leave one of them out.")
    if restore and dry_run:
        raise UsageError(
            "--restore and --dry-run do not go together",
            hint="Leave one of them out: what is restored is written down at once.",
        )


def _picked(
    app: "App", limit: int | None, restore: list[str] | None, *, force: bool
) -> "Collection[str] | None":
    """Return whom the options pick, or None: everybody who needs it."""
    if restore:
        from celebcollect.stages.clean.restore import restore as bring_back

        return bring_back(app.catalogue, app.folder, restore, force=force)
    if limit:
        from celebcollect.checks import fingerprint

        needing = app.catalogue.need_cleaning(fingerprint(app.checks), limit=limit)
        return [cleaning.qid for cleaning in needing]
    return None
