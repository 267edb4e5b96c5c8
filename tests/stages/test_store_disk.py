"""Disks that refuse: a clear error, nothing half-written, nothing committed."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from celebcollect.domain.errors import StorageError
from celebcollect.images.folder import ImageFolder
from picture_web import PictureWeb, answer, picture, serve
from stages.storing import VERIFIED, Bench, candidate

UNPRIVILEGED = (
    [
        "setpriv",
        *(f"--{kind}=-dac_override,-dac_read_search" for kind in ("inh-caps", "bounding-set")),
    ]
    if os.geteuid() == 0
    else []
)
"""Before a command: root may write everywhere, but not without these capabilities
(capabilities(7))."""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    opened = Bench(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def web() -> Iterator[PictureWeb]:
    with serve() as running:
        for n in range(5):
            running.routes[f"/{n}"] = answer(picture(n))
        yield running


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 700 KB, mounted where the machine allows it."""
    folder = tmp_path / "small"
    folder.mkdir()
    if (
        os.geteuid()
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=700k", "none", folder],
            capture_output=True,
            check=False,
        ).returncode
    ):
        pytest.skip("this machine lets nobody mount")
    yield folder
    subprocess.run(["umount", folder], check=True)


def offer(bench: Bench, web: PictureWeb, count: int = 5) -> None:
    bench.publish(VERIFIED, *(candidate(web.url(f"/{n}")) for n in range(count)))


def test_a_disk_that_refuses_stops_the_work_and_commits_nothing(
    bench: Bench, web: PictureWeb
) -> None:
    """
    The messages are delivered again when the disk is well.

    Nothing half-written lies about.
    """
    offer(bench, web)
    (bench.data_dir / "images").write_bytes(b"a file where the folder must be")

    with pytest.raises(StorageError) as refused:
        bench.store()

    assert refused.value.hint
    assert (bench.lag(), bench.rows()) == (5, {})
    assert bench.files() == set()
    (bench.data_dir / "images").unlink()
    assert bench.store()["stored"] == 5


def test_a_full_disk_stops_the_work_with_a_hint(
    bench: Bench, web: PictureWeb, small_disk: Path
) -> None:
    """
    ENOSPC is told in words, and the offset stays.

    After making room, the same command ends the work.
    """
    for n in range(30):
        web.routes[f"/{n}"] = answer(picture(n, (400, 400), quality=100))
    offer(bench, web, 30)
    roomy, bench.folder = bench.folder, ImageFolder(small_disk)

    with pytest.raises(StorageError) as refused:
        bench.store()

    assert "full" in refused.value.hint
    assert (bench.lag(), bench.rows()) == (30, {})
    assert not [file for file in small_disk.rglob("*") if file.is_file()]
    bench.folder = roomy
    assert bench.store()["stored"] == 30


def test_a_read_only_disk_stops_the_work_with_a_hint(
    bench: Bench, web: PictureWeb, small_disk: Path
) -> None:
    """EROFS is told in words and nothing is committed."""
    offer(bench, web)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    bench.folder = ImageFolder(small_disk)

    with pytest.raises(StorageError) as refused:
        bench.store()

    assert "read-only" in refused.value.hint
    assert (bench.lag(), bench.rows()) == (5, {})


@pytest.mark.slow
def test_a_folder_without_permission_stops_the_command_with_a_hint(
    bench: Bench, web: PictureWeb
) -> None:
    """EACCES is told in words on stderr, without a traceback, and nothing is committed."""
    offer(bench, web)
    (bench.data_dir / "images").mkdir(mode=0o500)
    settings = {
        "CELEBCOLLECT_DATA_DIR": str(bench.data_dir),
        "CELEBCOLLECT_STORE__ALLOW_PRIVATE_ADDRESSES": "true",
    }

    finished = subprocess.run(
        [*UNPRIVILEGED, sys.executable, "-m", "celebcollect", "store"],
        env={**os.environ, **settings}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert finished.returncode == StorageError.exit_code, finished.stderr
    assert "Permission denied" in finished.stderr
    assert "allowed to write" in finished.stderr
    assert "Traceback" not in finished.stderr
    assert (bench.lag(), bench.rows()) == (5, {})
    assert bench.files() == set()


def test_a_path_that_is_too_long_stops_the_work_with_a_hint(
    bench: Bench, web: PictureWeb, tmp_path: Path
) -> None:
    """ENAMETOOLONG is told in words and nothing is committed."""
    offer(bench, web)
    bench.folder = ImageFolder(tmp_path.joinpath(*["x" * 200] * 25))

    with pytest.raises(StorageError) as refused:
        bench.store()

    assert "shorter" in refused.value.hint
    assert (bench.lag(), bench.rows()) == (5, {})


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_disk_that_fails_while_the_files_get_their_names_commits_nothing(
    bench: Bench, web: PictureWeb, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """
    An I/O error at the last moment leaves no row that points to a missing file.

    The next run ends the work.
    """
    offer(bench, web)

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os if failing == "fsync" else Path, failing, fail)
        # The log and the catalogue are SQLite's, which does not sync through Python.
        with pytest.raises(StorageError):
            bench.store()

    assert (bench.lag(), bench.rows()) == (5, {})
    assert not [path for path in bench.files() if path.startswith("tmp/")]
    assert bench.store()["stored"] == 5
    assert {row.path for row in bench.rows().values()} == bench.files()
