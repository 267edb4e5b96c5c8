"""Files that appear whole or not at all, and what the disk's errors become."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from celebcollect.disk import files
from celebcollect.domain.errors import StorageError


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """Readers see the old bytes until the block ends, then the new ones; no part stays."""
    file = tmp_path / "index.json"
    files.write_file(file, b"old")

    with files.atomic_file(file) as out:
        out.write(b"new")
        before = file.read_bytes()

    assert (before, file.read_bytes()) == (b"old", b"new")
    assert list(tmp_path.iterdir()) == [file]


def test_a_block_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    """The part is removed, the file stays."""
    file = tmp_path / "index.json"
    files.write_file(file, b"old")

    with pytest.raises(TypeError), files.atomic_file(file) as out:
        out.write("no bytes")  # type: ignore[call-overload]

    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_process_that_dies_leaves_a_part_that_is_found(tmp_path: Path) -> None:
    """Killed in the middle: the old file is whole, and the part goes with `remove_parts`."""
    file = tmp_path / "index.json"
    files.write_file(file, b"old")
    program = (
        "import os, pathlib, signal, sys\n"
        "from celebcollect.disk.files import atomic_file\n"
        "with atomic_file(pathlib.Path(sys.argv[1])) as out:\n"
        "    out.write(b'new')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )

    died = subprocess.run([sys.executable, "-c", program, str(file)], check=False)

    assert died.returncode == -signal.SIGKILL
    assert file.read_bytes() == b"old"
    assert len(list(files.parts_of(file))) == 1
    (tmp_path / ".other.json.ab.part").touch()
    files.remove_parts(file)
    assert {entry.name for entry in tmp_path.iterdir()} == {"index.json", ".other.json.ab.part"}


def test_a_link_in_the_place_of_a_new_file_is_not_followed(tmp_path: Path) -> None:
    """Whoever put a link there cannot make us write elsewhere."""
    (tmp_path / "part").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(FileExistsError):
        files.create(tmp_path / "part")

    assert not (tmp_path / "elsewhere").exists()


def test_a_link_in_the_place_of_the_file_is_replaced(tmp_path: Path) -> None:
    """The link goes, and what it led to stays."""
    (tmp_path / "mine").write_bytes(b"mine")
    (tmp_path / "index.json").symlink_to(tmp_path / "mine")

    files.write_file(tmp_path / "index.json", b"new")

    assert (tmp_path / "mine").read_bytes() == b"mine"
    assert stat.S_ISREG((tmp_path / "index.json").lstat().st_mode)


def test_bytes_are_durable_before_the_name_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The content is flushed while the old file is still there, the folder after the rename."""
    file = tmp_path / "index.json"
    flushed: list[tuple[str, bool]] = []

    def flush(descriptor: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        flushed.append((kind, file.exists()))

    monkeypatch.setattr(os, "fsync", flush)
    files.write_file(file, b"new")

    assert flushed == [("file", False), ("folder", True)]


def test_missing_folders_are_made_and_flushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each new folder's entry is flushed in its parent."""
    flushed: list[Path] = []
    monkeypatch.setattr(files, "sync_folder", flushed.append)

    files.make_folder(tmp_path / "a" / "b")

    assert (tmp_path / "a" / "b").is_dir()
    assert flushed == [tmp_path, tmp_path / "a"]


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.ENOSPC, "make room"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "allowed to write"),
        (errno.EIO, "system's log"),
        (errno.EBADF, "the caller's hint"),
    ],
)
def test_an_error_of_the_disk_says_what_to_do(tmp_path: Path, number: int, hint: str) -> None:
    """The message names the action, the path and the reason; the hint fits the reason."""
    refused = files.disk_errors("write", tmp_path, hint="the caller's hint")

    with pytest.raises(StorageError) as caught, refused:
        raise OSError(number, os.strerror(number))

    assert caught.value.message == f"cannot write {tmp_path}: {os.strerror(number)}"
    assert hint in caught.value.hint
    assert isinstance(caught.value.__cause__, OSError)


def test_the_caller_has_hints_of_its_own(tmp_path: Path) -> None:
    """A hint by number replaces the general one."""
    refused = files.disk_errors("write", tmp_path, hints={errno.EACCES: "Ask your admin."})

    with pytest.raises(StorageError) as caught, refused:
        raise PermissionError(errno.EACCES, "Permission denied")

    assert caught.value.hint == "Ask your admin."


def test_an_error_that_the_caller_handles_passes(tmp_path: Path) -> None:
    """What is named stays what it is."""
    refused = files.disk_errors("read", tmp_path, passing=(FileNotFoundError,))

    with pytest.raises(FileNotFoundError), refused:
        raise FileNotFoundError(errno.ENOENT, "gone")
