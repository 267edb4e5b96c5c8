"""`init`: write the first configuration file."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from celebcollect.cli.secrets import given_secrets, secrets_help
from celebcollect.cli.session import session_of
from celebcollect.cli.text import print_line
from celebcollect.domain.errors import UsageError

if TYPE_CHECKING:
    from celebcollect.config.tree import Config


def init(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="[FILE]", help="Where to write it.")] = Path(
        "config.toml"
    ),
    contact: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="Mail address or URL for the User-Agent; Wikimedia asks for one."
        ),
    ] = None,
    data_dir: Annotated[
        str | None, typer.Option(metavar="DIR", help="Where pictures and databases are kept.")
    ] = None,
    with_token: Annotated[
        bool,
        typer.Option("--with-token", help=secrets_help()),
    ] = False,
) -> None:
    """
    Ask for what is needed, or take it from options, and write a commented configuration file;
    an existing file is left alone.

    On a terminal it asks for what no option says; elsewhere the defaults stay. The token is written
    only where that is asked for.

    Example: celebcollect init --contact you@example.org
    """
    session_of(context)
    if file.exists() or file.is_symlink():
        raise _taken(file)
    given = {"http.contact": contact, "data_dir": data_dir}
    if with_token:
        given |= given_secrets()
    if sys.stdin.isatty() and sys.stderr.isatty():
        given |= _asked(contact, data_dir)
    text, config = _configuration({key: value for key, value in given.items() if value is not None})
    _write(file, text, secret=with_token)
    _tell(file, config)


def _tell(file: Path, config: "Config") -> None:
    from celebcollect.vision.better_engine import better

    sys.stdout.write(
        f"wrote {file}: every key with its default, set those that you need and delete the rest\n"
    )
    if not config.http.contact:
        sys.stdout.write(
            "Set [http] contact in it: Wikimedia slows down or refuses programs that nobody can be"
            " asked about.\n"
        )
    named = "" if file == Path("config.toml") else f" --config {file}"
    sys.stdout.write(f"Next: `celebcollect{named} doctor` looks at what a run will need.\n")
    if gain := better(config.clean):
        print_line(gain)


def _configuration(values: dict[str, str]) -> "tuple[str, Config]":
    """Return the text of a configuration with these values, and what it says."""
    import tomllib

    from celebcollect.config.example import example
    from celebcollect.config.file import checked
    from celebcollect.configuration import config_model

    text = example(config_model(), values)
    return text, checked(config_model(), tomllib.loads(text), "what would be written")


def _asked(contact: str | None, data_dir: str | None) -> dict[str, str | None]:
    """Ask for what no option has said; Enter takes the default."""
    if contact is None:
        contact = typer.prompt(
            "Mail address or URL for the User-Agent, so that Wikimedia can ask you",
            default="",
            show_default=False,
            err=True,
        )
    if data_dir is None:
        data_dir = typer.prompt("Folder of the pictures and databases", default="data", err=True)
    return {"http.contact": contact, "data_dir": data_dir}


def _write(file: Path, text: str, *, secret: bool) -> None:
    from celebcollect.disk.files import create, disk_errors

    hint = "Name a file in a folder that you may write to: celebcollect init FILE"
    try:
        with disk_errors("write", file, hint=hint, passing=(FileExistsError,)):
            file.parent.mkdir(parents=True, exist_ok=True)
            # Exclusive, so that whatever came there meanwhile is left alone too.
            with create(file, mode=0o600 if secret else 0o644) as out:
                out.write(text.encode())
    except FileExistsError:
        raise _taken(file) from None


def _taken(file: Path) -> UsageError:
    return UsageError(
        f"{file} is there already and was left alone",
        hint="Name another file: celebcollect init FILE",
    )
