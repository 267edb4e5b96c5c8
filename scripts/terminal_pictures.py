"""Write docs/terminal/*.txt and docs/run-all.svg from a real terminal (tmux)."""

from __future__ import annotations

import io
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from celebcollect.demo.planted import GOOD_SHOTS
from celebcollect.demo.program import config_text
from celebcollect.demo.tmdb import TOKEN
from celebcollect.demo.web import SmallWeb

DOCS = Path(__file__).parents[1] / "docs"
ROWS = 40
PICTURE_COLUMNS = 132
SLOWER = {
    '/search"\nmin_interval_s = 0': '/search"\nmin_interval_s = 2',
    "requests_per_s = 100": "requests_per_s = 1.5",
}
"""The small web answers at once; a run that is to be seen takes its time."""


@dataclass(frozen=True)
class Pane:
    """A terminal of tmux with a shell in it."""

    name: str

    def type(self, command: str) -> None:
        """Type a command and Enter."""
        self._tmux("send-keys", "-t", self.name, command, "Enter")

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self._tmux("send-keys", "-t", self.name, "C-c")

    def shown(self, *, colours: bool = False, all_of_it: bool = False) -> str:
        """Return what stands there; with `all_of_it` also what has been scrolled away."""
        options = [*(["-e"] if colours else []), *(["-S", "-"] if all_of_it else [])]
        text = self._tmux("capture-pane", "-p", *options, "-t", self.name)
        return "\n".join(line.rstrip() for line in text.rstrip().splitlines())

    def wait_for(self, pattern: str, timeout_s: float = 180) -> None:
        """Return when a pattern stands there."""
        give_up = time.monotonic() + timeout_s
        while not re.search(pattern, self.shown(all_of_it=True), re.MULTILINE):
            if time.monotonic() > give_up:
                raise TimeoutError(f"{pattern!r} did not come:\n{self.shown(all_of_it=True)}")
            time.sleep(0.2)

    @staticmethod
    def _tmux(*arguments: str) -> str:
        return subprocess.run(
            ["tmux", *arguments], check=True, capture_output=True, text=True
        ).stdout


@contextmanager
def pane(folder: Path, columns: int) -> Iterator[Pane]:
    """Open a terminal in a folder, in which the program and the demonstration's token are known."""
    name = f"celebcollect-{os.getpid()}-{columns}-{time.monotonic_ns()}"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    shell = [
        "env",
        f"PATH={path}",
        f"CELEBCOLLECT_TMDB__TOKEN={TOKEN}",
        "LC_ALL=C.UTF-8",
        "PS1=$ ",
        "bash",
        "--norc",
        "--noprofile",
    ]
    subprocess.run(
        [
            "tmux",
            "-u",
            "new-session",
            "-d",
            "-s",
            name,
            "-x",
            str(columns),
            "-y",
            str(ROWS),
            *shell,
        ],
        cwd=folder,
        check=True,
    )
    try:
        opened = Pane(name)
        opened.wait_for(r"^\$")
        yield opened
    finally:
        subprocess.run(["tmux", "kill-session", "-t", name], check=False)


@contextmanager
def playground(*, slowly: bool) -> Iterator[Path]:
    """Play the small web; give a folder whose configuration wants one picture too many."""
    with tempfile.TemporaryDirectory() as name, SmallWeb() as web:
        text = config_text(web.base, Path("data"))
        for usual, seen in (
            (f"target_images = {GOOD_SHOTS}", f"target_images = {GOOD_SHOTS + 1}"),
            *(SLOWER.items() if slowly else ()),
        ):
            if usual not in text:
                raise ValueError(f"the demonstration's configuration has no {usual!r} any more")
            text = text.replace(usual, seen)
        Path(name, "config.toml").write_text(text, encoding="utf-8")
        yield Path(name)


def run_and_watch(columns: int) -> dict[str, str]:
    """Return what `run-all`, and `status` beside it, show in a terminal of this width."""
    with (
        playground(slowly=True) as folder,
        pane(folder, columns) as run,
        pane(folder, columns) as beside,
    ):
        run.type("celebcollect run-all")
        run.wait_for(r"google +2/10")
        beside.type("celebcollect status --watch")
        run.wait_for(r"google +5/10")
        live = run.shown()
        watched = beside.shown()
        beside.interrupt()
        if columns == 80:
            picture(run)
        run.wait_for(r"What next:(.*\n)+\$ *$")
        end = run.shown(all_of_it=True)
        beside.type("clear; celebcollect status")
        beside.wait_for(r"urlsVerifie")
        time.sleep(1)  # the shell's next prompt
        return {
            f"run-all-{columns}": f"{live}\n\n... and at its end:\n\n{from_summary(end)}",
            f"status-watch-{columns}": watched,
            f"status-{columns}": beside.shown(all_of_it=True),
        }


def picture(run: Pane) -> None:
    """Keep the running `run-all` as a picture, as wide as a README shows it."""
    subprocess.run(
        ["tmux", "resize-window", "-t", run.name, "-x", str(PICTURE_COLUMNS)], check=True
    )
    run.wait_for("left out")
    time.sleep(1)  # until it is drawn for the new width
    lines = run.shown(colours=True).splitlines()
    first = next(number for number, line in enumerate(lines) if "run-all ·" in line)
    console = Console(record=True, width=PICTURE_COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text("$ celebcollect run-all"))
    for line in lines[first:]:
        console.print(Text.from_ansi(line), no_wrap=True, overflow="ignore", crop=True)
    (DOCS / "run-all.svg").write_text(
        console.export_svg(title="celebcollect", unique_id="celebcollect"), encoding="utf-8"
    )
    subprocess.run(["tmux", "resize-window", "-t", run.name, "-x", "80"], check=True)


def from_summary(text: str) -> str:
    """Leave out the log lines above the last table."""
    lines = text.splitlines()
    last = max(number for number, line in enumerate(lines) if line.startswith("run-all ·"))
    return "\n".join(lines[last:])


def without_terminal() -> dict[str, str]:
    """Return what is written into a pipe."""
    with playground(slowly=False) as folder, pane(folder, 200) as shell:
        shell.type(
            "celebcollect run-all 2> log.txt | cat > out.txt; celebcollect status | cat >"
            " status.txt; echo 'all' 'done'"
        )
        shell.wait_for("^all done")
        log, out, status = (
            Path(folder, f"{name}.txt").read_text(encoding="utf-8")
            for name in ("log", "out", "status")
        )
    return {
        "run-all-cat": f"$ celebcollect run-all | cat     (stderr first)\n{log}\n{out}",
        "status-cat": f"$ celebcollect status | cat\n{status}",
    }


def main() -> None:
    """Take all pictures."""
    if not shutil.which("tmux"):
        raise SystemExit("tmux is missing")
    taken: dict[str, str] = {}
    for columns in (80, 200):
        taken |= run_and_watch(columns)
    taken |= without_terminal()
    (DOCS / "terminal").mkdir(exist_ok=True)
    for name, text in taken.items():
        lines = (
            line.rstrip().replace(socket.gethostname(), "here")
            for line in text.rstrip().splitlines()
        )
        (DOCS / "terminal" / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
