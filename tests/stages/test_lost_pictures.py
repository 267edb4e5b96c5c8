"""Lost files that `export` and `train` come by: left out, and given up in the catalogue."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from celebcollect.checks.base import Picture
from celebcollect.checks.readable import Readable
from celebcollect.domain.clean_record import CleanRecord
from celebcollect.domain.errors import StorageError
from celebcollect.domain.records import Status
from celebcollect.stages.clean.placement import clean_record
from celebcollect.stages.presence import lost_among
from celebcollect.stages.verify.lost import correct
from stages.verifying import TOPIC, Collection, key_of


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    with closing(Collection(tmp_path / "data")) as collection:
        yield collection


def test_what_is_lost_is_given_up_and_withdrawn_by_the_next_clean(collection: Collection) -> None:
    """The note of `clean` says whose outcome is to be published anew; others stay as they are."""
    rows = collection.fill(2, 3)
    collection.file(rows[0]).unlink()
    collection.file(rows[1]).write_bytes(b"other")

    given_up = correct(
        collection.catalogue, collection.folder, [key_of(rows[n]) for n in (0, 1, 2, 4)]
    )

    assert given_up == 2
    assert [collection.status(row)[0] for row in rows] == ["failed"] * 2 + ["accepted"] * 4
    shas = sorted(row.sha256 or "" for row in rows[:2])
    assert collection.catalogue.note("clean/Q1") == {"unsure": shas}
    assert collection.catalogue.note("clean/Q2") is None
    assert [one.qid for one in collection.catalogue.need_cleaning("x", qids=["Q1"])] == ["Q1"]


def test_files_that_are_gone_or_cut_off_are_seen_without_reading(collection: Collection) -> None:
    """By size; in quarantine is not lost."""
    rows = collection.fill(1, 4)
    collection.file(rows[0]).unlink()
    collection.file(rows[1]).write_bytes(b"short")
    collection.folder.place(rows[2].path or "", quarantined=True)
    records = [clean_record(row) for row in rows]

    assert lost_among(collection.folder, records) == {key_of(row) for row in rows[:2]}


def test_a_disk_that_is_not_mounted_loses_nothing(collection: Collection) -> None:
    """Neither for a training elsewhere, nor for `verify`, which says what makes it believe it."""
    rows = collection.fill(2, 3)
    collection.reject(rows[4:])
    rows = rows[:4]
    shutil.rmtree(collection.root / "images")
    records: list[CleanRecord] = [clean_record(row) for row in rows]

    assert lost_among(collection.folder, records) == set()
    assert correct(collection.catalogue, collection.folder, [key_of(rows[0])]) == 0
    with pytest.raises(StorageError, match="not one file") as refused:
        collection.verify(fix=True)
    assert "mounted" in refused.value.hint
    assert all(collection.status(row)[0] == "accepted" for row in rows)

    (collection.root / "images" / "all-are-lost").mkdir(parents=True)

    assert len(collection.verify(fix=True).findings) == 4


@pytest.mark.parametrize("reason", ["file_missing", "corrupt_file"])
def test_what_clean_gave_up_for_its_file_is_fetched_again(
    collection: Collection, reason: str
) -> None:
    """The row's digest says that it was whole once; the check of files is that of `clean`."""
    rows = collection.fill(1, 3)
    file = collection.file(rows[0])
    if reason == "file_missing":
        file.unlink()
    else:
        file.write_bytes(b"other")
    check = Readable()
    measured = [found for _, found in check.measure([Picture(rows[0], file)])]
    facts = {"readable": measured[0]} if measured else {}
    (said,) = check.reject([Picture(rows[0].model_copy(update={"facts": facts}), file)])
    collection.catalogue.record_verdicts(
        [
            rows[0].model_copy(
                update={
                    "status": Status.REJECTED,
                    "reason": said.reason.value,
                    "rejected_by": check.name,
                    "facts": facts,
                }
            )
        ]
    )
    collection.bus.publish(TOPIC, [(key_of(rows[0]), None)])

    kind = "file_missing" if reason == "file_missing" else "file_damaged"
    assert collection.found() == {(kind, key_of(rows[0]))}
    assert collection.found(fix=True) == {(kind, key_of(rows[0]))}
    row = collection.catalogue.images_by_id([rows[0].id])[rows[0].id]
    assert (row.status, row.reason, row.sha256, row.attempts) == (Status.FAILED, reason, None, 0)
    assert row.retry_at is not None
    assert collection.verify().findings == []
