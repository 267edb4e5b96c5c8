"""The command line: parse, call one function, print a summary. The only place that maps errors to exit codes.

Commands live in the modules of this package by what they are for. Everything heavier than Typer and Rich is imported
inside the command that needs it, so that `--help` stays instant (a test keeps it so). For the same reason these modules
do without `from __future__ import annotations`: Typer would compile every annotation twice at each start.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from celebcollect import __version__
from celebcollect.cli import begin, give, learn, look, run, show, stages, status
from celebcollect.cli.session import LogFormat, Session
from celebcollect.errors import CelebCollectError

app = typer.Typer(
    name="celebcollect",
    help="Turn the famous people that Wikidata knows into a clean, documented set of face pictures.",
    no_args_is_help=True,
    rich_markup_mode=None,  # drawing the help with rich doubles what it costs
    pretty_exceptions_enable=False,  # its tracebacks can show local variables
    context_settings={"help_option_names": ["-h", "--help"]},
)
run.add_to(app)
begin.add_to(app)
stages.add_to(app)
status.add_to(app)
look.add_to(app)
learn.add_to(app)
give.add_to(app)
show.add_to(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"celebcollect {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Configuration file (TOML); `init` writes one.")] = None,
    verbose: Annotated[int, typer.Option("--verbose", "-v", count=True, help="Log every item; twice: other libraries too.")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Log warnings only, and say nothing when there was nothing to do.")] = False,
    log_format: Annotated[LogFormat, typer.Option(help="Form of the log lines on stderr.")] = LogFormat.TEXT,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")] = False,  # noqa: ARG001
) -> None:
    """Turn the famous people that Wikidata knows into a clean, documented set of face pictures."""
    context.obj = Session(config_file=config, verbosity=-1 if quiet else verbose, log_format=log_format)


def main() -> None:
    """Run the command line; end the process with an exit code of CONTRACT: 0, 1, 2, 3, 4 or 130."""
    try:
        app()
    except CelebCollectError as error:
        # Plain text: a message may hold any characters, markup must not be read out of it.
        print(f"celebcollect: {error.message}", file=sys.stderr)  # noqa: T201
        if error.hint:
            print(f"  {error.hint}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output went away (`| head`): not an error, but nothing more can be printed either.
        sys.stderr.close()
        sys.exit(0)
