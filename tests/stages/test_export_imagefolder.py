"""Export as a folder of pictures: what training tools find in it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from celebcollect.domain.records import Status
from stages.exporting import Shelf, contents, keys, library, tree, varied


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "data")


def rows(where: Path) -> list[dict[str, object]]:
    return [
        {"split": file.parent.name, **json.loads(line)}
        for file in where.glob("*/metadata.jsonl")
        for line in file.read_text().splitlines()
    ]


@pytest.mark.slow
def test_datasets_finds_every_picture_with_its_metadata(shelf: Shelf, tmp_path: Path) -> None:
    """One line of Hugging Face's library loads all sides, with what the catalogue knows."""
    added = {image.sha256: image for image in varied(shelf)}
    shelf.export(tmp_path / "out")
    datasets = library("datasets")
    datasets.disable_progress_bars()

    loaded = datasets.load_dataset(
        "imagefolder", data_dir=str(tmp_path / "out"), cache_dir=str(tmp_path / "cache")
    )

    assert set(loaded) == {"train", "validation", "test"}
    found = [row for side in loaded.values() for row in side]
    assert {row["sha256"] for row in found} == added.keys()
    assert len(found) == len(added)
    for row in found:
        image = added[row["sha256"]]
        assert row["image"].convert("RGB").size == (120, 100)
        assert (row["qid"], row["name"], row["source"], row["url"]) == (
            image.qid,
            image.name,
            image.source,
            image.url,
        )
        assert (row["licence"], row["author"], row["page_url"]) == (
            image.licence or "",
            image.author or "",
            image.page_url,
        )


def test_the_folder_itself_is_a_data_set(shelf: Shelf, tmp_path: Path) -> None:
    """The data card says where the sides are, so the folder loads by its name, as from the Hub."""
    varied(shelf, people=4)
    shelf.export(tmp_path / "out")
    datasets = library("datasets")

    loaded = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))

    assert sum(len(side) for side in loaded.values()) == 32
    assert "qid" in loaded["train"].features


def test_a_side_without_pictures_and_facts_that_nobody_knows_are_no_trouble(
    shelf: Shelf, tmp_path: Path
) -> None:
    """A column without a value in one side still has one type; an empty side is not there."""
    for seed in range(12):
        # all on one side
        shelf.add(1, seed, page_url="https://pages.example/7", licence=None, author=None)
    shelf.add(2, 50, page_url="https://pages.example/5", licence="CC0", author="Somebody")
    summary, _ = shelf.export(tmp_path / "out")
    datasets = library("datasets")

    loaded = datasets.load_dataset(
        "imagefolder", data_dir=str(tmp_path / "out"), cache_dir=str(tmp_path / "cache")
    )

    assert {side: len(found) for side, found in loaded.items()} == {
        side: n for side, n in summary.splits.items() if n
    }
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if path.is_dir()) == sorted(
        loaded
    )


def test_a_walk_as_torchvision_does_it_finds_every_picture_in_its_class(
    shelf: Shelf, tmp_path: Path
) -> None:
    """Below a side there are folders of people and nothing else that looks like a class."""
    added = varied(shelf)
    shelf.export(tmp_path / "out")
    # torchvision.datasets.folder.IMG_EXTENSIONS
    extensions = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")

    found = set()
    for side in ("train", "validation", "test"):
        for folder in filter(Path.is_dir, (tmp_path / "out" / side).iterdir()):
            for file in folder.rglob("*"):
                assert file.suffix in extensions
                assert hashlib.sha256(file.read_bytes()).hexdigest() == file.stem
                found.add(f"{folder.name}/{file.stem}")

    assert found == keys(added)
    names = json.loads((tmp_path / "out" / "classes.json").read_text())
    assert names == {image.qid: image.name for image in added}


def test_names_never_reach_a_path(shelf: Shelf, tmp_path: Path) -> None:
    """Folders are called by QID, files by digest, whatever the people are called."""
    varied(shelf)
    shelf.export(tmp_path / "out")

    for path in contents(tmp_path / "out"):
        parts = path.split("/")
        assert (
            len(parts) == 1
            or parts[1] == "metadata.jsonl"
            or (parts[1][1:].isdigit() and len(parts) == 3)
        ), path
    assert {path.name for path in tmp_path.iterdir()} == {"data", "out"}


def test_a_second_export_writes_nothing(shelf: Shelf, tmp_path: Path) -> None:
    """No byte, inode or time changes when nothing has."""
    varied(shelf)
    shelf.export(tmp_path / "out")
    before = tree(tmp_path / "out")

    _, tally = shelf.export(tmp_path / "out")

    assert tree(tmp_path / "out") == before
    assert (tally["written"], tally["unchanged"], tally["removed"]) == (0, 72, 0)


def test_a_second_export_writes_what_is_new_and_removes_what_is_no_longer_accepted(
    shelf: Shelf, tmp_path: Path
) -> None:
    """Everything else keeps its inode; the result is that of a fresh export."""
    added = varied(shelf, people=3)
    shelf.export(tmp_path / "out")
    before = tree(tmp_path / "out")
    for image in added[:8]:  # all of Q1
        shelf.judge(image, Status.REJECTED)
    shelf.judge(added[9], Status.REJECTED)
    new = [shelf.add(2, 900), shelf.add(5, 901)]

    _, tally = shelf.export(tmp_path / "out")

    assert tally.counts == {"written": 2, "unchanged": 15, "removed": 9}
    shelf.export(tmp_path / "fresh")
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")
    after = tree(tmp_path / "out")
    kept = {name for name in before.keys() & after.keys() if name.endswith(("jpg", "png", "webp"))}
    assert len(kept) == 15
    assert all(before[name] == after[name] for name in kept)
    assert {f"{row['qid']}/{row['sha256']}" for row in rows(tmp_path / "out")} == keys(
        [*added[8:9], *added[10:], *new]
    )
    assert not list((tmp_path / "out").glob("*/Q1"))


def test_a_damaged_copy_is_written_again(shelf: Shelf, tmp_path: Path) -> None:
    """Changed bytes are noticed by size or time, also in a folder copied without its times."""
    varied(shelf, people=2)
    shelf.export(tmp_path / "out")
    right = contents(tmp_path / "out")
    files = sorted((tmp_path / "out").glob("*/Q*/*"))
    files[0].write_bytes(b"x" * files[0].stat().st_size)
    files[1].write_bytes(b"short")
    files[2].unlink()
    files[3].touch()

    _, tally = shelf.export(tmp_path / "out")

    assert contents(tmp_path / "out") == right
    assert (tally["written"], tally["unchanged"]) == (3, 13)


def test_a_lost_or_changed_original_is_left_out_and_counted(shelf: Shelf, tmp_path: Path) -> None:
    """Only bytes that are proved by their digest are given away."""
    added = varied(shelf, people=2)
    shelf.images.file(added[0].path or "").unlink()
    shelf.images.file(added[1].path or "").write_bytes(b"x" * (added[1].bytes or 0))

    summary, tally = shelf.export(tmp_path / "out")

    assert tally.reasons == {"file_missing": 1, "file_changed": 1}
    assert summary.images == len(rows(tmp_path / "out")) == 14


def test_files_of_the_user_in_the_folder_stay(shelf: Shelf, tmp_path: Path) -> None:
    """What is not named like ours is nobody's business but the user's."""
    varied(shelf, people=2)
    shelf.export(tmp_path / "out")
    mine = [
        tmp_path / "out" / name
        for name in (
            ".gitattributes",
            "train/notes.txt",
            "train/Q1/notes.txt",
            "train/Q1/picture.jpg",
            "mine/a.jpg",
        )
    ]
    for file in mine:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("mine")

    shelf.export(tmp_path / "out", only=())

    assert all(file.read_text() == "mine" for file in mine)
    assert len(list((tmp_path / "out").rglob("*.jpg"))) == 2
