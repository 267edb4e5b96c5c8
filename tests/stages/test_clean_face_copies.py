"""Copies by the face: what they hand on, how they are counted, and what a group is.

Faces are points and fingerprints here; nothing is looked at.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from celebcollect.checks import build_checks
from celebcollect.checks.face_facts import to_text
from celebcollect.checks.identity import embedding_version
from celebcollect.config.sections import CleanConfig
from celebcollect.domain.records import Celebrity, Image
from celebcollect.domain.tally import Tally
from celebcollect.stages.clean.dry_run import foresee
from celebcollect.vision import fingerprint
from celebcollect.vision.dlib_engine import DlibSpec
from celebcollect.vision.registration import SIDE
from stages.cleaning import World, jpeg, texture
from training import need_engine, point

BOX = (40.0, 40.0, 100.0, 100.0)
"""Of the largest face, in a picture 160 pixels wide."""
ALONE = (BOX,)
BESIDE = (BOX, (110.0, 50.0, 155.0, 95.0))
ELSEWHERE = (BOX, (2.0, 100.0, 47.0, 145.0))
FAR_BEHIND = (BOX, (110.0, 50.0, 130.0, 70.0))

Boxes = tuple[tuple[float, float, float, float], ...]


class FaceAlbum(World):
    """A data folder with one person, whose pictures show the same face in other files."""

    def face(
        self,
        name: str,
        boxes: Boxes = ALONE,
        *,
        photograph: int = 1,
        side: int = 160,
        mirrored: bool = False,
        **row: str,
    ) -> Image:
        """Store a picture, whose name is a number, of one face and of those beside it."""
        data = jpeg(int(name), side=side)
        image = self.image("Q1", data, f"https://a.example/{name}.jpg")
        scale = side / 160
        facts = {
            "faces": {
                "version": f"1 {DlibSpec().detector}",
                "size": [side, side],
                "count": len(boxes),
                "faces": [[2.0, *(scale * at for at in _turned(box, mirrored))] for box in boxes],
            },
            "identity": {
                "version": embedding_version(DlibSpec()),
                "embedding": to_text(point(7, photograph)),
                "fingerprint": _fingerprint(photograph, mirrored=mirrored),
            },
        }
        image = image.model_copy(update={"facts": facts, **row})
        self.folder.put("Q1", image.sha256 or "", "jpg", data)
        self.catalogue.record_stored([image])
        return image


def _turned(box: tuple[float, ...], mirrored: bool) -> tuple[float, ...]:
    left, top, right, bottom = box
    return (160 - right, top, 160 - left, bottom) if mirrored else (left, top, right, bottom)


def _fingerprint(photograph: int, *, mirrored: bool) -> str:
    side = fingerprint.AROUND
    face = np.asarray(texture(photograph, SIDE, SIDE).convert("L"))
    around = np.maximum(np.asarray(texture(photograph + 500, side, side)), 1)
    if mirrored:
        face, around = face[:, ::-1], around[:, ::-1]
    print_ = np.concatenate([face.ravel(), around.ravel()]).astype(np.uint8)
    return fingerprint.to_text(print_)


@pytest.fixture
def album(tmp_path: Path) -> Iterator[FaceAlbum]:
    need_engine()
    clean = CleanConfig(faces="required", workers=1, min_sharpness=0, face_rule="largest")
    album = FaceAlbum(tmp_path, clean=clean)
    portrait = "http://commons.wikimedia.org/wiki/Special:FilePath/Portrait.jpg"
    album.catalogue.save_people([Celebrity(qid="Q1", name="Q1", portraits=(portrait,))])
    yield album
    album.close()


def test_a_copy_by_the_face_hands_on_licence_author_and_the_role_of_a_portrait(
    album: FaceAlbum,
) -> None:
    """The larger one is mirrored and somebody's; the smaller one is the portrait of Commons."""
    small = album.face("1", source="commons", licence="CC BY 4.0", author="Ann")
    album.prove(small, "Portrait.jpg")
    large = album.face("2", side=300, mirrored=True)

    album.run()

    rows = album.rows()
    assert (rows[small.url].reason, rows[small.url].duplicate_of) == ("near_duplicate", large.id)
    assert "the same photograph by its face" in (rows[small.url].detail or "")
    assert "mirrored" in (rows[small.url].detail or "")
    kept = rows[large.url]
    assert (kept.status.value, kept.identity) == ("accepted", "reference")
    assert (kept.licence, kept.author, kept.credit_from) == ("CC BY 4.0", "Ann", small.url)
    assert [record["author"] for record in album.live().values()] == ["Ann"]
    album.check_whole()


def test_a_dry_run_counts_a_copy_by_the_face_as_a_copy(album: FaceAlbum) -> None:
    """An accepted picture of which a larger one has come is told as a copy, before it goes."""
    album.face("1")
    for photograph in (3, 4):
        album.face(str(photograph), photograph=photograph)
    album.run()
    album.face("2", side=300, mirrored=True)
    checks = build_checks(album.clean, album.store)

    told = foresee(album.catalogue, album.folder, checks, tally=Tally(), stop=threading.Event())

    assert told.total.copies == 1
    assert told.total.withdrawn == {"near_duplicate": 1}
    assert str(told.total).endswith("1 of these now a copy of another")


@pytest.mark.parametrize(
    ("first", "second", "mirrored", "are_copies"),
    [
        (ALONE, ALONE, False, True),
        (BESIDE, BESIDE, False, True),
        (BESIDE, BESIDE, True, True),
        (BESIDE, ALONE, False, False),
        (ALONE, BESIDE, False, False),
        (BESIDE, ELSEWHERE, False, False),
        (FAR_BEHIND, ALONE, False, True),
    ],
)
def test_a_group_is_a_copy_only_of_the_whole_group(
    album: FaceAlbum, first: Boxes, second: Boxes, mirrored: bool, are_copies: bool
) -> None:
    """Whoever stands beside the person must be in both; somebody far behind does not count."""
    one = album.face("1", first, source="commons")
    album.prove(one, "Portrait.jpg")
    other = album.face("2", second, side=300, mirrored=mirrored)

    album.run()

    assert album.verdicts()[one.url][1] == ("near_duplicate" if are_copies else None)
    assert album.verdicts()[other.url] == ("accepted", None)
