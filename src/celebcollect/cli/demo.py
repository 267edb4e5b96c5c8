"""`demo`: play the whole pipeline offline."""

from pathlib import Path
from typing import Annotated

import typer

from celebcollect.cli.signals import stopping


def demo(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="[DIR]", help="Where the demonstration keeps its data; made when missing."
        ),
    ] = Path("demo"),
) -> None:
    """
    Play a small web on 127.0.0.1 and run the whole pipeline against it, offline, with drawn people.

    Example: celebcollect demo /tmp/demo
    """
    from celebcollect.demo.run import run_demo

    with stopping() as stop:
        run_demo(folder, stop)
