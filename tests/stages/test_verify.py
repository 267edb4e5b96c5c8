"""`verify` names exactly what does not agree, mends it, and finds nothing afterwards."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from celebcollect.domain.records import Status
from celebcollect.gallery.folder import MARK
from celebcollect.stages import folder_notes
from celebcollect.stages.export.index import INDEX
from stages.verifying import TOPIC, Collection, collection, content, hurt, key_of, no_waiting

__all__ = ["collection", "no_waiting"]

pytestmark = pytest.mark.slow


def test_a_whole_collection_is_whole(collection: Collection) -> None:
    """Accepted, rejected and waiting pictures, and copies that share a file, all agree."""
    rows = collection.fill(4, 5)
    collection.reject(rows[:3])
    copy = rows[5].model_copy(
        update={
            "id": f"{rows[5].qid}:{'0' * 32}",
            "url": "https://example.org/copy.jpg",
            "status": Status.REJECTED,
            "reason": "exact_duplicate",
            "rejected_by": "duplicate",
        }
    )
    waiting = copy.model_copy(update={"id": rows[5].qid + ":" + "1" * 32, "status": Status.STORED})
    collection.catalogue.record_stored([waiting, copy.model_copy(update={"status": Status.STORED})])
    collection.catalogue.record_verdicts([copy])

    verified = collection.verify()

    assert verified.findings == []
    assert verified.checked == {"pictures": 20, "messages": 17, "files": 20}


def test_it_names_exactly_what_is_wrong_and_mends_it(collection: Collection) -> None:
    """Thirty deleted, twenty damaged, ten strange files, five missing messages."""
    rows = collection.fill(20, 20)
    done = hurt(collection, rows, 10)
    before = {path: path.read_bytes() for path in collection.root.rglob("*.txt")}

    seen = collection.found()
    fixed = collection.verify(fix=True)

    assert seen == done
    assert {(one.kind.value, one.name) for one in fixed.findings} == done
    assert fixed.unmended == []
    assert collection.verify().findings == []
    for row in rows[:30]:
        assert collection.status(row) == ("failed", "file_missing")
    for row in rows[30:50]:
        assert collection.status(row) == ("failed", "corrupt_file")
        assert (collection.root / "lost" / (row.path or "")).exists()
    newest = {message.key: message.value for message in collection.bus.read(TOPIC)}
    live = {key for key, value in newest.items() if value is not None}
    assert live == {key_of(row) for row in rows[50:]}
    lost = {path.read_bytes() for path in (collection.root / "lost").rglob("*.txt")}
    assert lost == set(before.values())


def test_what_was_lost_is_due_at_once(collection: Collection) -> None:
    """The person is short, `store` fetches the picture again, `run-all` goes on with her."""
    rows = collection.fill(1, 3)
    collection.catalogue.record_round("Q1", rounds=3, finished=True)
    collection.file(rows[0]).unlink()

    collection.verify(fix=True)

    row = collection.catalogue.images_by_id([rows[0].id])[rows[0].id]
    assert (row.sha256, row.path, row.attempts) == (None, None, 0)
    assert row.retry_at is not None
    assert row.retry_at.timestamp() <= time.time()
    state = collection.catalogue.states(["Q1"])["Q1"]
    assert (state.finished, state.rounds) == (False, 3)
    assert collection.catalogue.need_search("commons", target=3) == ["Q1"]


def test_a_rejected_picture_that_is_gone_is_not_fetched_again(collection: Collection) -> None:
    """It was thrown out; its row says what `clean` would say, and the second look finds nothing."""
    rows = collection.fill(1, 3)
    collection.reject(rows[:2])
    (collection.root / "quarantine" / "Q1" / Path(rows[0].path or "").name).unlink()

    assert collection.found(fix=True) == {("file_missing", key_of(rows[0]))}
    assert collection.status(rows[0]) == ("rejected", "file_missing")
    assert collection.verify().findings == []


def test_a_file_that_comes_back_is_judged_again(collection: Collection) -> None:
    """Restored from a backup after it was given up."""
    rows = collection.fill(1, 2)
    collection.reject(rows[:1])
    file = collection.root / "quarantine" / "Q1" / Path(rows[0].path or "").name
    file.unlink()
    collection.verify(fix=True)
    file.write_bytes(content(rows[0]))

    assert collection.found(fix=True) == {("file_back", key_of(rows[0]))}
    assert collection.status(rows[0]) == ("stored", None)
    assert collection.verify().findings == []


def test_files_in_the_wrong_place_are_moved(collection: Collection) -> None:
    """A kept picture in quarantine is not exported; a rejected one among the images would be."""
    rows = collection.fill(1, 3)
    collection.reject(rows[:1])
    collection.folder.place(rows[0].path or "", quarantined=False)
    collection.folder.place(rows[1].path or "", quarantined=True)

    found = collection.found(fix=True)

    assert found == {("file_misplaced", key_of(row)) for row in rows[:2]}
    assert collection.verify().findings == []
    assert not collection.file(rows[0]).exists()
    assert collection.file(rows[1]).read_bytes() == content(rows[1])


def test_messages_too_many_are_withdrawn(collection: Collection) -> None:
    """About rejected and unknown pictures, and such as nobody understands."""
    rows = collection.fill(2, 2)
    value = next(iter(collection.bus.read(TOPIC))).value
    collection.reject(rows[:1])
    unknown = f"Q77/{'ab' * 32}"
    odd = [(key_of(rows[0]), value), (unknown, b"{}"), ("anything", b"\xff"), ("Qx/y", b"[]")]
    collection.bus.publish(TOPIC, odd)

    found = collection.found(fix=True)

    assert found == {("message_too_many", key) for key, _ in odd}
    assert collection.verify().findings == []


def test_nothing_strange_is_overwritten_or_followed(collection: Collection) -> None:
    """Links are moved themselves; of two of one name both stay."""
    collection.fill(1, 1)
    outside = collection.root.parent / "outside.txt"
    outside.write_text("mine")
    for text in ("one", "two"):
        (collection.root / "images" / "note.txt").write_text(text)
        (collection.root / "images" / "Q1" / "deep").mkdir(exist_ok=True)
        link = collection.root / "images" / "Q1" / "deep" / "link.jpg"
        link.symlink_to(outside)
        assert collection.found(fix=True) == {
            ("strange_file", "images/note.txt"),
            ("strange_file", "images/Q1/deep/link.jpg"),
        }

    lost = collection.root / "lost" / "images"
    assert {file.read_text() for file in lost.glob("note*")} == {"one", "two"}
    assert (lost / "Q1" / "deep" / "link.jpg").is_symlink()
    assert outside.read_text() == "mine"
    assert collection.verify().findings == []


def test_a_file_whose_row_comes_late_is_brought_back(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`store` gave it its name, was held up, and writes its row while `verify` moves it."""
    rows = collection.fill(2, 1)
    late = rows[1].model_copy(update={"id": f"Q1:{'0' * 32}", "qid": "Q1", "status": Status.STORED})
    late = late.model_copy(update={"path": f"images/Q1/{late.sha256}.jpg"})
    collection.file(late).write_bytes(content(rows[1]))
    set_aside = collection.folder.set_aside

    def slowly(path: str) -> str:
        there = set_aside(path)
        collection.catalogue.record_stored([late])
        return there

    monkeypatch.setattr(collection.folder, "set_aside", slowly)

    assert collection.found(fix=True) == set()
    assert collection.file(late).read_bytes() == content(rows[1])
    assert collection.verify().findings == []
    assert not [file for file in (collection.root / "lost").rglob("*") if file.is_file()]


def test_names_that_are_no_utf8_are_named_and_set_aside(collection: Collection) -> None:
    """Of files and of folders; what was found is written down before it is mended."""
    collection.fill(1, 1)
    names = ["images/Q1/caf\udce9.jpg", "images/\udcff\udcfe/a.jpg", "quarantine/\udc80"]
    for name in names:
        file = collection.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"whose?")

    found = collection.found(fix=True)

    assert found == {("strange_file", name) for name in names}
    for name in names:
        assert (collection.root / "lost" / name).read_bytes() == b"whose?"
    assert collection.verify().findings == []


def test_files_of_the_forgotten_are_removed_for_good(collection: Collection) -> None:
    """A backup brings them back; nowhere is a place for them."""
    rows = collection.fill(2, 1)
    (collection.root / "images" / "Q1" / "stray.txt").write_text("x")
    collection.verify(fix=True)
    collection.catalogue.forget("Q1")
    collection.bus.publish(TOPIC, [(key_of(rows[0]), None)])

    assert collection.found(fix=True) == {("strange_file", rows[0].path)}

    assert not list(collection.root.rglob("*Q1*"))


def test_folders_that_are_gone_are_told_of_once(collection: Collection) -> None:
    """`forget` still has to name them: their disk may only not be mounted."""
    collection.fill(1, 1)
    folder_notes.add_export(collection.catalogue, "/nowhere/export", "imagefolder")
    folder_notes.add_gallery(collection.catalogue, "/nowhere/page")

    found = collection.found(fix=True)

    assert found == {("export_gone", "/nowhere/export"), ("gallery_gone", "/nowhere/page")}
    assert collection.verify().findings == []
    assert list(folder_notes.exports(collection.catalogue)) == ["/nowhere/export"]
    assert folder_notes.galleries(collection.catalogue) == ["/nowhere/page"]


def test_a_folder_that_goes_again_is_told_of_again(collection: Collection) -> None:
    """A disk that is mounted, looked at, and not mounted the next time."""
    collection.fill(1, 1)
    page = collection.root.parent / "page"
    folder_notes.add_gallery(collection.catalogue, str(page))
    gone = {("gallery_gone", str(page))}
    assert collection.found(fix=True) == gone
    page.mkdir()
    (page / MARK).touch()

    assert collection.found(fix=True) == set()
    (page / MARK).unlink()
    assert collection.found(fix=True) == gone
    assert folder_notes.galleries(collection.catalogue) == [str(page)]


def test_folders_that_cannot_be_read_do_not_stop_it(collection: Collection) -> None:
    """Each is named with its reason and stays noted, and all else is looked at and mended."""
    rows = collection.fill(1, 2)
    collection.file(rows[0]).unlink()
    cut, looped = collection.root.parent / "cut", collection.root.parent / "looped"
    cut.mkdir()
    (cut / INDEX).write_bytes(b'{"schema": 1, "lay')
    looped.symlink_to(looped)
    folder_notes.add_export(collection.catalogue, str(cut), "imagefolder")
    folder_notes.add_export(collection.catalogue, str(looped), "imagefolder")
    folder_notes.add_gallery(collection.catalogue, "\udce9" * 300)

    fixed = collection.verify(fix=True)

    broken = {("export_broken", str(cut)), ("export_broken", str(looped))}
    broken |= {("gallery_broken", "\udce9" * 300)}
    assert {(one.kind.value, one.name) for one in fixed.unmended} == broken
    assert all(one.detail for one in fixed.unmended)
    assert {one.kind.value for one in fixed.findings if one.mended} == {"file_missing"}
    assert collection.found() == broken
    assert set(folder_notes.exports(collection.catalogue)) == {str(cut), str(looped)}
