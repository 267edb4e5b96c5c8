"""Copies that hashes miss are found by the face, and different shots stay apart."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageOps

from celebcollect.checks.base import Picture, Rejection
from celebcollect.checks.face_copies import originals
from celebcollect.checks.face_facts import from_text
from celebcollect.vision import fingerprint
from celebcollect.vision.dlib_engine import DlibSpec
from celebcollect.vision.numbers import DLIB
from celebcollect.vision.registration import SIDE, registered
from celebcollect.vision.workers import Workers
from checks.check_pictures import measured, picture_of
from checks.face_photos import Photo, face_check, identity_check, people
from stages.cleaning import texture


def cropped(photograph: Pillow.Image, part: float) -> Pillow.Image:
    width, height = photograph.size
    left, top = round(part / 2 * width), round(part / 2 * height)
    return photograph.crop((left, top, width - left, height - top))


def barred(photograph: Pillow.Image) -> Pillow.Image:
    copy = photograph.copy()
    copy.paste((255, 255, 255), (0, round(copy.height * 0.9), copy.width, copy.height))
    return copy


ALTERED: dict[str, Callable[[Pillow.Image], Pillow.Image]] = {
    "cropped by a tenth": lambda photograph: cropped(photograph, 0.1),
    "cropped by a fifth": lambda photograph: cropped(photograph, 0.2),
    "mirrored": ImageOps.mirror,
    "bar": barred,
}


def test_small_pictures_are_moved_onto_one_another() -> None:
    """A turn of 5 degrees and a shift of a pixel, which alone leave nothing in common."""
    drawn = texture(3, 120, 120).convert("L")
    moved = drawn.rotate(5, Pillow.Resampling.BICUBIC, translate=(5, -4))
    one, other = (
        np.asarray(picture.resize((SIDE, SIDE), Pillow.Resampling.LANCZOS))[None]
        for picture in (drawn, moved)
    )

    correlation, moves = registered(one, other)

    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] < 0.9
    assert correlation[0] > 0.97
    assert abs(np.degrees(moves[0, 1])) == pytest.approx(5, abs=1)
    assert registered(one, other[:, :, ::-1])[0][0] < 0.9


def test_fingerprints_of_another_version_are_not_read() -> None:
    """Nor what is none; what is kept of a face is small."""
    print_ = np.arange(1008).astype(np.uint8)
    text = fingerprint.to_text(print_)

    read = fingerprint.from_text(text)

    assert read is not None
    assert (read == print_).all()
    assert len(text) < 1500
    for other in ("", "0:" + text[2:], text[:-4], text + "!", "1:"):
        assert fingerprint.from_text(other) is None


@pytest.mark.slow
def test_different_photographs_of_one_person_are_no_copies(captured: tuple[Photo, ...]) -> None:
    """Of none of the people whose photographs are there."""
    albums = people(captured, at_least=2)

    found = [
        list(originals(album, _points(album), DLIB.copies, bystander=0.5))
        for album in albums.values()
        if all("fingerprint" in picture.facts("identity") for picture in album)
    ]

    assert len(found) == len(albums) > 20
    assert [said for copies in found for said in copies] == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", ALTERED)
def test_altered_copies_are_found_and_the_larger_one_stays(
    captured: tuple[Photo, ...], tmp_path: Path, kind: str
) -> None:
    """Of eight photographs; what a copy knows is handed on, for it names the original."""
    chosen = [album[-1] for album in people(captured, at_least=5).values()][:8]
    copies = [_altered(picture, kind, tmp_path) for picture in chosen]

    found = []
    for original, copy in zip(chosen, _measured(copies), strict=True):
        said = identity_check().reject([copy, replace(original, reference=0)])
        found += [
            (one.duplicate_of, one.is_copy, one.reason.value)
            for one in said
            if isinstance(one, Rejection) and one.id == copy.image.id
        ]

    assert len(found) >= 7
    originals_named = {original.image.id for original in chosen}
    assert all(of in originals_named and is_copy for of, is_copy, _ in found)
    assert {reason for _, _, reason in found} == {"near_duplicate"}


@pytest.mark.slow
def test_a_face_that_was_embedded_before_is_compared_with_nothing(
    captured: tuple[Photo, ...], tmp_path: Path
) -> None:
    """It has no fingerprint, and is not measured anew for one."""
    first = next(album[-1] for album in people(captured, at_least=5).values())
    copy = _measured([_altered(first, "mirrored", tmp_path)])[0]
    old = _without_fingerprint(first)

    said = list(identity_check().reject([replace(first, reference=0), copy]))
    said_of_old = list(identity_check().reject([replace(old, reference=0), copy]))

    assert dict(identity_check().measure([copy, old])) == {}
    assert [one.id for one in said if isinstance(one, Rejection)] == [copy.image.id]
    assert [one for one in said_of_old if isinstance(one, Rejection)] == []


def _points(album: list[Picture]) -> np.ndarray:
    return np.stack([from_text(str(one.facts("identity")["embedding"])) for one in album])


def _altered(picture: Picture, kind: str, folder: Path) -> Picture:
    """Return a smaller altered copy as `store` would have it."""
    photograph = Pillow.open(picture.file).convert("RGB")
    altered = ALTERED[kind](photograph)
    smaller = altered.resize((round(altered.width * 0.95), round(altered.height * 0.95)))
    out = io.BytesIO()
    smaller.save(out, "JPEG", quality=85)
    return picture_of(out.getvalue(), folder)


def _measured(pictures: list[Picture]) -> list[Picture]:
    workers = Workers(DlibSpec(), 1)
    try:
        return measured(identity_check(workers), measured(face_check(workers), pictures))
    finally:
        workers.close()


def _without_fingerprint(picture: Picture) -> Picture:
    facts = {
        name: fact for name, fact in picture.facts("identity").items() if name != "fingerprint"
    }
    image = picture.image
    return replace(
        picture, image=image.model_copy(update={"facts": image.facts | {"identity": facts}})
    )
