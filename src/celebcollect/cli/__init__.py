"""The command line: parse, call one function, print a summary.

This is the only place that maps errors to exit codes.

Each command lives in the module of its name. Everything heavier than Typer and Rich is imported
inside the command that needs it, so that `--help` stays instant (a test keeps it so). For the same
reason these modules do without `from __future__ import annotations`: Typer would compile every
annotation twice at each start.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from celebcollect import __version__, runtime
from celebcollect.cli import (
    clean,
    demo,
    doctor,
    explain,
    export,
    forget,
    gallery,
    identify,
    images,
    init,
    models,
    run_all,
    scrape,
    status,
    store,
    streams,
    topics,
    train,
    validate,
    verify,
    wikidata,
)
from celebcollect.cli.session import LogFormat, Session, add
from celebcollect.cli.text import printable
from celebcollect.domain.errors import CelebCollectError, Interrupted, UsageError
from celebcollect.sources.registry import installed

app = typer.Typer(
    name="celebcollect",
    no_args_is_help=True,
    rich_markup_mode=None,  # drawing the help with rich doubles what it costs
    pretty_exceptions_enable=False,  # its tracebacks can show local variables
    context_settings={"help_option_names": ["-h", "--help"]},
)
_COMMANDS: tuple[Callable[..., None], ...] = (  # in the order of the help
    run_all.run_all,
    demo.demo,
    init.init,
    wikidata.wikidata,
    *scrape.commands(),
    validate.validate,
    store.store,
    clean.clean,
    status.status,
    images.images,
    doctor.doctor,
    explain.explain,
    train.train,
    identify.identify,
    export.export,
    forget.forget,
    forget.unforget,
    gallery.gallery,
    verify.verify,
)
for command in _COMMANDS:
    add(app, command)
models.add_to(app)
topics.add_to(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"celebcollect {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", metavar="FILE", help="Configuration file (TOML); `init` writes one."
        ),
    ] = None,
    verbose: Annotated[
        int,
        typer.Option(
            "--verbose", "-v", count=True, help="Log every item; twice: other libraries too."
        ),
    ] = 0,
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet", "-q", help="Log warnings only, and say nothing when there was nothing to do."
        ),
    ] = False,
    log_format: Annotated[
        LogFormat, typer.Option(help="Form of the log lines on stderr.")
    ] = LogFormat.TEXT,
    version: Annotated[  # noqa: ARG001
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """
    Turn the famous people that Wikidata knows into a clean, documented set of face pictures.

    Example: celebcollect run-all --limit 10
    """
    context.with_resource(runtime.working())
    context.obj = Session(
        config_file=config, verbosity=-1 if quiet else verbose, log_format=log_format
    )


def main() -> int:
    """Run the command line and return an exit code of CONTRACT: 0, 1, 2, 3, 4 or 130."""
    streams.prepare()
    if streams.are_json_lines(sys.argv[1:]):
        from celebcollect.cli import json_lines

        json_lines.start()
    for problem in installed().problems:
        _tell(problem, "", 0)
    try:
        try:
            code = app(standalone_mode=False)  # we print the errors
        except SystemExit as end:
            # Typer ends like this when the reader of our output went away (`| head`), which is no
            # error.
            if not isinstance(end.__context__, BrokenPipeError):
                raise
            raise end.__context__ from None
        finally:
            sys.stdout.flush()
    except typer.TyperException as error:
        return _tell_usage(error)
    except CelebCollectError as error:
        return _tell(error.message, error.hint, error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return Interrupted.exit_code
    except BrokenPipeError:
        streams.close_output()
        return 0
    except OSError as error:
        why = streams.why_unusable(error)
        if why is None:
            raise
        streams.close_output()
        return _tell(why, "", 1)
    return code if isinstance(code, int) else 0


def _tell(message: str, hint: str, code: int) -> int:
    if streams.are_json_lines(sys.argv[1:]):
        from celebcollect.cli import json_lines

        json_lines.tell(printable(message), printable(hint), code)
        return code
    # Plain text on one line each: a message may quote anything from outside, which neither markup
    # nor a terminal may read out of it.
    for line in filter(None, (f"celebcollect: {message}", hint and f"  {hint}")):
        print(printable(line), file=sys.stderr)  # noqa: T201
    return code


def _tell_usage(error: Any) -> int:
    """Say in two lines what Typer says in four; a command that needs more words shows its help."""
    if type(error).__name__ == "NoArgsIsHelpError":
        if streams.are_json_lines(sys.argv[1:]):
            return _tell("no command given", "`celebcollect --help` lists them.", 2)
        error.show()
        return UsageError.exit_code
    path = error.ctx.command_path if error.ctx else "celebcollect"
    return _tell(
        error.format_message().removesuffix("."),
        f"`{path} --help` says what it takes.",
        UsageError.exit_code,
    )
