"""Who is shown: trusted portraits, and real photographs of the right and the wrong people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from celebcollect.checks.face_facts import from_text
from celebcollect.config.sections import CleanConfig
from celebcollect.domain.records import Celebrity
from celebcollect.vision import dlib_package
from stages.cleaning import World, jpeg
from support import missing


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def portrait_of(world: World, qid: str, data: bytes, title: str = "A_Person (2020).jpg") -> str:
    """Store a picture that the Commons source found by the title of the person's portrait."""
    page = "https://commons.wikimedia.org/wiki/File:" + title.replace(" ", "_")
    url = f"https://upload.example/{qid}/{title}"
    world.put(qid, data, url, source="commons", page_url=page)
    return url


def person(qid: str, portrait: str) -> Celebrity:
    return Celebrity(
        qid=qid,
        name=f"Person {qid}",
        portraits=(f"http://commons.wikimedia.org/wiki/Special:FilePath/{portrait}",),
    )


def test_a_trusted_portrait_is_kept_and_its_copies_elsewhere_are_not(world: World) -> None:
    """
    The picture that Wikidata names for one person stays hers, with its near copies.

    Others who have it lose it.
    """
    world.catalogue.save_people([person("Q1", "a%20Person%20%282020%29.jpg")])
    world.put("Q2", jpeg(1, side=240), "https://a.example/stolen.jpg")
    world.run()
    portrait = portrait_of(world, "Q1", jpeg(1, side=300))
    copy = world.put("Q1", jpeg(1, side=240), "https://b.example/same.jpg")

    world.run()

    assert world.verdicts() == {
        portrait: ("accepted", None),
        copy.url: ("rejected", "near_duplicate"),
        "https://a.example/stolen.jpg": ("rejected", "same_picture_other_person"),
    }
    assert world.run().counts == {}
    world.check_whole()


def test_a_portrait_of_two_people_is_in_doubt_for_both(world: World) -> None:
    """Where Wikidata names one picture for two people, nobody keeps it."""
    world.catalogue.save_people([person(qid, "Both.jpg") for qid in ("Q1", "Q2")])
    for qid in ("Q1", "Q2"):
        portrait_of(world, qid, jpeg(1), "Both.jpg")

    world.run()

    assert set(world.verdicts().values()) == {("rejected", "same_picture_other_person")}


def test_a_title_that_wikidata_does_not_name_is_not_trusted(world: World) -> None:
    """Another picture from Commons is a picture like any other."""
    world.catalogue.save_people([person("Q1", "Someone.jpg")])
    portrait_of(world, "Q1", jpeg(1), "Somebody else.jpg")
    world.put("Q2", jpeg(1), "https://a.example/1.jpg")

    world.run()

    assert set(world.verdicts().values()) == {("rejected", "same_picture_other_person")}


@pytest.fixture
def photographs(shared_data: Path) -> Path:
    reason = dlib_package.why_not()
    if reason:
        missing(f"a face engine ({reason})")
    return shared_data / "faces"


@pytest.mark.slow
def test_the_wrong_people_and_pictures_without_a_face_go(world: World, photographs: Path) -> None:
    """
    With a trusted portrait, only her own pictures are left, published with box and embedding.

    Nothing is measured twice.
    """
    world.clean = CleanConfig(faces="required", workers=2, min_sharpness=0)
    world.catalogue.save_people([person("Q1", "Her.jpg")])
    own = sorted((photographs / "people/df_img11").iterdir())
    wrong = sorted((photographs / "people/df_img46").iterdir())
    portrait = portrait_of(world, "Q1", own[0].read_bytes(), "Her.jpg")
    expected: dict[str, tuple[str, str | None]] = {portrait: ("accepted", None)}
    for kind, files, verdict in (
        ("own", own[1:5], ("accepted", None)),
        ("wrong", wrong[:6], ("rejected", "other_person")),
        ("empty", sorted((photographs / "no-face").iterdir())[:2], ("rejected", "no_face")),
    ):
        for file in files:
            url = f"https://a.example/{kind}/{file.name}"
            world.put("Q1", file.read_bytes(), url)
            expected[url] = verdict

    world.run()

    assert world.verdicts() == expected
    rows = world.rows()
    rejected = [row for row in rows.values() if row.reason == "other_person"]
    assert {row.duplicate_of for row in rejected} == {rows[portrait].id}
    assert all(
        "distance 0." in (row.detail or "") or "distance 1." in (row.detail or "")
        for row in rejected
    )
    for record in world.live().values():
        left, top, right, bottom = record["face_box"]
        assert 80 <= right - left <= record["width_px"]
        assert 0 <= top < bottom <= record["height_px"]
        assert from_text(record["embedding"]).shape == (128,)
        assert record["identity"] == "reference"
    world.check_whole()


def test_a_changed_threshold_measures_nothing_again(
    world: World, photographs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Faces and embeddings are kept.

    Another rule is applied to them without a worker, and only the difference is published.
    """
    world.clean = CleanConfig(faces="required", workers=1, min_cluster=2)
    files = sorted((photographs / "people/df_img11").iterdir())[:3]
    for file in files:
        world.put("Q1", file.read_bytes(), f"https://a.example/{file.name}")
    world.run()
    assert len(world.live()) == 3
    monkeypatch.setattr(Path, "read_bytes", lambda file: pytest.fail(f"{file} was read again"))
    monkeypatch.setattr(
        "celebcollect.vision.workers.Workers._started",
        lambda self: pytest.fail("a worker was asked"),
    )

    strict = world.run(min_cluster=4)
    again = world.run()

    assert (strict.counts, strict.reasons) == ({"withdrawn": 3}, {"undecided": 3})
    assert again.counts == {"restored": 3}
    assert len(world.live()) == 3
    world.check_whole()
