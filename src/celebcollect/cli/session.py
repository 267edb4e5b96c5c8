"""What commands share: the options before the command, the open app, common options."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from celebcollect.cli.text import print_json
from celebcollect.domain.errors import Busy, UsageError

if TYPE_CHECKING:
    from celebcollect.app import App
    from celebcollect.config.tree import Config
    from celebcollect.domain.tally import Tally

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for a program.")]

FollowOption = Annotated[
    bool, typer.Option("--follow", help="Go on with what arrives until SIGTERM or Ctrl-C.")
]


class LogFormat(StrEnum):
    """Form of the log lines."""

    TEXT = "text"
    JSON = "json"


class Session(NamedTuple):
    """The options before the command."""

    config_file: Path | None
    verbosity: int
    log_format: LogFormat

    def config(self) -> Config:
        """Read the configuration and start logging."""
        import logging

        from celebcollect.cli import log
        from celebcollect.config import file as configfile
        from celebcollect.configuration import config_model
        from celebcollect.sources.registry import installed, usable

        log.setup(self.verbosity, self.log_format.value)
        for problem in usable().problems[len(installed().problems) :]:
            logging.getLogger(__name__).warning("%s", problem)
        return configfile.load(config_model(), self.config_file)

    @contextmanager
    def app(
        self,
        stop: threading.Event | None = None,
        *,
        looking: bool = False,
        **changes: dict[str, Any],
    ) -> Iterator[App]:
        """
        Open the app; `stop` ends its waiting for services.

        Who is `looking` makes nothing. `changes` are values of the command line by section, above
        file and environment.
        """
        import logging

        from celebcollect.app import App
        from celebcollect.config import file as configfile

        loaded = self.config()
        try:
            with App(configfile.changed(loaded, changes), stop=stop, looking=looking) as app:
                yield app
        except Busy as busy:
            # For a cron: another process does the work already.
            if loaded.run.busy_exit_code:
                raise
            logging.getLogger(__name__).info("nothing done: %s", busy.message)
            raise typer.Exit from None


def add(app: typer.Typer, command: Callable[..., None], name: str | None = None) -> None:
    """Add a command; the list of commands shows the first sentence of its help whole."""
    first, _, _ = (command.__doc__ or "").strip().partition("\n\n")
    app.command(name, short_help=" ".join(first.split()))(command)


def session_of(context: typer.Context) -> Session:
    """Return the session that the options before the command made."""
    session = context.obj
    assert isinstance(session, Session)  # noqa: S101 - set by the callback of every command
    return session


def check_qid(qid: str) -> None:
    """
    Refuse what cannot be anybody.

    Raises:
        UsageError: It is no Wikidata item.
    """
    if not re.fullmatch(r"Q[1-9][0-9]{0,11}", qid):
        raise UsageError(
            f"{qid!r} is no Wikidata item",
            hint="An item is a Q and a number, e.g. Q42; `celebcollect images` shows them.",
        )


def print_summary(session: Session, name: str, tally: Tally, *, as_json: bool) -> None:
    """
    Print what a stage did.

    With `-q` nothing where it found nothing to do, so that cron sends no mail.
    """
    if as_json:
        print_json({"stage": name, **tally.as_dict()})
    elif session.verbosity >= 0 or not tally.is_idle():
        sys.stdout.write(f"{name}: {tally}\n")
