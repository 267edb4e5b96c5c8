"""`models`: which face engines there are, and how to get one."""

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from celebcollect.cli.session import JsonOption, add, session_of
from celebcollect.cli.text import print_json, printable
from celebcollect.domain.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from celebcollect.disk.known_file import KnownFile
    from celebcollect.vision.model_sets import ModelSet


def list_models(as_json: JsonOption = False) -> None:
    """
    Print the face engines that can be named in `[clean] engine`, and which are installed.

    Example: celebcollect models list
    """
    from celebcollect.vision.model_store import model_states

    states = list(model_states())
    if as_json:
        for state in states:
            print_json(dataclasses.asdict(state))
        return
    for state in states:
        here = "installed" if state.installed else f"not here: {state.why_not}"
        untested = "" if state.tested else ", untested"
        sys.stdout.write(printable(f"{state.name}  ({here}{untested})") + "\n")
        for line in (state.title, *state.terms):
            sys.stdout.write(printable(f"    {line}") + "\n")


def get(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The engine, see `models list`.")],
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="DIR", help="Take the files that are in this folder."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Take the terms as read.")] = False,
) -> None:
    """
    Fetch the files of a face engine, or take them from a folder, and prove them by their SHA-256.

    The terms are told, and asked about once on a terminal. Nothing else ever fetches a model.

    Example: celebcollect models get yunet-sface
    """
    from celebcollect.vision import model_store
    from celebcollect.web.user_agent import user_agent

    http = session_of(context).config().http
    known = model_store.known_set(name)
    if known is None and source is None:
        names = ", ".join(state.name for state in model_store.model_states())
        raise UsageError(
            f"no engine {name!r} can be fetched",
            hint=f"There are {names}; --from DIR installs models of your own under a name.",
        )
    if known is not None and model_store.terms_are_new(known):
        _tell_terms(known, ask=not yes)
    if source is not None:
        files = model_store.take_from(name, source)
    else:
        assert known is not None  # noqa: S101 - looked at above
        files = model_store.fetch(
            known,
            user_agent=user_agent(http.contact),
            timeout_s=http.timeout_s,
            received=_progress(),
        )
    if known is not None:
        model_store.note_terms(known)
    told = f"{name}: {', '.join(files)} proved and kept" if files else f"{name}: all there, proved"
    sys.stdout.write(printable(told) + "\n")
    sys.stdout.write('`[clean] engine = "auto"` takes the best that is installed.\n')


def _tell_terms(known: "ModelSet", *, ask: bool) -> None:
    for line in (f"{known.title}:", *known.terms):
        sys.stderr.write(printable(line) + "\n")
    from celebcollect.cli.ask import confirm, is_watched

    if ask and is_watched() and not confirm("Use these models under these terms?"):
        raise Interrupted("nothing was fetched", hint="The engine stays as it is.")


class _Shown:
    """Draws how much of a file has come in, where somebody watches."""

    def __init__(self) -> None:
        self._percent = -1

    def __call__(self, file: "KnownFile", size: int) -> None:
        percent = 100 * size // file.size
        if percent == self._percent:
            return
        self._percent = percent
        sys.stderr.write(f"\r{file.name}: {percent} %" + ("\n" if size >= file.size else ""))
        sys.stderr.flush()


def _progress() -> "_Shown | _Silent":
    return _Shown() if sys.stderr.isatty() else _Silent()


class _Silent:
    """Says nothing, for cron."""

    def __call__(self, file: "KnownFile", size: int) -> None:
        pass


def add_to(app: typer.Typer) -> None:
    """Add `models list` and `models get`."""
    help_text = "List face engines, or get one.\n\nExample: celebcollect models get yunet-sface"
    commands = typer.Typer(no_args_is_help=True, help=help_text)
    add(commands, list_models, name="list")
    add(commands, get)
    app.add_typer(commands, name="models")
