"""Run the program as a user would, in a process of its own, with the small web as its world."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from celebcollect.demo.cast import IDENTITY_THRESHOLD, UNKNOWN_DISTANCE
from celebcollect.demo.planted import GOOD_SHOTS
from celebcollect.demo.tmdb import TOKEN
from celebcollect.domain.errors import CelebCollectError, Interrupted

CONFIG = """# Written by `celebcollect demo`: the small web plays all services.
data_dir = {data_dir}
[http]
contact = "demo@example.org"
[wikidata]
endpoint = "{base}/sparql"
dialect = "wdqs"
occupations = ["Q33999"]
min_interval_s = 0
[google]
search_url = "{base}/search"
min_interval_s = 0
[tmdb]
base_url = "{base}/3"
requests_per_s = 100
[commons]
api_url = "{base}/w/api.php"
requests_per_s = 100
[store]
allow_private_addresses = true
[clean]
faces = "{faces}"
# These numbers are for faces that are drawn, as dlib sees them; for photographs leave each
# engine's own. Drawn faces are more alike: two shots of one are up to 0.19 apart on average, shots
# of two at least 0.30. The thumbnails hold faces of 62 to 72 pixels.
engine = "{engine}"
min_face_px = 80
identity_threshold = {identity_threshold}
[train]
# For the same reason.
unknown_distance = {unknown_distance}
[run]
target_images = {target}
"""


def config_text(base: str, data_dir: Path, *, faces: str = "auto", engine: str = "dlib") -> str:
    """Return a configuration for which the small web at `base` plays all services."""
    return CONFIG.format(
        base=base,
        data_dir=json.dumps(str(data_dir)),
        faces=faces,
        engine=engine,
        target=GOOD_SHOTS,
        identity_threshold=IDENTITY_THRESHOLD,
        unknown_distance=UNKNOWN_DISTANCE,
    )


class Program:
    """The program with a configuration file; `stop` ends it."""

    def __init__(self, config: Path, stop: threading.Event) -> None:
        self._config, self._stop = config, stop

    def run(self, *arguments: str) -> None:
        """Run a command, which writes to our own output."""
        self._tell(arguments)
        self._run(arguments, capture=False)

    def ask(self, *arguments: str, tell: bool = False) -> str:
        """Run a command and return what it writes."""
        if tell:
            self._tell(arguments)
        return self._run(arguments, capture=True)

    def _tell(self, arguments: tuple[str, ...]) -> None:
        sys.stdout.write(f"\n$ celebcollect --config {self._config} {' '.join(arguments)}\n")

    def _run(self, arguments: tuple[str, ...], *, capture: bool) -> str:
        sys.stdout.flush()
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("CELEBCOLLECT_")
        }
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "celebcollect", "--config", str(self._config), *arguments],
            env={**environment, "CELEBCOLLECT_TMDB__TOKEN": TOKEN},
            stdout=subprocess.PIPE if capture else None,
        )
        out = self._wait(process)
        if self._stop.is_set():
            raise Interrupted(
                "interrupted", hint="The demonstration begins anew when it is run again."
            )
        if process.returncode:
            raise CelebCollectError(
                f"celebcollect {' '.join(arguments)} ended with exit code {process.returncode}",
                hint="What it wrote above says why; doctor tells more.",
            )
        return out

    def _wait(self, process: subprocess.Popen[bytes]) -> str:
        """Return what the process writes; ask it to end when `stop` is set."""
        asked_to_end = False
        while True:
            with suppress(subprocess.TimeoutExpired):
                out, _ = process.communicate(timeout=0.2)
                return out.decode() if out else ""
            # Ctrl-C has reached it through the terminal, SIGTERM has not.
            if self._stop.is_set() and not asked_to_end:
                process.terminate()
                asked_to_end = True
