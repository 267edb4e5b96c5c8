"""`explain`: what a reason, an error or an exit code means, and what to do."""

import dataclasses
import sys
from typing import Annotated

import typer

from celebcollect.cli.session import JsonOption
from celebcollect.cli.text import print_json


def explain(
    word: Annotated[
        str,
        typer.Argument(
            metavar="REASON",
            help="A reason (`too_small`), an error (`SourceBlocked`), an exit code or a file.",
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """
    Print what a reason or an error means and what to do; no configuration and no data are needed.

    Example: celebcollect explain too_small
    """
    from celebcollect.explain import explain as look_up

    found = look_up(word)
    if as_json:
        print_json(dataclasses.asdict(found))
        return
    about = {
        "reason": f"a reason, counted by {found.stage}",
        "error": f"an error, exit code {found.exit_code}",
        "exit code": "an exit code",
        "file": "a file",
    }[found.kind]
    sys.stdout.write(
        f"{found.word} ({about})\n{found.meaning}\n"
        f"What to do: {found.advice or 'nothing; this is no fault.'}\n"
    )
