"""One face under two people: in doubt for both, unless a trusted portrait proves whose it is.

Faces are points here; nothing is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from celebcollect.checks.face_facts import to_text
from celebcollect.checks.identity import embedding_version
from celebcollect.config.sections import CleanConfig
from celebcollect.domain.records import Celebrity, Image
from celebcollect.vision.dlib_engine import DlibSpec
from stages.cleaning import World, jpeg
from training import need_engine, point

pytestmark = pytest.mark.slow

FACE = [2.0, 10, 10, 130, 130]
"""Score and box, as the check of faces keeps them."""

DOUBT, FINE = ("accepted", "same_face_other_person"), ("accepted", None)


class FaceIndex(World):
    """A data folder with people who have three pictures of a face each."""

    def portray(
        self,
        qid: str,
        face: int,
        *,
        trusted: bool = False,
        shots: range = range(3),
        apart: float = 0.0,
    ) -> list[Image]:
        """
        Store pictures of a face, or of one so far from it, as a person's.

        The first may be the portrait that Wikidata names.
        """
        if trusted:
            portrait = f"http://commons.wikimedia.org/wiki/Special:FilePath/{qid}.jpg"
            self.catalogue.save_people([Celebrity(qid=qid, name=qid, portraits=(portrait,))])
        return [
            self._picture(qid, face, shot, apart, trusted=trusted and shot == shots[0])
            for shot in shots
        ]

    def _picture(self, qid: str, face: int, shot: int, apart: float, *, trusted: bool) -> Image:
        data = jpeg(1000 * int(qid[1:]) + 10 * face + shot)
        page = f"https://commons.wikimedia.org/wiki/File:{qid}.jpg" if trusted else None
        row = self.image(
            qid,
            data,
            f"https://a.example/{qid}/{face}/{shot}.jpg",
            source="commons" if trusted else "google",
            page_url=page,
        )
        vector = point(face, 100 * int(qid[1:]) + shot) + apart * np.eye(128, dtype=np.float32)[0]
        facts = {
            "faces": {
                "version": f"1 {DlibSpec().detector}",
                "size": [160, 160],
                "count": 1,
                "faces": [FACE],
            },
            "identity": {"version": embedding_version(DlibSpec()), "embedding": to_text(vector)},
        }
        row = row.model_copy(update={"facts": facts})
        self.folder.put(qid, row.sha256 or "", "jpg", data)
        self.catalogue.record_stored([row])
        if trusted:
            self.prove(row, f"{qid}.jpg")
        return row

    def people(self) -> dict[str, set[tuple[str, str | None]]]:
        """Return what became of each person's pictures."""
        found: dict[str, set[tuple[str, str | None]]] = {}
        for image in self.catalogue.images():
            found.setdefault(image.qid, set()).add((image.status.value, image.reason))
        return found


def crowd(folder: Path) -> FaceIndex:
    return FaceIndex(folder, clean=CleanConfig(faces="required", workers=1, min_sharpness=0))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[FaceIndex]:
    need_engine()
    world = crowd(tmp_path)
    yield world
    world.close()


def test_a_face_of_two_people_is_in_doubt_for_both(world: FaceIndex) -> None:
    """
    Whoever came first; others are left alone.

    Each rejection names the other's picture and the distance.
    """
    world.portray("Q1", 7)
    world.portray("Q3", 8)
    world.run()
    before = world.people()
    world.portray("Q2", 7)

    world.run()

    assert before == {"Q1": {FINE}, "Q3": {FINE}}
    assert world.people() == {"Q1": {DOUBT}, "Q2": {DOUBT}, "Q3": {FINE}}
    rows = [image for image in world.catalogue.images() if image.reason]
    assert {(image.qid, (image.duplicate_of or "").partition(":")[0]) for image in rows} == {
        ("Q1", "Q2"),
        ("Q2", "Q1"),
    }
    assert all(
        (image.detail or "").startswith("the face of Q") and "score 0." in (image.detail or "")
        for image in rows
    )
    assert {image.rejected_by for image in rows} == {None}
    assert world.catalogue.counts().in_doubt == 6
    world.check_whole()


def test_a_trusted_portrait_proves_whose_face_it_is(world: FaceIndex) -> None:
    """Its person keeps the pictures, whoever was there before; the other one does not."""
    world.portray("Q1", 7)
    world.run()
    world.portray("Q2", 7, trusted=True)

    world.run()

    assert world.people() == {"Q1": {DOUBT}, "Q2": {FINE}}
    world.check_whole()


def test_two_trusted_portraits_with_one_face_prove_nothing_against_each_other(
    world: FaceIndex,
) -> None:
    """Twins, or one human under two items: each has a portrait that is trusted."""
    world.portray("Q1", 7, trusted=True)
    world.portray("Q2", 7, trusted=True)

    world.run()

    assert world.people() == {"Q1": {FINE}, "Q2": {FINE}}


def test_the_doubt_ends_when_a_portrait_comes(world: FaceIndex) -> None:
    """It is one picture more that decides; the other person's stay out."""
    world.portray("Q1", 7)
    world.portray("Q2", 7)
    world.run()
    world.portray("Q2", 7, trusted=True, shots=range(5, 6))

    world.run()

    assert world.people() == {"Q1": {DOUBT}, "Q2": {FINE}}
    world.check_whole()


def test_the_doubt_ends_when_the_other_turns_out_to_be_somebody_else(world: FaceIndex) -> None:
    """
    A trusted portrait shows another face, so the pictures that were alike go.

    The doubt about the first person goes with them.
    """
    world.portray("Q1", 7)
    world.portray("Q2", 7)
    world.run()
    world.portray("Q2", 9, trusted=True)

    world.run()

    assert world.people() == {"Q1": {FINE}, "Q2": {FINE, ("rejected", "other_person")}}
    world.check_whole()


def test_the_doubt_ends_when_the_other_is_forgotten(world: FaceIndex) -> None:
    """Nothing that names the forgotten person stays."""
    world.portray("Q1", 7)
    world.portray("Q2", 7)
    world.run()
    world.catalogue.forget("Q2")

    world.run(qids=["Q1"])

    assert world.people() == {"Q1": {FINE}}
    assert world.catalogue.faces_of(["Q1"])["Q1"].held_against is None


def test_cleaning_again_changes_nothing_and_a_dry_run_writes_nothing(world: FaceIndex) -> None:
    """Not even when everybody is looked at once more."""
    world.portray("Q1", 7)
    world.portray("Q2", 7)
    foreseen = world.run(dry_run=True)
    faces = world.catalogue.faces_since(0)[0]
    world.run()
    end, seen = world.end_of_log(), world.catalogue.faces_since(0)
    world.catalogue.clean_again(["Q1", "Q2"])

    again = world.run()

    assert faces == []
    assert foreseen.counts["accepted"] == 6
    assert again.counts == {"unchanged": 6}
    assert (world.end_of_log(), world.catalogue.faces_since(0)) == (end, seen)


def test_what_a_person_has_restored_stays(world: FaceIndex) -> None:
    """A person's word is a portrait: it proves the others of the same face too."""
    first, *_ = world.portray("Q1", 7)
    world.portray("Q2", 7)
    world.run()
    restored = first.model_copy(update={"restored_from": "undecided"})
    world.catalogue.record_verdicts(
        [world.rows()[first.url].model_copy(update={"restored_from": restored.restored_from})]
    )
    world.catalogue.clean_again(["Q1"])

    world.run()

    assert world.verdicts()[first.url] == FINE
    assert world.people() == {"Q1": {FINE}, "Q2": {DOUBT}}
    world.check_whole()


@pytest.mark.parametrize(("apart", "outcome"), [(0.3, DOUBT), (0.5, FINE)])
def test_people_who_look_alike_are_told_apart(
    world: FaceIndex, apart: float, outcome: tuple[str, str | None]
) -> None:
    """One person's means are 0.40 apart at most, those of two people 0.47 at least."""
    world.portray("Q1", 7)
    world.portray("Q2", 7, apart=apart)

    world.run()

    assert world.people() == {"Q1": {outcome}, "Q2": {outcome}}


def test_no_order_of_arrival_changes_the_outcome() -> None:
    """
    Three people with one face, one of them with a portrait, and a bystander.

    They are cleaned together or one after the other.
    """
    need_engine()
    people = {"Q1": (7, False), "Q2": (7, False), "Q3": (7, True), "Q4": (8, False)}
    outcomes = []
    for together, order in [
        (True, tuple(people)),
        *((False, order) for order in permutations(people)),
    ]:
        with TemporaryDirectory() as folder:
            world = crowd(Path(folder))
            for qid in order:
                face, trusted = people[qid]
                world.portray(qid, face, trusted=trusted)
                if not together:
                    world.run()
            world.run()
            outcomes.append((world.people(), sorted(world.live())))
            faces = world.catalogue.faces_of(people)
            assert [faces[qid].held_against for qid in people] == ["Q2", "Q1", None, None]
            world.close()

    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert outcomes[0][0] == {"Q1": {DOUBT}, "Q2": {DOUBT}, "Q3": {FINE}, "Q4": {FINE}}
