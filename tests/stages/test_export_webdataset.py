"""Export as tar files: what libraries find in them, and what a set that grows does to shards."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from celebcollect.domain.records import Status
from celebcollect.stages.export import webdataset as webdataset_layout
from stages.exporting import Shelf, contents, keys, library, tree, varied

SMALL = 60_000


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "data")


def shards(where: Path, side: str = "*") -> list[Path]:
    return sorted(where.glob(f"{side}-*.tar"))


def members(where: Path) -> dict[str, bytes]:
    found = {}
    for shard in shards(where):
        with tarfile.open(shard) as tar:
            for member in tar:
                file = tar.extractfile(member)
                assert file
                assert member.name not in found
                found[member.name] = file.read()
    return found


def test_webdataset_finds_every_picture_with_its_metadata(shelf: Shelf, tmp_path: Path) -> None:
    """Every sample has a picture and its JSON under one key, whatever the format of the picture."""
    added = {image.sha256: image for image in varied(shelf)}
    shelf.export(tmp_path / "out", "webdataset", max_shard_bytes=SMALL)
    webdataset = library("webdataset")
    urls = [str(shard) for shard in shards(tmp_path / "out")]

    found = list(webdataset.WebDataset(urls, shardshuffle=False).decode("pil"))

    assert {sample["__key__"] for sample in found} == {
        f"{image.qid}_{image.sha256}" for image in added.values()
    }
    assert len(found) == len(added)
    for sample in found:
        image = added[sample["json"]["sha256"]]
        assert sample["jpg"].size == (120, 100)
        assert (sample["json"]["name"], sample["json"]["url"], sample["json"]["author"]) == (
            image.name,
            image.url,
            image.author or "",
        )


@pytest.mark.parametrize("how", ["builder", "folder"])
def test_datasets_finds_every_picture_too(shelf: Shelf, tmp_path: Path, how: str) -> None:
    """Hugging Face's library reads the same tar files, side by side."""
    added = varied(shelf)
    summary, _ = shelf.export(tmp_path / "out", "webdataset", max_shard_bytes=SMALL)
    datasets = library("datasets")
    datasets.disable_progress_bars()
    asked: dict[str, Any] = (
        {"path": "webdataset", "data_dir": str(tmp_path / "out")}
        if how == "builder"
        else {"path": str(tmp_path / "out")}
    )

    loaded = datasets.load_dataset(**asked, cache_dir=str(tmp_path / "cache"))

    assert {side: len(found) for side, found in loaded.items()} == summary.splits
    assert {row["json"]["sha256"] for side in loaded.values() for row in side} == {
        image.sha256 for image in added
    }
    assert loaded["train"][0]["jpg"].size == (120, 100)


def test_shards_are_bounded_and_numbered_without_gaps(shelf: Shelf, tmp_path: Path) -> None:
    """No shard is larger than asked for, unless one picture is; names can be written as a range."""
    varied(shelf)
    shelf.export(tmp_path / "out", "webdataset", max_shard_bytes=SMALL)

    train = shards(tmp_path / "out", "train")
    assert [shard.name for shard in train] == [
        f"train-{number:05}-of-{len(train):05}.tar" for number in range(len(train))
    ]
    assert 5 < len(train) < 20
    # the end of a tar file is filled up
    assert all(shard.stat().st_size <= SMALL + 10_240 for shard in train)


def test_a_picture_larger_than_a_shard_gets_one_of_its_own(shelf: Shelf, tmp_path: Path) -> None:
    """Nothing is lost to the limit."""
    added = varied(shelf, people=2)
    shelf.export(tmp_path / "out", "webdataset", max_shard_bytes=1)

    assert len(shards(tmp_path / "out")) == len(added) == len(members(tmp_path / "out")) / 2


def test_the_bytes_depend_on_the_set_alone(shelf: Shelf, tmp_path: Path) -> None:
    """Exported elsewhere, grown in another order: the same bytes in the same files."""
    added = varied(shelf, people=4)
    shelf.export(tmp_path / "grown", "webdataset", max_shard_bytes=SMALL)
    for image in added[5:20]:
        shelf.judge(image, Status.REJECTED)
    shelf.export(tmp_path / "grown", "webdataset", max_shard_bytes=SMALL)
    other = Shelf(tmp_path / "other")
    for image in reversed([*added[:5], *added[20:]]):
        other.person(int(image.qid[1:]), image.name)
        other.waiting.append(image)
    other.images = shelf.images
    other.export(tmp_path / "fresh", "webdataset", max_shard_bytes=SMALL)

    assert contents(tmp_path / "grown") == contents(tmp_path / "fresh")


def test_members_say_nothing_of_time_and_owner(shelf: Shelf, tmp_path: Path) -> None:
    """Time 0, owner 0, no names, readable by all."""
    varied(shelf, people=1)
    shelf.export(tmp_path / "out", "webdataset")

    for shard in shards(tmp_path / "out"):
        with tarfile.open(shard) as tar:
            for member in tar:
                assert (
                    member.mtime,
                    member.uid,
                    member.gid,
                    member.uname,
                    member.gname,
                    member.mode,
                ) == (0, 0, 0, "", "", 0o644)
                assert member.isfile()


def test_a_second_export_writes_nothing(shelf: Shelf, tmp_path: Path) -> None:
    """No byte, inode or time changes when nothing has."""
    varied(shelf)
    shelf.export(tmp_path / "out", "webdataset", max_shard_bytes=SMALL)
    before = tree(tmp_path / "out")

    shelf.export(tmp_path / "out", "webdataset", max_shard_bytes=SMALL)

    assert tree(tmp_path / "out") == before


@pytest.mark.slow
def test_one_picture_more_rewrites_one_shard_only(shelf: Shelf, tmp_path: Path) -> None:
    """When it makes a shard split, the others get a new number and keep their inode."""
    varied(shelf)
    shelf.export(tmp_path / "out", "webdataset", max_shard_bytes=SMALL)
    renumbered = 0
    for seed in range(2000, 2012):
        before = {
            inode: data
            for name, (data, inode, _) in tree(tmp_path / "out").items()
            if name.endswith(".tar")
        }
        count = len(before)
        shelf.add(1, seed)

        _, tally = shelf.export(tmp_path / "out", "webdataset", max_shard_bytes=SMALL)

        after = {
            inode: data
            for name, (data, inode, _) in tree(tmp_path / "out").items()
            if name.endswith(".tar")
        }
        assert tally["written"] <= 2
        assert len(before.keys() & after.keys()) >= count - 1
        assert all(before[inode] == after[inode] for inode in before.keys() & after.keys())
        renumbered += len(after) > count
    assert renumbered, "one of them at least must have split a shard"
    shelf.export(tmp_path / "fresh", "webdataset", max_shard_bytes=SMALL)
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


def test_without_hard_links_shards_are_written_again(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a disk that knows no links (FAT, some networks) the result is the same."""
    varied(shelf)
    shelf.export(tmp_path / "out", "webdataset", max_shard_bytes=SMALL)

    def refuse(self: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    for seed in range(2000, 2012):
        shelf.add(1, seed)
    shelf.export(tmp_path / "out", "webdataset", max_shard_bytes=SMALL)

    shelf.export(tmp_path / "fresh", "webdataset", max_shard_bytes=SMALL)
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


def test_a_damaged_or_missing_shard_is_written_again(shelf: Shelf, tmp_path: Path) -> None:
    """Size and time tell that somebody was there."""
    varied(shelf)
    shelf.export(tmp_path / "out", "webdataset", max_shard_bytes=SMALL)
    right = contents(tmp_path / "out")
    first, second, *_ = shards(tmp_path / "out")
    first.write_bytes(b"x")
    second.unlink()

    _, tally = shelf.export(tmp_path / "out", "webdataset", max_shard_bytes=SMALL)

    assert contents(tmp_path / "out") == right
    assert tally["written"] == 2


def test_lost_originals_leave_the_shard_and_not_its_neighbours(
    shelf: Shelf, tmp_path: Path
) -> None:
    """A shard of which nothing is left is not made."""
    added = varied(shelf, people=2)
    for image in added[1:]:
        shelf.images.file(image.path or "").unlink()

    summary, tally = shelf.export(tmp_path / "out", "webdataset", max_shard_bytes=1)

    assert (summary.images, tally.reasons) == (1, {"file_missing": 15})
    assert {name.partition(".")[0] for name in members(tmp_path / "out")} == {
        f"{added[0].qid}_{added[0].sha256}"
    }


def test_a_death_in_the_middle_of_a_shard_leaves_no_half_shard(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name of a shard stands for the old bytes or the new ones; the next export finishes it."""
    varied(shelf, people=2)
    shelf.export(tmp_path / "out", "webdataset")
    before = {shard.name: shard.read_bytes() for shard in shards(tmp_path / "out")}
    for seed in range(2000, 2020):
        shelf.add(1, seed)
    written = 0

    class DeathError(BaseException):
        """A process that is gone."""

    def dying(tar: tarfile.TarFile, name: str, data: bytes) -> None:
        nonlocal written
        written += 1
        if written == 9:
            raise DeathError
        add(tar, name, data)

    add = webdataset_layout._add
    with monkeypatch.context() as patch:
        patch.setattr(webdataset_layout, "_add", dying)
        with pytest.raises(DeathError):
            shelf.export(tmp_path / "out", "webdataset")

    assert {shard.name: shard.read_bytes() for shard in shards(tmp_path / "out")} == before
    shelf.export(tmp_path / "out", "webdataset")
    shelf.export(tmp_path / "fresh", "webdataset")
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


def test_metadata_can_be_read_without_opening_a_shard(shelf: Shelf, tmp_path: Path) -> None:
    """One list tells where each picture is."""
    added = varied(shelf, people=3)
    shelf.export(tmp_path / "out", "webdataset", max_shard_bytes=SMALL)

    rows = [
        json.loads(line) for line in (tmp_path / "out" / "metadata.jsonl").read_text().splitlines()
    ]

    assert {f"{row['qid']}/{row['sha256']}" for row in rows} == keys(added)
    for row in rows:
        assert row["shard"].startswith(f"{row['split']}-")
        with tarfile.open(tmp_path / "out" / row["shard"]) as tar:
            file = tar.extractfile(f"{row['key']}.jpg")
            assert file
            assert Pillow.open(io.BytesIO(file.read())).format == row["format"].upper()
