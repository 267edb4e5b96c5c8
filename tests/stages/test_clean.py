"""Cleaning people: verdicts, files, topic and catalogue agree, whatever came before."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from celebcollect.catalogue.state import Cleaning
from celebcollect.checks import build_checks, fingerprint
from celebcollect.checks.base import Picture, Rejection
from celebcollect.domain.errors import StorageError
from celebcollect.domain.records import Status
from celebcollect.domain.tally import Tally
from celebcollect.stages.clean import stage as clean_stage
from celebcollect.stages.clean.stage import clean_people, quarantine_orphans
from stages.cleaning import TOPIC, World, jpeg


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def test_good_pictures_are_accepted_and_published_with_what_is_known_of_them(world: World) -> None:
    """A good picture is accepted where it lies and published once, keyed by person and digest."""
    image = world.put("Q1", jpeg(1), "https://a.example/1.jpg", source="tmdb")

    tally = world.run()

    assert tally.counts == {"accepted": 1}
    assert world.verdicts() == {"https://a.example/1.jpg": ("accepted", None)}
    record = world.live()[f"Q1/{image.sha256}"]
    assert record["ml_use"] == "needs agreement"
    assert (record["path"], record["phash"], record["schema"]) == (image.path, image.phash, 1)
    assert world.rows()[image.url].cleaned_at is not None
    world.check_whole()


def test_rejected_pictures_move_to_quarantine_with_a_reason(world: World) -> None:
    """
    A rejected picture keeps its bytes, in quarantine.

    The row says why, and what it was measured on.
    """
    image = world.put("Q1", jpeg(1, side=80), "https://a.example/small.jpg")

    tally = world.run()

    row = world.rows()[image.url]
    assert (row.status, row.reason, row.detail) == (Status.REJECTED, "too_small", "80x80 px")
    assert row.path == f"quarantine/Q1/{image.sha256}.jpg"
    assert world.folder.file(row.path).read_bytes() == jpeg(1, side=80)
    assert tally.as_dict() == {"counts": {"rejected": 1}, "reasons": {"too_small": 1}}
    assert world.published() == []
    world.check_whole()


def test_cleaning_twice_publishes_nothing_and_reads_nothing_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A second cleaning changes no row, opens no file and publishes nothing.

    That holds even when something makes it look again.
    """
    for seed in range(3):
        world.put("Q1", jpeg(seed), f"https://a.example/{seed}.jpg")
    world.run()
    before, end = world.rows(), world.end_of_log()
    assert world.run().counts == {}
    world.catalogue.clean_again(["Q1"])
    monkeypatch.setattr(Path, "read_bytes", lambda file: pytest.fail(f"{file} was read again"))

    tally = world.run(near_duplicate_bits=5)

    assert tally.counts == {"unchanged": 3}
    assert (world.rows(), world.end_of_log()) == (before, end)


def test_a_changed_threshold_publishes_exactly_the_difference(world: World) -> None:
    """
    Raising a limit withdraws what it now excludes, and lowering it brings that back.

    No other message appears.
    """
    small = world.put("Q1", jpeg(1, side=150), "https://a.example/150.jpg")
    world.put("Q1", jpeg(2, side=300), "https://a.example/300.jpg")
    world.run()

    raised = world.run(min_side_px=200)
    first, second = world.published()
    end = world.end_of_log()
    lowered = world.run()

    assert raised.counts == {"withdrawn": 1, "unchanged": 1}
    assert second == (f"Q1/{small.sha256}", False)
    assert first[1]
    assert lowered.counts == {"restored": 1, "unchanged": 1}
    assert world.published()[-1] == (f"Q1/{small.sha256}", True)
    assert world.end_of_log() == end + 1
    assert world.rows()[small.url].reason is None
    world.check_whole()


def test_rows_that_wait_or_failed_stay_as_they_are(world: World) -> None:
    """Rows without a picture are none of clean's business."""
    stored = world.put("Q1", jpeg(1), "https://a.example/1.jpg")
    verified = stored.model_copy(
        update={
            "id": "Q1:v",
            "url": "https://a.example/v",
            "status": Status.VERIFIED,
            "sha256": None,
            "path": None,
        }
    )
    failed = verified.model_copy(
        update={
            "id": "Q1:f",
            "url": "https://a.example/f",
            "status": Status.FAILED,
            "reason": "http_404",
        }
    )
    world.catalogue.add_verified([verified])
    world.catalogue.record_stored([failed])

    world.run()

    assert world.rows()["https://a.example/v"] == verified
    assert world.rows()["https://a.example/f"] == failed


def test_a_file_that_is_gone_or_changed_is_rejected(world: World) -> None:
    """
    A missing file and one with other bytes are found, also after they were accepted.

    The repaired one comes back.
    """
    gone = world.put("Q1", jpeg(1), "https://a.example/gone.jpg")
    changed = world.put("Q1", jpeg(2), "https://a.example/changed.jpg")
    world.run()
    (world.root / (gone.path or "")).unlink()
    damaged = bytearray(jpeg(2))
    damaged[len(damaged) // 2] ^= 1
    (world.root / (changed.path or "")).write_bytes(damaged)
    world.catalogue.clean_again(["Q1"])

    world.run()

    assert world.verdicts() == {
        gone.url: ("rejected", "file_missing"),
        changed.url: ("rejected", "corrupt_file"),
    }
    assert world.live() == {}
    world.check_whole()
    (world.root / (world.rows()[changed.url].path or "")).write_bytes(jpeg(2))
    world.catalogue.clean_again(["Q1"])
    assert world.run().counts == {"restored": 1, "unchanged": 1}
    world.check_whole()


def test_a_path_that_leads_elsewhere_is_never_followed(world: World) -> None:
    """A row whose path is none of ours, or a link, is rejected and nothing outside is touched."""
    outside = world.root / "outside.jpg"
    outside.write_bytes(jpeg(1))
    bad = world.image(
        "Q1", jpeg(1), "https://a.example/bad.jpg", path="images/Q1/../../outside.jpg"
    )
    link = world.image("Q1", jpeg(2), "https://a.example/link.jpg")
    (world.root / "images/Q1").mkdir(parents=True)
    (world.root / (link.path or "")).symlink_to(outside)
    world.catalogue.record_stored([bad, link])

    world.run()

    assert set(world.verdicts().values()) == {("rejected", "file_missing")}
    assert outside.read_bytes() == jpeg(1)


def test_the_work_ends_between_pictures_when_told_to_stop(world: World) -> None:
    """A cleaner that is told to stop gives its claims back, and the next one does everything."""
    for qid in ("Q1", "Q2"):
        world.put(qid, jpeg(int(qid[1:])), f"https://a.example/{qid}.jpg")
    stop = threading.Event()

    class Stopping:
        name = "stopping"

        def fingerprint(self) -> str:
            return ""

        def reject(self, pictures: Sequence[Picture]) -> Iterator[Rejection]:
            stop.set()
            return iter(())

    checks = [*build_checks(world.clean, world.store), Stopping()]

    clean_people(
        world.catalogue,
        world.folder,
        world.bus,
        checks,
        topic=TOPIC,
        tally=Tally(),
        stop=stop,
        follow=True,
    )

    assert sorted(status for status, _ in world.verdicts().values()) == ["accepted", "stored"]
    assert world.catalogue.claim("clean", ["Q1", "Q2"], owner="elsewhere|1|1", lease_s=60) == [
        "Q1",
        "Q2",
    ]


def test_following_cleans_what_arrives_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With follow, a cleaner takes up pictures that are stored while it runs."""
    monkeypatch.setattr("celebcollect.stages.clean.stage.LOOK_S", 0.02)
    stop, tally = threading.Event(), Tally()
    arguments = (world.catalogue, world.folder, world.bus, build_checks(world.clean, world.store))
    thread = threading.Thread(
        target=clean_people,
        args=arguments,
        kwargs={"topic": TOPIC, "tally": tally, "stop": stop, "follow": True},
    )
    thread.start()
    world.put("Q1", jpeg(1), "https://a.example/1.jpg")
    deadline = time.monotonic() + 10
    while not tally["accepted"] and time.monotonic() < deadline:
        stop.wait(0.01)
    stop.set()
    thread.join(10)

    assert not thread.is_alive()
    assert tally.counts == {"accepted": 1}


def test_people_whom_another_cleaner_holds_are_left_to_it(world: World) -> None:
    """A live claim is respected; the others are cleaned."""
    for qid in ("Q1", "Q2"):
        world.put(qid, jpeg(int(qid[1:])), f"https://a.example/{qid}.jpg")
    world.catalogue.claim("clean", ["Q1"], owner="elsewhere|1|1", lease_s=60)

    world.run()

    assert world.verdicts() == {
        "https://a.example/Q1.jpg": ("stored", None),
        "https://a.example/Q2.jpg": ("accepted", None),
    }


def test_cleaners_with_different_settings_come_to_an_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cleaner does not repeat a person only because another cleaner worked differently."""
    world.put("Q1", jpeg(1), "https://a.example/1.jpg")
    record_cleaned = world.catalogue.record_cleaned

    def and_the_other_one(cleaning: Cleaning, _: str) -> None:
        record_cleaned(cleaning, "of another configuration")

    monkeypatch.setattr(world.catalogue, "record_cleaned", and_the_other_one)

    assert world.run().counts == {"accepted": 1}


def test_a_failing_disk_is_an_error_and_the_claims_are_given_back(world: World) -> None:
    """
    Where the quarantine cannot be made, nothing is decided and the claim is free.

    Once it can, cleaning goes on.
    """
    image = world.put("Q1", jpeg(1, side=50), "https://a.example/1.jpg")
    (world.root / "quarantine").write_text("a file where a folder must be")

    with pytest.raises(StorageError):
        world.run()
    assert world.verdicts() == {image.url: ("stored", None)}
    assert world.catalogue.claim("clean", ["Q1"], owner="elsewhere|1|1", lease_s=60) == ["Q1"]
    world.catalogue.release("clean", ["Q1"], owner="elsewhere|1|1")
    (world.root / "quarantine").unlink()
    world.run()
    world.check_whole()


def test_files_without_a_row_go_to_quarantine_when_they_are_old(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    An old orphan is moved and counted.

    A young one may still get its row, and known files stay.
    """
    known = world.put("Q1", jpeg(1), "https://a.example/1.jpg")
    world.run()
    old, young = "1" * 64, "2" * 64
    for sha256 in (old, young):
        world.folder.put("Q1", sha256, "jpg", jpeg(7))
    # When a file got its name cannot be set back, so the young one is of the future.
    os.utime(world.root / f"images/Q1/{young}.jpg", (time.time() + 3600,) * 2)
    monkeypatch.setattr(clean_stage, "ORPHAN_AGE_S", -60.0)
    tally = Tally()

    quarantine_orphans(world.catalogue, world.folder, tally)

    assert tally.counts == {"orphans": 1}
    assert sorted(world.folder.files()) == sorted(
        [known.path or "", f"images/Q1/{young}.jpg", f"quarantine/Q1/{old}.jpg"]
    )


def test_an_orphan_that_gets_its_row_after_all_comes_back(world: World) -> None:
    """
    A picture whose file is in quarantine before its row appears is accepted.

    It lies among the images again.
    """
    image = world.put("Q1", jpeg(1), "https://a.example/1.jpg")
    world.folder.place(image.path or "", quarantined=True)

    world.run()

    assert world.verdicts() == {image.url: ("accepted", None)}
    world.check_whole()


def test_the_fingerprint_tells_every_setting(world: World) -> None:
    """
    A changed setting of any check changes the fingerprint.

    Building the checks twice does not.
    """
    clean, store = world.clean, world.store
    same = {fingerprint(build_checks(clean, store)) for _ in range(2)}

    others = {
        fingerprint(build_checks(clean.model_copy(update={"near_duplicate_bits": 5}), store)),
        fingerprint(build_checks(clean, store.model_copy(update={"min_side_px": 5}))),
        fingerprint(build_checks(clean, store.model_copy(update={"max_pixels": 5}))),
    }

    assert len(same) == 1
    assert len(same | others) == 4
