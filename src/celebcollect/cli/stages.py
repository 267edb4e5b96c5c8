"""The stages one by one, as they are run by hand, by cron or as workers of a cluster."""

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from celebcollect.cli.session import (
    FollowOption,
    JsonOption,
    add,
    print_summary,
    session_of,
    stopping,
)
from celebcollect.domain.errors import NothingProduced, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from celebcollect.app import App
    from celebcollect.cli.session import Stop
    from celebcollect.domain.records import Celebrity
    from celebcollect.domain.tally import Tally

FOLLOW_PAUSE_S = 10.0
"""How often a scraper that follows looks for people who need pictures."""

QidOption = Annotated[
    list[str] | None, typer.Option("--qid", help="Search this person (repeatable).")
]
NameOption = Annotated[
    list[str] | None,
    typer.Option("--name", help="Search the person of exactly this name or alias (repeatable)."),
]
PeopleOption = Annotated[
    int | None, typer.Option("--limit", min=1, metavar="N", help="Search at most N people.")
]
UrlsOption = Annotated[
    int | None,
    typer.Option("--limit", min=1, metavar="N", help="Handle at most N URLs: for a short run."),
]


def add_to(app: typer.Typer) -> None:
    """Add the stage commands."""
    for command in (wikidata, scrape_google, scrape_tmdb, scrape_commons, validate, store, clean):
        add(app, command)


def wikidata(
    context: typer.Context,
    occupation: Annotated[
        list[str] | None,
        typer.Option(metavar="QID", help="Occupation, by QID or name (repeatable)."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="At most N people per occupation.")
    ] = None,
    min_sitelinks: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Fame: at least N Wikimedia pages about the person."),
    ] = None,
    born_after: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Born on this day or later."),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="Language of names and descriptions, e.g. `de`."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """
    Ask Wikidata for famous people and save them in the catalogue.

    Example: celebcollect wikidata --occupation Q33999 --limit 50
    """
    from celebcollect.domain.tally import Tally
    from celebcollect.stages.collect import find_people

    changes = {
        "occupations": tuple(occupation) if occupation else None,
        "limit": limit,
        "min_sitelinks": min_sitelinks,
        "born_after": born_after.date() if born_after else None,
        "language": language,
    }
    tally = Tally()
    with stopping() as stop, session_of(context).app(stop, wikidata=_given(changes)) as app:
        find_people(app.wikidata(tally, wait=stop.wait), app.catalogue, tally, stop=stop)
        print_summary(session_of(context), "wikidata", tally, as_json=as_json)
    if not tally["people"] + tally["people_before"]:
        raise NothingProduced(
            "Wikidata knows nobody who fits",
            hint="Loosen --min-sitelinks, --born-after or --occupation.",
        )


def scrape_google(
    context: typer.Context,
    qid: QidOption = None,
    name: NameOption = None,
    limit: PeopleOption = None,
    save_page: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep the HTML and a screenshot of every page here."),
    ] = None,
    follow: FollowOption = False,
    as_json: JsonOption = False,
) -> None:
    """
    Search people who need pictures in Google Images with a real browser and put the picture URLs on topic urls.

    Example: celebcollect scrape-google --name "Douglas Adams" --save-page pages
    """
    _scrape(context, "google", qid, name, limit, follow, as_json, save_page=save_page)


def scrape_tmdb(
    context: typer.Context,
    qid: QidOption = None,
    name: NameOption = None,
    limit: PeopleOption = None,
    popular: Annotated[
        int | None,
        typer.Option(
            min=1, max=10_000, metavar="N", help="First add TMDB's N most popular people."
        ),
    ] = None,
    follow: FollowOption = False,
    as_json: JsonOption = False,
) -> None:
    """
    Look up people who need pictures on TMDB and put the picture URLs on topic urlsFromTmdb.

    Example: CELEBCOLLECT_TMDB__TOKEN=... celebcollect scrape-tmdb --limit 100
    """
    _scrape(context, "tmdb", qid, name, limit, follow, as_json, popular=popular)


def scrape_commons(
    context: typer.Context,
    qid: QidOption = None,
    name: NameOption = None,
    limit: PeopleOption = None,
    follow: FollowOption = False,
    as_json: JsonOption = False,
) -> None:
    """
    Look up people who need pictures on Wikimedia Commons and put the picture URLs on topic urlsFromCommons.

    Example: celebcollect scrape-commons --qid Q42
    """
    _scrape(context, "commons", qid, name, limit, follow, as_json)


def validate(
    context: typer.Context,
    follow: FollowOption = False,
    limit: UrlsOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Read picture URLs from the urls topics and pass those that are well-formed, public and new on to urlsVerifie.

    Example: celebcollect validate --follow
    """
    _consume(context, "validate", follow, limit, as_json)


def store(
    context: typer.Context,
    follow: FollowOption = False,
    limit: UrlsOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Read verified URLs from urlsVerifie, download them and save the files and what is known of them.

    Example: celebcollect store --follow
    """
    # A worker multiplies nothing larger than 32x32, and OpenBLAS's threads cost a tenth of its
    # start (read when numpy is imported).
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    _consume(context, "store", follow, limit, as_json)


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
    Read stored pictures from the catalogue, move bad ones to quarantine with a reason and publish the rest on dataclean.

    Example: celebcollect clean --dry-run
    """
    from celebcollect.checks import fingerprint
    from celebcollect.domain.tally import Tally
    from celebcollect.stages.clean.stage import clean_people, quarantine_orphans

    if follow and limit:
        raise UsageError("--follow and --limit do not go together", hint="Leave one of them out.")
    if restore and dry_run:
        raise UsageError(
            "--restore and --dry-run do not go together",
            hint="Leave one of them out: what is restored is written down at once.",
        )
    tally = Tally()
    with stopping(following=follow) as stop, session_of(context).app(stop) as app:
        qids: Collection[str] | None = None
        if restore:
            from celebcollect.stages.clean.restore import restore as bring_back

            qids = bring_back(app.catalogue, app.folder, restore)
        elif limit:
            qids = [
                cleaning.qid
                for cleaning in app.catalogue.need_cleaning(fingerprint(app.checks), limit=limit)
            ]
        topic = app.config.topics.clean
        clean_people(
            app.catalogue,
            app.folder,
            app.bus,
            app.checks,
            topic=topic,
            tally=tally,
            stop=stop,
            follow=follow,
            qids=qids,
            dry_run=dry_run,
        )
        if not dry_run and qids is None:
            quarantine_orphans(app.catalogue, app.folder, tally)
        print_summary(session_of(context), "clean", tally, as_json=as_json)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _consume(
    context: typer.Context, name: str, follow: bool, limit: int | None, as_json: bool
) -> None:
    from celebcollect.domain.tally import Tally
    from celebcollect.stages.runner import consume

    tally = Tally()
    with stopping(following=follow) as stop, session_of(context).app(stop) as app:
        stage = app.validate(tally) if name == "validate" else app.store(tally)
        consume(stage, app.bus, tally, stop=stop, more_may_come=lambda: follow, limit=limit)
        print_summary(session_of(context), name, tally, as_json=as_json)
    produced = tally["verified"] + tally["stored"]
    # What an earlier run did already is no loss.
    lost = sum(n for reason, n in tally.reasons.items() if reason not in ("known", "repeated"))
    if lost and not produced and not follow:
        raise NothingProduced(
            f"{name} passed nothing on: {tally}",
            hint="docs/reasons.md explains the words; `celebcollect -v` logs every item.",
        )


def _scrape(
    context: typer.Context,
    source_name: str,
    qids: list[str] | None,
    names: list[str] | None,
    limit: int | None,
    follow: bool,
    as_json: bool,
    *,
    save_page: Path | None = None,
    popular: int | None = None,
) -> None:
    from celebcollect.domain.tally import Tally
    from celebcollect.stages.collect import collect

    tally = Tally()
    with stopping(following=follow) as stop, session_of(context).app(stop) as app:
        source = app.source(source_name, tally, wait=stop.wait, save_page=save_page)
        if popular:
            _add_popular(app, source, popular, tally, stop)
        try:
            while not stop.is_set():
                people = _people(app, source_name, qids, names, limit)
                collect(
                    source,
                    people,
                    app.catalogue,
                    app.bus,
                    tally,
                    per_search=app.per_search(source_name),
                    stop=stop,
                )
                if not follow:
                    break
                if not people:
                    stop.wait(FOLLOW_PAUSE_S)
        finally:
            print_summary(session_of(context), f"scrape-{source_name}", tally, as_json=as_json)
    if tally["people"] + tally["not searched"] and not tally["candidates"]:
        raise NothingProduced(
            f"{source_name} has no picture of anybody: {tally}",
            hint="`celebcollect -v` logs every search; docs/reasons.md explains the words.",
        )


def _people(
    app: "App", source: str, qids: list[str] | None, names: list[str] | None, limit: int | None
) -> "Sequence[Celebrity]":
    """Return the people that the options pick, or those who need pictures."""
    from celebcollect.stages.collect import pick

    if not qids and not names:
        return pick(app.catalogue, source, target=app.config.run.target_images, limit=limit)
    picked = {person.qid: person for person in app.catalogue.people(qids or [])}
    unknown = [qid for qid in qids or [] if qid not in picked]
    for name in names or []:
        found = app.catalogue.find_people(name)
        picked.update((person.qid, person) for person in found)
        if not found:
            unknown.append(name)
    if unknown:
        raise UsageError(
            f"not in the catalogue: {', '.join(map(repr, unknown))}",
            hint="`celebcollect wikidata` finds people.",
        )
    return list(picked.values())[:limit]


def _add_popular(app: "App", source: Any, popular: int, tally: "Tally", stop: "Stop") -> None:
    from celebcollect.catalogue.base import batches

    for batch in batches(source.popular(popular), 20):
        saved = app.catalogue.save_people(batch)
        tally.count("new people", saved.new)
        if stop.is_set():
            return
