"""What face work costs for each engine, beside another checkout in the same run.

    python benchmarks/clean_cost.py [--folder FOLDER] [--base CHECKOUT]

The pictures are those of people, without thumbnails of 150 px, and every tenth without a face: one
in six has none. CHECKOUT has an environment of its own (`.venv`); each figure comes from a process
of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parents[1]
ENGINES = ("dlib", "yunet-sface")
PROCESSES = (0, 1, 2)
"""0: in the measuring process itself, which tells CPU; 1 and 2: workers, which tell speed."""


def pictures(folder: Path) -> list[str]:
    """Return the files to look at."""
    people = [file for file in sorted((folder / "people").glob("*/*")) if file.suffix != ".png"]
    return [str(file) for file in (*people, *sorted((folder / "no-face").glob("*"))[::10])]


def measured(
    checkout: Path, engine: str, files: Sequence[str], processes: int
) -> dict[str, float] | None:
    """Return what `clean_cost_of` says there; None where the engine cannot be used."""
    asked = json.dumps({"engine": engine, "files": list(files), "processes": processes})
    done = subprocess.run(
        [
            checkout / ".venv" / "bin" / "python",
            "-P",  # what lies beside the script is this checkout's
            Path(__file__).with_name("clean_cost_of.py"),
            asked,
        ],
        capture_output=True,
        text=True,
        check=False,
        env=environment(checkout),
    )
    if done.returncode:
        print(f"  {engine}: {done.stderr.strip().splitlines()[-1][:150]}")
        return None
    found: dict[str, float] = json.loads(done.stdout)
    return found


def environment(checkout: Path) -> dict[str, str]:
    """Return the variables of a measuring process: modules are compiled once, as installed ones."""
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    # Files of an older checkout's benchmarks are imported from there.
    return {**kept, "PYTHONPATH": str(checkout / "benchmarks")}


def print_engine(name: str, checkout: Path, engine: str, files: Sequence[str]) -> None:
    """Print one line of figures."""
    found = {}
    measured(checkout, engine, files[:1], 0)  # compiles, and fills the user's cache
    for processes in PROCESSES:
        figures = measured(checkout, engine, files, processes)
        if figures is None:
            print(f"  {name:<8} {engine:<12} cannot be measured")
            return
        found[processes] = figures
    alone, count = found[0], len(files)
    look, embed = (1000 * alone[f"{what}_cpu_s"] / count for what in ("looking", "embedding"))
    one, two = (count / found[processes]["wall_s"] for processes in (1, 2))
    print(
        f"  {name:<8} {engine:<12} {look + embed:6.1f} CPU ms a picture ({look:.1f} looking,"
        f" {embed:.1f} embedding), {alone['faces']:.0f} of {count} with a face;"
        f" {one:.1f} and {two:.1f} pictures/s with 1 and 2 processes: {two / one:.2f} times;"
        f" {alone['peak_mb']:.0f} MB, start {alone['start_cpu_s']:.2f} CPU s"
    )


def main() -> None:
    """Print the figures of this checkout, and of the other one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    beside = Path(__file__).parents[2] / "shared" / "data" / "faces"
    parser.add_argument("--folder", type=Path, default=beside)
    parser.add_argument("--base", type=Path, help="another checkout, such as one of 7aafdcd")
    options = parser.parse_args()
    files = pictures(options.folder)
    if not files:
        sys.exit(f"no photographs in {options.folder}: name another folder")
    load = os.getloadavg()[0]
    print(
        f"what face work costs, {len(files)} pictures, {os.cpu_count()} processors, load {load:.1f}"
    )
    for engine in ENGINES:
        print_engine("here", HERE, engine, files)
    if options.base:
        print_engine("base", options.base, ENGINES[0], files)


if __name__ == "__main__":
    main()
