"""`wikidata`: find famous people."""

from datetime import datetime
from typing import Annotated, Any

import typer

from celebcollect.cli.session import JsonOption, print_summary, session_of
from celebcollect.cli.signals import stopping
from celebcollect.domain.errors import NothingProduced


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
        find_people(app.people_source(tally, wait=stop.wait), app.catalogue, tally, stop=stop)
        print_summary(session_of(context), "wikidata", tally, as_json=as_json)
    if not tally["people"] + tally["people_before"]:
        raise NothingProduced(
            "Wikidata knows nobody who fits",
            hint="Loosen --min-sitelinks, --born-after or --occupation.",
        )


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
