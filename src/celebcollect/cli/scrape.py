"""The commands `scrape-NAME`, one for each source that is installed, with the source's options."""

import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from celebcollect.cli.session import (
    FollowOption,
    JsonOption,
    print_summary,
    session_of,
)
from celebcollect.cli.signals import stopping
from celebcollect.domain.errors import NothingProduced, UsageError
from celebcollect.sources.registry import installed
from celebcollect.sources.spec import SourceOption, SourceSpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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


def commands() -> Iterator[Callable[..., None]]:
    """Yield a command for each source; Typer makes `scrape-NAME` of `scrape_NAME`."""
    return map(scrape_command, installed())


def scrape_command(spec: SourceSpec) -> Callable[..., None]:
    """Return the command of a source; its signature is what Typer makes the options of."""

    def command(
        context: typer.Context,
        qid: QidOption = None,
        name: NameOption = None,
        limit: PeopleOption = None,
        follow: FollowOption = False,
        as_json: JsonOption = False,
        **options: Any,
    ) -> None:
        given = {key: value for key, value in options.items() if value is not None}

        def pick(app: "App") -> "Sequence[Celebrity]":
            return _people(app, spec.name, qid or [], name or [], limit)

        _scrape(context, spec, pick, given, follow=follow, as_json=as_json)

    called = f"celebcollect scrape-{spec.name.replace('_', '-')}"
    example = " ".join(filter(None, (spec.environment, called, spec.example)))
    command.__name__ = f"scrape_{spec.name}"
    command.__doc__ = f"{spec.summary}\n\nExample: {example}"
    shared = list(inspect.signature(command).parameters.values())[:-1]
    parameters = [*shared[:4], *map(_parameter, spec.options), *shared[4:]]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {one.name: one.annotation for one in parameters}
    return command


def _parameter(option: SourceOption) -> inspect.Parameter:
    kind: Any = option.kind
    if kind is bool:
        told = typer.Option(option.flag, help=option.help)
        annotation, default = Annotated[bool, told], False
    else:
        told = typer.Option(
            option.flag, metavar=option.metavar, help=option.help, min=option.least, max=option.most
        )
        annotation, default = Annotated[kind | None, told], None
    return inspect.Parameter(
        option.key, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=annotation
    )


def _scrape(
    context: typer.Context,
    spec: SourceSpec,
    pick: 'Callable[["App"], Sequence[Celebrity]]',
    options: "Mapping[str, Any]",
    *,
    follow: bool,
    as_json: bool,
) -> None:
    from celebcollect.domain.tally import Tally
    from celebcollect.stages.collect import collect

    tally = Tally()
    with stopping(following=follow) as stop, session_of(context).app(stop) as app:
        source = app.source(spec.name, tally, wait=stop.wait, options=options)
        if spec.people:
            _add_people(app, spec.people(source, options), tally, stop)
        try:
            while not stop.is_set():
                people = pick(app)
                collect(
                    source,
                    people,
                    app.catalogue,
                    app.bus,
                    tally,
                    per_search=app.per_search(spec.name),
                    stop=stop,
                )
                if not follow:
                    break
                if not people:
                    stop.wait(FOLLOW_PAUSE_S)
        finally:
            print_summary(session_of(context), f"scrape-{spec.name}", tally, as_json=as_json)
    if tally["people"] + tally["not searched"] and not tally["candidates"]:
        raise NothingProduced(
            f"{spec.name} has no picture of anybody: {tally}",
            hint="`celebcollect explain REASON` explains a word; with -v it logs every search.",
        )


def _people(
    app: "App", source: str, qids: list[str], names: list[str], limit: int | None
) -> "Sequence[Celebrity]":
    """Return the people that the options pick, or those who need pictures."""
    from celebcollect.stages.collect import pick

    if not qids and not names:
        target = app.config.run.target_images
        return pick(app.catalogue, source, target=target, limit=limit)
    found = {person.qid: person for person in app.catalogue.people(qids)}
    unknown = [qid for qid in qids if qid not in found]
    for name in names:
        called = app.catalogue.find_people(name)
        found.update((person.qid, person) for person in called)
        if not called:
            unknown.append(name)
    if unknown:
        raise UsageError(
            f"not in the catalogue: {', '.join(map(repr, unknown))}",
            hint="`celebcollect wikidata` finds people.",
        )
    return list(found.values())[:limit]


def _add_people(app: "App", people: Any, tally: "Tally", stop: "Stop") -> None:
    """Save the people whom a source proposes."""
    from celebcollect.domain.batches import batches
    from celebcollect.stages.forgotten import follow_merged

    follow_merged(app.catalogue, app.people_source(tally, wait=stop.wait), daily=True)
    for batch in batches(people, 20):
        saved = app.catalogue.save_people(batch)
        tally.count("new people", saved.new)
        if stop.is_set():
            return
