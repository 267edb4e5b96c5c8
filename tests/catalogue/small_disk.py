"""Run Python on a disk of its own that is small, or read-only.

Nothing else shows what a program does when the disk refuses.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from support import missing


def on_small_disk(folder: Path, code: str, *, kib: int = 1024) -> str:
    """
    Mount a file system of this size on `folder` for one process and run the code there.

    Return what it printed.

    The code finds the folder in `disk`; `read_only()` makes the file system read-only from then on.
    The mount lives in a namespace of the process and ends with it.
    """
    given = f"""
        import subprocess
        from pathlib import Path
        disk = Path({str(folder)!r})
        def read_only():
            subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    """
    script = textwrap.dedent(given) + textwrap.dedent(code)
    mount = f'mount -t tmpfs -o size={kib}k none "$1" || exit 77; exec "$2" -c "$3"'
    command = [
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        mount,
        "sh",
        str(folder),
        sys.executable,
        script,
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1])]),
    }
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, env=environment
        )
    except FileNotFoundError:
        missing("unshare (to mount a small disk)")
    if done.returncode == 77 or (done.returncode and "unshare" in done.stderr):
        missing(f"the right to mount a small disk ({done.stderr.strip()})")
    assert done.returncode == 0, done.stderr
    return done.stdout
