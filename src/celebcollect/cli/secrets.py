"""The secrets that sources ask for, as `init --with-token` writes them."""

import os
import sys
from collections.abc import Iterator
from typing import NamedTuple

import typer

from celebcollect.config.environment import variable
from celebcollect.domain.errors import UsageError
from celebcollect.sources.registry import installed


class Secret(NamedTuple):
    """A key that nobody else may read."""

    title: str
    what: str
    key: str
    """`section.key`."""
    variable: str


def secrets() -> Iterator[Secret]:
    """Yield the secrets of all sources."""
    for spec in installed():
        for key, what in spec.secrets.items():
            yield Secret(spec.title, what, f"{spec.name}.{key}", variable(spec.name, key))


def secrets_help() -> str:
    """Return the help of `--with-token`."""
    titles = " and the ".join(f"{secret.title} token" for secret in secrets())
    variables = " and ".join(f"${secret.variable}" for secret in secrets())
    return f"Write the {titles}, too, from {variables} or asked for; nobody else can read the file."


def given_secrets() -> dict[str, str]:
    """
    Return what is to be written, by dotted key.

    Raises:
        UsageError: There is nothing, and nobody to ask.
    """
    known = list(secrets())
    found = {}
    for secret in known:
        value = os.environ.get(secret.variable, "")
        if not value and sys.stdin.isatty():
            # of several one may be left out
            value = typer.prompt(
                f"{secret.title}'s {secret.what} (not shown)",
                default="" if len(known) > 1 else None,
                show_default=False,
                hide_input=True,
                err=True,
            )
        if value.strip():
            found[secret.key] = value.strip()
    if not found:
        variables = " or ".join(secret.variable for secret in known)
        raise UsageError(
            "--with-token, and there is no token to write",
            hint=f"Set {variables}, or run it on a terminal.",
        )
    return found
