"""`clean`: judge stored pictures."""

from typing import TYPE_CHECKING, Annotated

import typer

from celebcollect.cli.session import FollowOption, JsonOption, print_summary, session_of
from celebcollect.cli.signals import stopping
from celebcollect.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection

    from celebcollect.app import App


def clean(
    context: typer.Context,
    follow: FollowOption = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done and change nothing.")
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Clean at most N people, and those whose pictures are like theirs.",
        ),
    ] = None,
    restore: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID", help="Bring this rejected picture back: QID/sha256 (repeatable)."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """
    Read stored pictures from the catalogue, move bad ones to quarantine with a reason and
    publish the rest on dataclean.

    Example: celebcollect clean --dry-run
    """
    from celebcollect.domain.tally import Tally
    from celebcollect.stages.clean.stage import clean_people, quarantine_orphans

    _check_together(follow=follow, dry_run=dry_run, limit=limit, restore=restore)
    tally = Tally()
    with stopping(following=follow) as stop, session_of(context).app(stop) as app:
        qids = _picked(app, limit, restore)
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
            dry_run=dry_run,
        )
        if not dry_run and qids is None:
            quarantine_orphans(app.catalogue, app.folder, tally)
        print_summary(session_of(context), "clean", tally, as_json=as_json)


def _check_together(
    *, follow: bool, dry_run: bool, limit: int | None, restore: list[str] | None
) -> None:
    if follow and limit:
        raise UsageError("--follow and --limit do not go together", hint="Leave one of them out.")
    if restore and dry_run:
        raise UsageError(
            "--restore and --dry-run do not go together",
            hint="Leave one of them out: what is restored is written down at once.",
        )


def _picked(app: "App", limit: int | None, restore: list[str] | None) -> "Collection[str] | None":
    """Return whom the options pick, or None: everybody who needs it."""
    if restore:
        from celebcollect.stages.clean.restore import restore as bring_back

        return bring_back(app.catalogue, app.folder, restore)
    if limit:
        from celebcollect.checks import fingerprint

        needing = app.catalogue.need_cleaning(fingerprint(app.checks), limit=limit)
        return [cleaning.qid for cleaning in needing]
    return None
