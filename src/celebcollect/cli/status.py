"""`status`: say how the collection stands, once or again and again."""

import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from celebcollect.cli.session import JsonOption, session_of
from celebcollect.cli.signals import Stop, stopping
from celebcollect.cli.text import print_json, print_line, print_table
from celebcollect.domain.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from celebcollect.app import App
    from celebcollect.cli.stage_table import StageTable
    from celebcollect.run.watch import PipelineState, StatusWatch

LOOK_EVERY_S = 2.0

PLAIN_EVERY_S = 10.0


def status(
    context: typer.Context,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Look again and again, with rates, until Ctrl-C.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """
    Count what the catalogue and the topics hold and print totals, reasons and what waits at
    each stage.

    Workers may be anywhere: what they do is read from what they leave behind. Rates need two looks,
    so they come with --watch.

    Example: celebcollect status --watch
    """
    if watch and as_json:
        raise UsageError(
            "--watch and --json do not go together",
            hint="Run `status --json` as often as you like.",
        )
    if watch:
        try:
            with (
                stopping(following=True) as stop,
                session_of(context).app(stop, looking=True) as app,
            ):
                _watch(app, stop)
        except Interrupted:
            return  # Ctrl-C is how one stops to look: nothing was interrupted
    else:
        with session_of(context).app(looking=True) as app:
            _print(app, as_json=as_json)


def _print(app: "App", *, as_json: bool) -> None:
    """Print one look."""
    from rich.table import Table

    from celebcollect.cli.stage_table import StageTable, print_stages
    from celebcollect.cli.topic_table import print_topics, topic_facts
    from celebcollect.run.watch import StatusWatch, read_state

    look = read_state(app)
    counts, reasons = look.counts, _reasons(look)
    facts: dict[str, Any] = {
        "log": app.bus.kind,
        "catalogue": app.catalogue.kind,
        "celebrities": counts.celebrities,
        "images": {state.value: n for state, n in counts.images.items()},
        "in_doubt": counts.in_doubt,
        "reasons": reasons,
        "topics": topic_facts(app, look),
    }
    if as_json:
        print_json(facts)
        return
    print_line(_headline(app, look))
    for note in _at_work(app):
        print_line(note)
    table = Table()
    table.add_column("images")
    table.add_column("number", justify="right")
    for state, number in facts["images"].items():
        table.add_row(state, str(number))
    if counts.in_doubt:
        table.add_row("in_doubt (among the above)", str(counts.in_doubt))
    for reason, number in reasons.items():
        table.add_row(f"  {reason}", str(number), style="dim")
    print_table(table)
    print_stages(StageTable("", StatusWatch(app).lines(look), sparse=True))
    print_topics(facts["topics"])


def _watch(app: "App", stop: Stop) -> None:
    """Keep what is seen on the terminal until told to stop; elsewhere write a line now and then."""
    from rich.console import Console

    from celebcollect.run.watch import StatusWatch

    console = Console()
    watch, begun = StatusWatch(app), time.monotonic()
    if not console.is_terminal:
        _watch_plain(watch, stop)
        return
    from rich.live import Live

    from celebcollect.cli.run_display import Reflow

    with Live(console=console, auto_refresh=False, screen=False) as live:
        pause_s, reflow = 0.0, Reflow(console)
        while not stop.wait(pause_s):
            started = time.monotonic()
            live.update(reflow.fit(_view(app, watch, time.monotonic() - begun)), refresh=True)
            pause_s = max(LOOK_EVERY_S, (time.monotonic() - started) * 10)


def _watch_plain(watch: "StatusWatch", stop: Stop) -> None:
    from celebcollect.cli.stage_table import plain

    before: dict[str, str] = {}
    pause_s = 0.0
    while not stop.wait(pause_s):
        _, lines = watch.look()
        for line in lines:
            text = plain(line)
            if text != before.get(line.stage):
                sys.stdout.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {text}\n")
            before[line.stage] = text
        sys.stdout.flush()
        pause_s = PLAIN_EVERY_S if pause_s else LOOK_EVERY_S


def _view(app: "App", watch: "StatusWatch", spent_s: float) -> "StageTable":
    from celebcollect.cli.stage_table import StageTable, duration, numbers
    from celebcollect.cli.topic_table import topic_facts

    look, lines = watch.look()
    counts = look.counts
    notes = [
        *_at_work(app),
        f"images: {', '.join(f'{n:,} {state.value}' for state, n in counts.images.items())}",
    ]
    if reasons := _reasons(look):
        notes.append(f"left out: {numbers(reasons)}")
    known = ("validate", "store")
    for topic, facts in topic_facts(app, look).items():
        notes += [
            f"{group} is {lag:,} messages behind on {topic}"
            for group, lag in facts["lag"].items()
            if lag and group not in known
        ]
    return StageTable(f"{_headline(app, look)} · watched for {duration(spent_s)}", lines, notes)


def _headline(app: "App", look: "PipelineState") -> str:
    return (
        f"{look.counts.celebrities} celebrities; the catalogue is {app.catalogue.kind}, the log"
        f" {app.bus.kind}"
    )


def _at_work(app: "App") -> list[str]:
    from celebcollect.run.lock import who_runs

    if not app.data_dir.exists():
        return [f"nothing was collected yet: {app.data_dir.absolute()} is not there"]
    running = who_runs(app.data_dir)
    return [f"run-all is at work here: {running}"] if running else []


def _reasons(look: "PipelineState") -> dict[str, int]:
    return dict(sorted(look.counts.reasons.items(), key=lambda reason: (-reason[1], reason[0])))
