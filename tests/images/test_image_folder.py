"""The image folder: names, places, orphans and temporary files."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from celebcollect.disk import owners
from celebcollect.images.base import ImageStore
from celebcollect.images.folder import ImageFolder

BYTES = b"picture" * 1000
SHA = hashlib.sha256(BYTES).hexdigest()
PATH = f"images/Q42/{SHA}.jpg"
REJECTED = f"quarantine/Q42/{SHA}.jpg"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def folder(data_dir: Path) -> ImageFolder:
    return ImageFolder(data_dir)


def everything(data_dir: Path) -> set[str]:
    """Return the path of every file below the data folder."""
    return {str(file.relative_to(data_dir)) for file in data_dir.rglob("*") if file.is_file()}


def test_a_picture_lies_under_its_content(folder: ImageFolder, data_dir: Path) -> None:
    """The bytes lie as they came under the person and their digest, and nothing else is left."""
    path = folder.put("Q42", SHA, "jpg", BYTES)

    assert path == PATH
    assert folder.file(path).read_bytes() == BYTES
    assert everything(data_dir) == {PATH}


def test_the_same_picture_again_is_not_written(folder: ImageFolder) -> None:
    """A file that is there already stays the very same file."""
    folder.put("Q42", SHA, "jpg", BYTES)
    before = folder.file(PATH).stat()

    assert folder.put("Q42", SHA, "jpg", BYTES) == PATH
    assert folder.file(PATH).stat() == before


def test_a_file_that_was_cut_is_mended(folder: ImageFolder) -> None:
    """A file of another length cannot be ours, and is replaced by the whole one."""
    folder.put("Q42", SHA, "jpg", BYTES)
    folder.file(PATH).write_bytes(BYTES[:100])

    folder.put("Q42", SHA, "jpg", BYTES)

    assert folder.file(PATH).read_bytes() == BYTES


def test_a_batch_appears_at_its_end(folder: ImageFolder, data_dir: Path) -> None:
    """Pictures of a batch have their names only when it is done, the same one twice included."""
    with folder.batch() as batch:
        paths = [batch.put(f"Q{n}", SHA, "png", BYTES) for n in (1, 2, 2)]
        during = {name for name in everything(data_dir) if not name.startswith("tmp/")}

    assert during == set()
    assert everything(data_dir) == set(paths)


def test_a_batch_that_fails_leaves_nothing(folder: ImageFolder, data_dir: Path) -> None:
    """When the block raises, no picture of the batch appears and no temporary file stays."""
    with pytest.raises(ValueError, match="no path"), folder.batch() as batch:
        [batch.put(qid, SHA, "png", BYTES) for qid in ("Q1", "nobody")]

    assert everything(data_dir) == set()


def test_a_picture_moves_to_quarantine_and_back(folder: ImageFolder, data_dir: Path) -> None:
    """Placing a file moves it once; again it does nothing; its bytes stay."""
    folder.put("Q42", SHA, "jpg", BYTES)

    there = [folder.place(path, quarantined=True) for path in (PATH, PATH, REJECTED)]
    in_quarantine = everything(data_dir)
    back = [folder.place(path, quarantined=False) for path in (PATH, REJECTED)]

    assert there == [REJECTED] * 3
    assert in_quarantine == {REJECTED}
    assert back == [PATH] * 2
    assert everything(data_dir) == {PATH}
    assert folder.file(PATH).read_bytes() == BYTES


@pytest.mark.parametrize(("quarantined", "left"), [(True, REJECTED), (False, PATH)])
def test_a_picture_in_both_places_stays_in_one(
    folder: ImageFolder, data_dir: Path, quarantined: bool, left: str
) -> None:
    """
    A picture that was downloaded again ends in the wanted place only.

    Its first copy lay in quarantine.
    """
    folder.put("Q42", SHA, "jpg", BYTES)
    folder.place(PATH, quarantined=True)
    folder.put("Q42", SHA, "jpg", BYTES)

    assert folder.place(PATH, quarantined=quarantined) == left
    assert everything(data_dir) == {left}


@pytest.mark.parametrize("quarantined", [True, False])
def test_a_picture_in_neither_place_is_told(
    folder: ImageFolder, data_dir: Path, quarantined: bool
) -> None:
    """Placing a file that is gone raises, and makes no folder for it."""
    with pytest.raises(FileNotFoundError):
        folder.place(PATH, quarantined=quarantined)

    assert not data_dir.exists()


@pytest.mark.parametrize(
    "path",
    [
        "",
        "images",
        f"/images/Q42/{SHA}.jpg",
        f"images/Q42/../../{SHA}.jpg",
        f"images/../images/Q42/{SHA}.jpg",
        f"images/Q042/{SHA}.jpg",
        f"images/Q42/{SHA[:-1]}.jpg",
        f"images/Q42/{SHA.upper()}.jpg",
        f"images/Q42/{SHA}",
        f"images/Q42/{SHA}.jpg/x",
        f"images/Q42/{SHA}.jp/g",
        f"images/Q42/{SHA}.jpg\n",
        f"images\\Q42\\{SHA}.jpg",
        f"images/Q42/{SHA}.jpg\x00",
        f"other/Q42/{SHA}.jpg",
        f"tmp/Q42/{SHA}.jpg",
        f"images/../../etc/passwd/{SHA}.jpg",
        f"images/Q４２/{SHA}.jpg",
        "images/Q42/" + "é" * 64 + ".jpg",
    ],
)
def test_no_other_text_becomes_a_path(folder: ImageFolder, path: str) -> None:
    """
    Only a kind, a QID, a digest and an ending make a path.

    Everything else is refused before the disk is touched.
    """
    with pytest.raises(ValueError, match="no path of a picture"):
        folder.file(path)
    with pytest.raises(ValueError, match="no path of a picture"):
        folder.place(path, quarantined=True)


@pytest.mark.parametrize(
    ("qid", "sha", "extension"),
    [
        ("../..", SHA, "jpg"),
        ("Q1", "../x", "jpg"),
        ("Q1", SHA, "../jpg"),
        ("Q1", SHA, ""),
        ("", SHA, "jpg"),
    ],
)
def test_no_other_text_becomes_a_file(
    folder: ImageFolder, data_dir: Path, qid: str, sha: str, extension: str
) -> None:
    """A person, digest or ending that is not one writes nothing."""
    with pytest.raises(ValueError, match="no path of a picture"):
        folder.put(qid, sha, extension, BYTES)

    assert not data_dir.exists()


def link_file(data_dir: Path, outside: Path) -> None:
    (outside / "secret").write_bytes(BYTES)
    (data_dir / "images/Q42").mkdir(parents=True)
    (data_dir / PATH).symlink_to(outside / "secret")


def link_person(data_dir: Path, outside: Path) -> None:
    (data_dir / "images").mkdir(parents=True)
    (data_dir / "images/Q42").symlink_to(outside)


def link_kind(data_dir: Path, outside: Path) -> None:
    data_dir.mkdir()
    (data_dir / "images").symlink_to(outside)


@pytest.mark.parametrize("link", [link_file, link_person, link_kind])
def test_links_lead_nowhere(
    folder: ImageFolder, data_dir: Path, tmp_path: Path, link: Callable[[Path, Path], None]
) -> None:
    """
    A symbolic link inside the folder is never followed.

    That holds for reading, writing and moving.
    """
    outside = tmp_path / "outside"
    outside.mkdir()
    link(data_dir, outside)
    before = sorted(outside.rglob("*"))

    with pytest.raises(ValueError, match="symbolic link"):
        folder.file(PATH)
    with pytest.raises(ValueError, match="symbolic link"):
        folder.put("Q42", SHA, "jpg", BYTES)
    with pytest.raises(ValueError, match="symbolic link"):
        folder.place(PATH, quarantined=True)

    assert sorted(outside.rglob("*")) == before
    assert list(folder.files()) == []


def test_all_pictures_are_listed_and_nothing_else(folder: ImageFolder, data_dir: Path) -> None:
    """Pictures of both places are listed; strangers and temporary files are passed over."""
    folder.put("Q42", SHA, "jpg", BYTES)
    folder.put("Q7", SHA, "png", BYTES)
    folder.place(PATH, quarantined=True)
    for stranger in (
        f"images/Q7/{SHA}.jpg.bak",
        "images/readme.txt",
        "images/NoQid/x.jpg",
        f"images/Q7/{SHA}.gif/inner",
        f"tmp/{SHA}.part",
    ):
        (data_dir / stranger).parent.mkdir(parents=True, exist_ok=True)
        (data_dir / stranger).write_bytes(b"")

    assert sorted(folder.files()) == [f"images/Q7/{SHA}.png", REJECTED]


def test_an_empty_data_folder_lists_nothing(folder: ImageFolder) -> None:
    """Before the first picture there is nothing to list or to sweep."""
    assert list(folder.files()) == []
    assert folder.sweep() == 0


def test_sweeping_removes_what_the_dead_left(folder: ImageFolder, data_dir: Path) -> None:
    """
    Temporary files of dead processes of this machine go, and old ones of others.

    Those of the living and strangers' files stay.
    """
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from celebcollect.disk.owners import this_owner; print(this_owner())",
        ],
        stdout=subprocess.PIPE,
    ) as gone:
        dead = gone.communicate()[0].decode().strip()
    names = {
        "dead": f"{dead.replace('|', '-')}-abc.part",
        "alive": f"{owners.this_owner().replace('|', '-')}-abc.part",
        "elsewhere": "other-host.1-77-88-abc.part",
        "elsewhere, old": "other-host.1-77-88-def.part",
        "unknown, old": "x.part",
        "stranger, old": "notes.txt",
    }
    (data_dir / "tmp").mkdir(parents=True)
    for case, name in names.items():
        (data_dir / "tmp" / name).write_bytes(b"half")
        if "old" in case:
            an_hour_ago = time.time() - 3700
            os.utime(data_dir / "tmp" / name, (an_hour_ago, an_hour_ago))

    swept = folder.sweep()

    left = {case for case, name in names.items() if (data_dir / "tmp" / name).exists()}
    assert left == {"alive", "elsewhere", "stranger, old"}
    assert swept == 3


def test_a_file_is_found_in_its_other_place(tmp_path: Path) -> None:
    """A crash may have left it there; `holds` tells of the very path only."""
    folder = ImageFolder(tmp_path)
    path = folder.put("Q7", SHA, "png", b"picture")
    rejected = folder.place(path, quarantined=True)

    assert (folder.holds(path), folder.holds(rejected)) == (False, True)
    assert (folder.find(path), folder.find(rejected)) == (rejected, rejected)
    folder.remove(path)
    assert folder.find(path) is None


def test_bytes_and_time_of_a_file_that_is_gone(tmp_path: Path) -> None:
    """Whoever reads is told that it is missing, and not that the disk refuses."""
    folder = ImageFolder(tmp_path)
    path = folder.put("Q7", SHA, "png", b"picture")
    written = (tmp_path / path).stat().st_ctime
    os.utime(tmp_path / path, (4e9, 4e9))
    with folder.local(path) as file:
        there = (folder.read(path), folder.modified_at(path), file.read_bytes())
    os.utime(tmp_path / path, (1000, 1000))  # written long ago, and got its name just now
    named = folder.modified_at(path)
    folder.remove(path)

    assert there == (b"picture", 4e9, b"picture")
    assert named >= written
    with pytest.raises(FileNotFoundError):
        folder.read(path)
    with pytest.raises(FileNotFoundError):
        folder.modified_at(path)
    with folder.local(path) as file:
        assert not file.exists()


def test_the_image_folder_is_a_store_of_images(tmp_path: Path) -> None:
    """It has what `ImageStore` asks for, and says which folders are its own."""
    store: ImageStore = ImageFolder(tmp_path)

    assert store.local_folders() == (tmp_path / "images", tmp_path / "quarantine")
