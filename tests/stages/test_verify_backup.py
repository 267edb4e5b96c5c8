"""`docs/deploy.md` on restoring a backup: catalogue and files of different days, and a new log."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from celebcollect.domain.records import Image
from celebcollect.stages.verify import recheck
from stages.verifying import TOPIC, Collection, content, key_of


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recheck, "YOUNG_S", 0.0)


def save(data: Path, where: Path) -> None:
    """Back up as the page says: `sqlite3 .backup`, and both folders."""
    where.mkdir()
    with (
        closing(sqlite3.connect(data / "catalogue.sqlite3")) as catalogue,
        closing(sqlite3.connect(where / "catalogue.sqlite3")) as copy,
    ):
        catalogue.backup(copy)
    for folder in ("images", "quarantine"):
        shutil.copytree(data / folder, where / folder)


def two_days(root: Path) -> tuple[list[Image], list[Image]]:
    """Collect on two days, with a backup of each; return the pictures of the first and of both."""
    with closing(Collection(root / "data")) as collection:
        first = collection.fill(6, 4)
        collection.reject(first[:3])
        save(collection.root, root / "monday")
        both = collection.fill(8, 6)  # what is there already stays
        collection.reject(first[3:5])
        (collection.root / "images" / "Q6").joinpath(Path(first[-1].path or "").name).unlink()
        save(collection.root, root / "tuesday")
    return first, both


@pytest.mark.parametrize(
    ("catalogue", "files"), [("monday", "tuesday"), ("tuesday", "monday"), ("monday", "monday")]
)
def test_catalogue_files_and_topic_agree_after_it(
    tmp_path: Path, catalogue: str, files: str
) -> None:
    """Of whatever days they are: what is there is kept, what is not is fetched again."""
    two_days(tmp_path)
    restored = tmp_path / "restored"
    restored.mkdir()
    shutil.copy(tmp_path / catalogue / "catalogue.sqlite3", restored)
    for folder in ("images", "quarantine"):
        shutil.copytree(tmp_path / files / folder, restored / folder)
    before = {path.name for path in restored.rglob("*.jpg")}

    with closing(Collection(restored)) as collection:
        collection.verify(fix=True)

        assert collection.verify().findings == []
        rows = list(collection.catalogue.images())
        accepted = [row for row in rows if row.status == "accepted"]
        live = {m.key for m in collection.bus.read(TOPIC) if m.value is not None}
        assert live == {key_of(row) for row in accepted}
        assert all(collection.file(row).read_bytes() == content(row) for row in accepted)
        # nothing is deleted, and nothing is lost without being due
        assert {path.name for path in restored.rglob("*.jpg*")} >= before
        lost = [row for row in rows if row.status == "failed"]
        assert all(row.retry_at is not None for row in lost)
        assert bool(lost) == (catalogue != files or files == "tuesday")
