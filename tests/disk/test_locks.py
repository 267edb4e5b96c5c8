"""Locks between processes, and folders that one process at a time writes to."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from celebcollect.disk.locks import ProcessLock, check_foreign, locked, locked_folder
from celebcollect.domain.errors import Busy, StorageError, UsageError

HOLD = (
    "import pathlib, sys\n"
    "from celebcollect.disk.locks import ProcessLock\n"
    "lock = ProcessLock(pathlib.Path(sys.argv[1]))\n"
    "print(lock.take(), flush=True)\n"
    "sys.stdin.read()\n"
)


def busy() -> Busy:
    return Busy("somebody else has it", hint="")


def test_another_process_that_dies_frees_the_lock(tmp_path: Path) -> None:
    """Held while the other lives, free at once when it is killed."""
    file = tmp_path / ".lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        held = other.stdout.readline()
        with pytest.raises(Busy), locked(file, busy=busy):
            pass
        other.kill()
        other.wait()

        with locked(file, busy=busy):
            free = True

    assert (held, free) == (b"True\n", True)


def test_a_lock_is_waited_for(tmp_path: Path) -> None:
    """Who may wait gets it when the other gives it back, also from another thread."""
    first, second = ProcessLock(tmp_path / ".lock"), ProcessLock(tmp_path / ".lock")
    assert first.take()
    assert not second.take()

    giver = threading.Timer(0.1, first.release)
    giver.start()
    taken = second.take(wait_s=30)
    giver.join()

    second.release()
    assert taken


def test_a_lock_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A file in the place of the folder is an error with advice."""
    (tmp_path / "file").touch()

    with pytest.raises(StorageError, match="cannot lock"):
        ProcessLock(tmp_path / "file" / ".lock").take()
    folder = locked_folder(tmp_path / "file" / "folder", ".lock", busy=busy)
    with pytest.raises(StorageError, match="cannot make"), folder:
        pass


def test_one_writer_at_a_time_has_a_folder(tmp_path: Path) -> None:
    """The folder is made; a second writer is told; after an error it is free again."""
    folder = tmp_path / "new" / "folder"

    second = locked_folder(folder, ".lock", busy=busy)
    with locked_folder(folder, ".lock", busy=busy), pytest.raises(Busy), second:
        pass
    with pytest.raises(ZeroDivisionError), locked_folder(folder, ".lock", busy=busy):
        _ = 1 / 0

    with locked_folder(folder, ".lock", busy=busy):
        assert folder.is_dir()


def test_a_folder_with_something_else_in_it_is_refused(tmp_path: Path) -> None:
    """Missing, empty and ours are fine, another's folder and a file are not."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "locked").mkdir()
    (tmp_path / "locked" / ".lock").touch()
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / ".mark").touch()
    (tmp_path / "ours" / "page.html").touch()
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "thesis.tex").touch()
    (tmp_path / "file").touch()

    def check(name: str) -> bool:
        return check_foreign(
            tmp_path / name, ".mark", former="page", hint="Take another.", passing=(".lock",)
        )

    found = [check(name) for name in ("missing", "empty", "locked", "ours")]
    with pytest.raises(UsageError, match=r"no former page: it holds 'thesis.tex'") as foreign:
        check("foreign")
    with pytest.raises(UsageError, match="is no folder"):
        check("file")

    assert found == [False, False, False, True]
    assert foreign.value.hint == "Take another."
