"""`scrape-google`, `scrape-tmdb`, `scrape-commons`: search pictures of people in one source."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from celebcollect.cli.session import FollowOption, JsonOption, print_summary, session_of
from celebcollect.cli.signals import stopping
from celebcollect.domain.errors import NothingProduced, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from celebcollect.app import App
    from celebcollect.cli.signals import Stop
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
    from celebcollect.domain.batches import batches

    for batch in batches(source.popular(popular), 20):
        saved = app.catalogue.save_people(batch)
        tally.count("new people", saved.new)
        if stop.is_set():
            return
