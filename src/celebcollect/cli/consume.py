"""What `validate` and `store` share: consume topics and say what came of it."""

from typing import Annotated

import typer

from celebcollect.cli.session import print_summary, session_of
from celebcollect.cli.signals import stopping
from celebcollect.domain.errors import NothingProduced

UrlsOption = Annotated[
    int | None,
    typer.Option("--limit", min=1, metavar="N", help="Handle at most N URLs: for a short run."),
]


def consume_topics(
    context: typer.Context, name: str, follow: bool, limit: int | None, as_json: bool
) -> None:
    """Run a stage over its topics and print what it did; fail when nothing came of its work."""
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
            hint="`celebcollect explain REASON` explains a word; with -v it logs every item.",
        )
