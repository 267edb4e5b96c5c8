"""Looking before cleaning, and bringing pictures back from quarantine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from celebcollect.domain.errors import Busy, UsageError
from celebcollect.stages.clean.restore import restore
from stages.cleaning import World, jpeg


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def test_a_dry_run_counts_and_changes_nothing(world: World) -> None:
    """
    What would happen is counted.

    Rows, files, topic and claims stay as they are, and the work is still there.
    """
    world.put("Q1", jpeg(1), "https://a.example/1.jpg")
    world.put("Q1", jpeg(2, side=60), "https://a.example/tiny.jpg")
    before, files = world.rows(), sorted(world.folder.files())

    tally = world.run(dry_run=True)

    assert tally.as_dict() == {
        "counts": {"accepted": 1, "rejected": 1},
        "reasons": {"too_small": 1},
    }
    assert (world.rows(), sorted(world.folder.files()), world.published()) == (before, files, [])
    assert world.catalogue.claim("clean", ["Q1"], owner="elsewhere|1|1", lease_s=1) == ["Q1"]
    world.catalogue.release("clean", ["Q1"], owner="elsewhere|1|1")
    assert world.run().as_dict() == tally.as_dict()


def test_a_restored_picture_comes_back_with_its_history(world: World) -> None:
    """
    The picture is accepted, moved and published against the check that rejected it.

    It stays so when it is cleaned again.
    """
    image = world.put("Q1", jpeg(1, side=60), "https://a.example/tiny.jpg")
    world.run()

    people = restore(world.catalogue, world.folder, [f"Q1/{image.sha256}"])
    tally = world.run(qids=sorted(people))

    row = world.rows()[image.url]
    assert tally.counts == {"restored": 1}
    assert (row.reason, row.restored_from, row.path) == (None, "too_small: 60x60 px", image.path)
    assert set(world.live()) == {f"Q1/{image.sha256}"}
    assert world.run(min_side_px=500).counts == {"unchanged": 1}
    world.check_whole()


def test_a_restored_near_copy_does_not_push_out_the_better_one(world: World) -> None:
    """Both stay, when somebody wants both."""
    large = world.put("Q1", jpeg(1, side=300), "https://a.example/large.jpg")
    small = world.put("Q1", jpeg(1, side=150), "https://a.example/small.jpg")
    world.run()

    world.run(qids=sorted(restore(world.catalogue, world.folder, [small.id])))

    assert world.verdicts() == {large.url: ("accepted", None), small.url: ("accepted", None)}
    world.check_whole()


def test_what_cannot_be_restored_is_refused(world: World) -> None:
    """
    What cannot be restored is refused with a word on what to do.

    That is unknown and accepted pictures, exact copies and lost files.
    """
    kept = world.put("Q1", jpeg(1), "https://a.example/1.jpg", source="commons")
    copy = world.put("Q1", jpeg(1), "https://b.example/1.jpg")
    gone = world.put("Q1", jpeg(2), "https://a.example/2.jpg")
    (world.root / (gone.path or "")).unlink()
    world.run()
    before = world.rows()

    for name in (
        "Q1/" + "0" * 64,
        "Q2/" + (kept.sha256 or ""),
        "nonsense",
        f"Q1/{kept.sha256}",
        copy.id,
        gone.id,
    ):
        with pytest.raises(UsageError):
            restore(world.catalogue, world.folder, [name])

    assert world.rows() == before


def test_a_file_that_was_put_back_is_looked_at_again(world: World) -> None:
    """
    Restoring it is no word against the other checks.

    It is accepted or rejected as if it had never been away.
    """
    images = [
        world.put("Q1", jpeg(1), "https://a.example/1.jpg"),
        world.put("Q1", jpeg(2, side=60), "https://a.example/tiny.jpg"),
    ]
    files = [world.root / (image.path or "") for image in images]
    contents = [file.read_bytes() for file in files]
    for file in files:
        file.unlink()
    world.run()
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content)

    world.run(qids=sorted(restore(world.catalogue, world.folder, [image.id for image in images])))

    assert world.verdicts() == {
        images[0].url: ("accepted", None),
        images[1].url: ("rejected", "too_small"),
    }
    assert {row.restored_from for row in world.rows().values()} == {None}
    world.check_whole()


def test_a_person_who_is_being_cleaned_is_not_touched(world: World) -> None:
    """Somebody else's claim is respected."""
    image = world.put("Q1", jpeg(1, side=60), "https://a.example/tiny.jpg")
    world.run()
    world.catalogue.claim("clean", ["Q1"], owner="elsewhere|1|1", lease_s=60)

    with pytest.raises(Busy):
        restore(world.catalogue, world.folder, [image.id])

    assert world.rows()[image.url].restored_from is None


SCRIPT = b"<script>alert(document.cookie)</script>" * 4


def test_a_picture_with_a_script_comes_back_by_force_only(world: World) -> None:
    """Nothing at all is restored without it, and it is said what was found."""
    blurred = world.put("Q1", jpeg(1, side=60), "https://a.example/tiny.jpg")
    image = world.put("Q1", jpeg(2) + SCRIPT, "https://a.example/script.jpg")
    world.run()
    names = [f"Q1/{blurred.sha256}", f"Q1/{image.sha256}"]

    with pytest.raises(UsageError) as refused:
        restore(world.catalogue, world.folder, names)
    assert "embedded_script" in refused.value.message
    assert "--force" in refused.value.hint
    world.run()
    assert world.live() == {}

    world.run(qids=sorted(restore(world.catalogue, world.folder, names, force=True)))

    assert set(world.live()) == set(names)


def test_a_restored_picture_is_still_searched_for_scripts(world: World) -> None:
    """Somebody said that it is not too small, and nothing about what it carries."""
    image = world.put("Q1", jpeg(1, side=60) + SCRIPT, "https://a.example/tiny.jpg")
    row = world.rows()[image.url]
    world.catalogue.record_verdicts(
        [row.model_copy(update={"restored_from": "too_small: 60x60 px"})]
    )

    world.run()

    assert world.verdicts()[image.url] == ("rejected", "embedded_script")
