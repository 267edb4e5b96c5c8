"""The tour in the README: its commands are run, and their real output is what stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

BEGIN, END = "<!-- tour -->", "<!-- /tour -->"
ELISION = "..."

# Runs each command in one shell, so that `export` lasts, and closes its output with its exit code
# between two zero bytes.
_RUN = "set -o pipefail\n{steps}"
_STEP = "{command}\nprintf '\\0%s\\0' $?\n"


@dataclass(frozen=True)
class Step:
    """A command and the output that is shown for it, of which `...` leaves lines out."""

    command: str
    shown: tuple[str, ...]


def steps(readme: str) -> list[Step]:
    """Return the commands of the tour, in order."""
    tour = readme[readme.index(BEGIN) : readme.index(END)]
    found: list[Step] = []
    for block in re.findall(r"```console\n(.*?)```", tour, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *shown = part.rstrip("\n").split("\n")
            found.append(Step(command, tuple(shown)))
    return found


def run(commands: list[str], folder: Path) -> list[list[str]]:
    """
    Run the commands in a shell in this folder and return the lines that each wrote on stdout.

    Raises:
        RuntimeError: One of them failed.
    """
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("CELEBCOLLECT_")
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment |= {"PATH": path, "XDG_CONFIG_HOME": str(folder / "none"), "LC_ALL": "C.UTF-8"}
    script = _RUN.format(steps="".join(_STEP.format(command=command) for command in commands))
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        timeout=500,
        check=False,
    )
    *pieces, _ = done.stdout.decode().split("\0")
    outputs = []
    for command, output, code in zip(commands, pieces[::2], pieces[1::2], strict=True):
        if code != "0":
            raise RuntimeError(f"`{command}` ended with {code}: {done.stderr.decode()[-2000:]}")
        outputs.append([line.rstrip() for line in output.splitlines()])
    return outputs


def fitted(output: list[str], shown: tuple[str, ...]) -> list[str]:
    """
    Leave out of an output what the former one left out.

    As many lines stay before and after `...` as there were.
    """
    if ELISION not in shown:
        return output
    at = shown.index(ELISION)
    after = len(shown) - at - 1
    return [*output[:at], ELISION, *output[len(output) - after :]]


def rewritten(readme: str, outputs: list[list[str]]) -> str:
    """Return the README with these outputs in place of the old ones."""
    new = iter(
        fitted(output, step.shown) for step, output in zip(steps(readme), outputs, strict=True)
    )
    start, end = readme.index(BEGIN), readme.index(END)

    def block(found: re.Match[str]) -> str:
        commands = [
            step.split("\n")[0] for step in re.split(r"^\$ ", found[1], flags=re.MULTILINE)[1:]
        ]
        return (
            "```console\n"
            + "".join("\n".join((f"$ {command}", *next(new))) + "\n" for command in commands)
            + "```"
        )

    return (
        readme[:start]
        + re.sub(r"```console\n(.*?)```", block, readme[start:end], flags=re.DOTALL)
        + readme[end:]
    )


def without_numbers(lines: list[str] | tuple[str, ...]) -> list[str]:
    """Return lines as they are compared: without digests, numbers and the widths they cause."""
    texts = (re.sub(r"\b[0-9a-f]{12,}\b", "HASH", line) for line in lines)
    texts = (re.sub(r"[0-9]+(?:[.,:][0-9]+)*", "0", line) for line in texts)
    texts = (re.sub(r"0(?: ?[KMG]?B)\b", "0 B", line) for line in texts)
    return [re.sub(r"[ ━─]+", " ", line).strip() for line in texts]
