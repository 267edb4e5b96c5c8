"""Worker processes: they share the work, survive a crash, and end with their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from celebcollect.pictures.file import PictureFile
from celebcollect.vision.base import Embedding, Engine, EngineCrashed, Face, Pixels
from celebcollect.vision.numbers import UNTESTED
from celebcollect.vision.workers import Workers

pytestmark = pytest.mark.slow


class FakeEngine:
    """Sees one face in everything, and dies of pictures that are exactly 13 pixels wide."""

    def detect(self, pixels: Pixels) -> list[Face]:
        if pixels.shape[1] == 13:
            os.kill(os.getpid(), signal.SIGKILL)
        return [Face((0, 0, 10, 10))]

    def detect_hard(self, pixels: Pixels) -> list[Face]:
        return []

    def align(self, pixels: Pixels, face: Face, *, room: float = 1) -> Pixels:
        return pixels

    def embed(self, aligned: Pixels) -> Embedding:
        raise NotImplementedError


class FakeSpec:
    """Sends the fake to a worker."""

    name, detector, embedder, numbers = "fake", "fake", "fake", UNTESTED

    def load(self) -> Engine:
        return FakeEngine()


def look(engine: Engine, picture: PictureFile) -> int:
    """Ask the engine without reading a file, and say which process did it."""
    engine.detect(np.zeros((10, picture.width_px, 3), dtype=np.uint8))
    return os.getpid()


def unread(number: int, width_px: int) -> PictureFile:
    return PictureFile(str(number), Path("unread"), width_px, 10)


def test_a_worker_that_dies_while_idle_is_replaced() -> None:
    """
    What kills a process between two batches does not end the next one.

    Memory ran out elsewhere, perhaps: it is not blamed on the next picture either.
    """
    workers = Workers(FakeSpec(), 1)
    ((_, gone),) = workers.run(look, [unread(1, 20)])
    assert isinstance(gone, int)
    os.kill(gone, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while Path(f"/proc/{gone}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)

    ((_, second),) = workers.run(look, [unread(2, 20)])
    workers.close()

    assert isinstance(second, int)
    assert second != gone


def test_workers_share_the_pictures() -> None:
    """Two processes work on them, and neither is this one."""
    workers = Workers(FakeSpec(), 2)

    seen = {found for _, found in workers.run(look, [unread(number, 20) for number in range(60)])}
    workers.close()

    assert os.getpid() not in seen
    assert 1 <= len(seen) <= 2


def test_workers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    """After kill -9 of the parent no worker is left behind."""
    script = tmp_path / "parent.py"
    script.write_text(
        "import sys, os, signal\n"
        f"sys.path[:0] = {[str(Path(__file__).parent), str(Path(__file__).parents[1])]!r}\n"
        "from test_workers import FakeSpec, Workers, look, unread\n"
        "if __name__ == '__main__':\n"
        "    for _, found in Workers(FakeSpec(), 1).run(look, [unread(1, 20)]):\n"
        "        print(found, flush=True)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    told = subprocess.run(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, timeout=120
    ).stdout

    deadline = time.monotonic() + 20
    while Path(f"/proc/{int(told)}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{int(told)}").exists()


def test_a_picture_that_kills_the_engine_does_not_stop_the_others() -> None:
    """The one that breaks a worker process is told from those that were in work beside it."""
    pictures = [unread(number, 13 if number == 3 else 20) for number in range(10)]
    workers = Workers(FakeSpec(), 2)

    found = dict(workers.run(look, pictures))
    workers.close()

    assert {id_ for id_, seen in found.items() if isinstance(seen, EngineCrashed)} == {"3"}
    assert len(found) == 10
