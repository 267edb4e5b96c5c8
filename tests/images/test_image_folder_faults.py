"""The image folder when processes die, compete, or the disk refuses."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from catalogue.small_disk import on_small_disk
from celebcollect.domain.errors import StorageError
from celebcollect.images.folder import ImageFolder

WRITE = """
import hashlib, sys
from pathlib import Path
from celebcollect.images.folder import ImageFolder
folder = ImageFolder(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for n in range(int(sys.argv[2])):
    data = bytes([n % 256]) * (400_000 + n)
    print(folder.put("Q1", hashlib.sha256(data).hexdigest(), "jpg", data), flush=True)
"""


def writer(data_dir: Path, pictures: int) -> subprocess.Popen[str]:
    """Start a process that writes pictures one after the other as soon as it is told to."""
    command = [sys.executable, "-c", WRITE, str(data_dir), str(pictures)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: subprocess.Popen[str]) -> None:
    """Let a writer begin."""
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def is_whole(file: Path) -> bool:
    """Tell whether a file holds what its name says."""
    return hashlib.sha256(file.read_bytes()).hexdigest() == file.stem


@pytest.mark.slow
def test_kill_9_leaves_no_half_file_under_a_name(tmp_path: Path) -> None:
    """
    Wherever a writer is killed, every named file is whole.

    Every reported one is there, and sweeping removes the rest.
    """
    moments = random.Random(7)
    left_behind = rounds = 0
    # At least one writer must be hit in the middle, or the test would show nothing.
    while rounds < 10 or (not left_behind and rounds < 100):
        rounds += 1
        process = writer(tmp_path, 100_000)
        go(process)
        time.sleep(moments.uniform(0.0, 0.05))
        process.kill()
        reported = process.communicate()[0].split()
        folder = ImageFolder(tmp_path)

        assert all(is_whole(tmp_path / path) for path in folder.files())
        assert all((tmp_path / path).exists() for path in reported if path.endswith(".jpg"))
        left_behind += folder.sweep()
        assert list((tmp_path / "tmp").glob("*")) == []

    assert left_behind


@pytest.mark.slow
def test_writers_of_the_same_pictures_do_not_disturb_each_other(tmp_path: Path) -> None:
    """
    Three processes that write the same pictures at once all succeed.

    Each picture is there once and whole.
    """
    processes = [writer(tmp_path, 40) for _ in range(3)]
    for process in processes:
        go(process)
    reported = [process.communicate()[0].split() for process in processes]

    assert [process.returncode for process in processes] == [0, 0, 0]
    assert reported[0] == reported[1] == reported[2]
    assert sorted(ImageFolder(tmp_path).files()) == sorted(reported[0])
    assert all(is_whole(tmp_path / path) for path in reported[0])
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_full_disk_is_told_and_leaves_nothing_half(tmp_path: Path) -> None:
    """
    When the disk is full the error names it and the hint says so.

    Nothing half-written stays, and earlier files are whole.
    """
    told = on_small_disk(
        tmp_path,
        """
        import hashlib
        from celebcollect.images.folder import ImageFolder
        from celebcollect.domain.errors import StorageError
        folder = ImageFolder(disk)
        pictures = [bytes([n]) * 300_000 for n in range(4)]
        try:
            for data in pictures:
                folder.put("Q1", hashlib.sha256(data).hexdigest(), "jpg", data)
        except StorageError as error:
            print(error.message, "|", error.hint)
        found = list(folder.files())
        digests = [hashlib.sha256((disk / path).read_bytes()).hexdigest() for path in found]
        print(len(found), all(map(str.__contains__, found, digests)))
        print(list((disk / "tmp").iterdir()))
        """,
    )

    error, found, temporary = told.splitlines()
    assert "No space left" in error
    assert "| The disk is full" in error
    assert found == "3 True"
    assert temporary == "[]"


def test_a_read_only_disk_is_told(tmp_path: Path) -> None:
    """On a read-only disk writing and moving are errors that say so, and reading goes on."""
    told = on_small_disk(
        tmp_path,
        """
        from celebcollect.images.folder import ImageFolder
        from celebcollect.domain.errors import StorageError
        folder = ImageFolder(disk)
        path = folder.put("Q1", "a" * 64, "jpg", b"x")
        read_only()
        for attempt in (
            lambda: folder.put("Q1", "b" * 64, "jpg", b"x"),
            lambda: folder.put("Q2", "b" * 64, "jpg", b"x"),
            lambda: folder.place(path, quarantined=True),
        ):
            try:
                attempt()
            except StorageError as error:
                print(error.hint)
        print(list(folder.files()) == [path], folder.file(path).read_bytes())
        """,
    )

    assert told.splitlines() == ["The disk is mounted read-only."] * 3 + ["True b'x'"]


def test_a_file_beyond_the_limit_of_the_process_is_told(tmp_path: Path) -> None:
    """
    A picture larger than `ulimit -f` allows is an error with the reason.

    It leaves no temporary file.
    """
    code = f"""
import resource
from pathlib import Path
from celebcollect.images.folder import ImageFolder
from celebcollect.domain.errors import StorageError
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    ImageFolder(Path({str(tmp_path)!r})).put("Q1", "a" * 64, "jpg", bytes(5000))
except StorageError as error:
    print(error.hint)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "ulimit -f" in done.stdout
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


def test_a_file_in_the_place_of_a_folder_is_told(tmp_path: Path) -> None:
    """Something else under the name of our folder is an error that says what to do."""
    (tmp_path / "images").write_text("mine")

    with pytest.raises(StorageError, match="images") as caught:
        ImageFolder(tmp_path).put("Q1", "a" * 64, "jpg", b"x")

    assert "move it away" in caught.value.hint
    assert (tmp_path / "images").read_text() == "mine"


def test_a_path_too_long_is_told(tmp_path: Path) -> None:
    """A data folder whose path leaves no room for ours is an error with advice."""
    with pytest.raises(StorageError) as caught:
        ImageFolder(tmp_path / "/".join(["deep" * 50] * 22)).put("Q1", "a" * 64, "jpg", b"x")

    assert "shorter path" in caught.value.hint


@pytest.mark.parametrize(
    ("code", "hint"),
    [(errno.EACCES, "allowed to write"), (errno.EDQUOT, "quota"), (errno.EIO, "system's log")],
)
def test_other_refusals_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, hint: str
) -> None:
    """
    Refusals that cannot be brought about here, played at the boundary to the system.

    The picture has no name and no rest stays.
    """

    def refuse(descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    (tmp_path / "images/Q1").mkdir(parents=True)
    (tmp_path / "tmp").mkdir()
    with pytest.raises(StorageError) as caught:
        ImageFolder(tmp_path).put("Q1", "a" * 64, "jpg", b"x")

    assert hint in caught.value.hint
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []
