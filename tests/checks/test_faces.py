"""Faces: exactly one of a useful size, found by a real detector on real photographs."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from celebcollect.checks.base import Picture
from celebcollect.checks.face_facts import as_json, faces_of, from_text, published, to_text
from celebcollect.vision.base import Face
from checks.check_pictures import picture_of, reasons
from checks.face_photos import Photo, face_check, need_engine

pytestmark = pytest.mark.slow

JPEG = "JPEG"


def test_the_main_face_is_found(captured: tuple[Photo, ...]) -> None:
    """In at least 99 % of the photographs of one person the face is found."""
    single = [photo for photo in captured if photo.name.startswith("people/")]

    found = [photo for photo in single if faces_of(photo.picture.image)]

    assert len(single) > 100
    assert len(found) >= 0.99 * len(single)


def test_pictures_with_one_face_are_told_from_others(captured: tuple[Photo, ...]) -> None:
    """The rule of exactly one face is right on 97 % of the photographs of people and groups."""
    pictured = [photo for photo in captured if photo.faces]

    found = reasons(face_check(), [photo.picture for photo in pictured])

    right = [
        photo
        for photo, reason in zip(pictured, found, strict=True)
        if (reason is None) == (photo.faces == 1)
    ]
    assert len(right) >= 0.97 * len(pictured)


def test_no_face_is_seen_where_there_is_none(captured: tuple[Photo, ...]) -> None:
    """A false face appears in at most 1 % of the pictures of things and animals."""
    empty = [photo for photo in captured if not photo.faces]

    found = reasons(face_check(), [photo.picture for photo in empty])

    assert len(empty) > 100
    assert len([reason for reason in found if reason != "no_face"]) <= 0.01 * len(empty)


def with_faces(*widths: float) -> Picture:
    """Describe a picture in which faces of these widths were found."""
    out = io.BytesIO()
    Pillow.new("RGB", (1000, 800)).save(out, JPEG)
    faces = [
        as_json(Face((10, 10, 10 + width, 10 + width), ((12, 12), (20, 20)), 1.0))
        for width in widths
    ]
    facts = {
        "faces": {
            "version": face_check()._version,
            "size": [1000, 800],
            "count": len(faces),
            "faces": faces,
        }
    }
    picture = picture_of(out.getvalue(), file=Path("unread"))
    return replace(picture, image=picture.image.model_copy(update={"facts": facts}))


@pytest.mark.parametrize(
    ("widths", "settings", "expected"),
    [
        ((), {}, "no_face"),
        ((120,), {}, None),
        ((59,), {}, "face_too_small"),
        ((60,), {}, None),
        ((79,), {"min_face_px": 80}, "face_too_small"),
        ((59,), {"min_face_px": 40}, None),
        ((200, 120), {}, "several_faces"),
        ((200, 99), {}, None),
        ((200, 120), {"face_rule": "largest"}, None),
        ((200, 50), {}, None),
        ((59, 50), {"face_rule": "largest"}, "face_too_small"),
    ],
)
def test_the_number_of_large_faces_decides(
    widths: tuple[float, ...], settings: dict[str, Any], expected: str | None
) -> None:
    """Faces below the limit do not count; several above it only where the largest may win."""
    assert reasons(face_check(**settings), [with_faces(*widths)]) == [expected]


def test_what_is_published_of_a_face_lies_in_the_picture() -> None:
    """
    Box, crop with a margin of a quarter, landmarks and embedding come with the record.

    The crop ends at the picture's border.
    """
    picture = with_faces(400)
    embedding = np.arange(4, dtype=np.float32)
    image = picture.image.model_copy(
        update={
            "facts": (
                picture.image.facts
                | {"identity": {"version": "x", "embedding": to_text(embedding)}}
            )
        }
    )

    found = published(image)

    assert found["face_box"] == (10, 10, 410, 410)
    assert found["face_crop"] == (0, 0, 510, 510)
    assert found["face_landmarks"] == ((12, 12), (20, 20))
    assert (from_text(found["embedding"]) == embedding).all()
    assert published(with_faces().image) == {}


def a_face(shared_data: Path) -> bytes:
    return (shared_data / "faces/people/df_img11/01.jpg").read_bytes()


def test_boxes_are_in_pixels_of_the_upright_picture(shared_data: Path, tmp_path: Path) -> None:
    """A picture that EXIF turns has its face where people see it, in pixels of the full size."""
    need_engine()
    pixels = Pillow.open(io.BytesIO(a_face(shared_data))).convert("RGB")
    large = pixels.resize((2000, round(2000 * pixels.height / pixels.width)))
    exif = Pillow.Exif()
    exif[0x0112] = 6
    upright, lying = io.BytesIO(), io.BytesIO()
    large.save(upright, JPEG)
    large.transpose(Pillow.Transpose.ROTATE_90).save(lying, JPEG, exif=exif.tobytes())
    pictures = [picture_of(out.getvalue(), tmp_path) for out in (upright, lying)]

    facts = dict(face_check().measure(pictures))

    first, second = (
        picture.image.model_copy(update={"facts": {"faces": facts[picture.image.id]}})
        for picture in pictures
    )
    assert facts[first.id]["size"] == facts[second.id]["size"] == [large.width, large.height]
    assert np.allclose(faces_of(first)[0].box, faces_of(second)[0].box, atol=40)
    assert faces_of(first)[0].width > 300


def test_a_small_face_in_a_large_picture_is_found_at_second_sight(
    shared_data: Path, tmp_path: Path
) -> None:
    """A whole figure whose face is an eighth of the picture's height at full size is not lost."""
    need_engine()
    canvas = Pillow.new("RGB", (2400, 3200), (90, 120, 90))
    face = Pillow.open(io.BytesIO(a_face(shared_data))).convert("RGB")
    face.thumbnail((600, 600))
    canvas.paste(face, (900, 300))
    out = io.BytesIO()
    canvas.save(out, JPEG)

    facts = dict(face_check().measure([picture_of(out.getvalue(), tmp_path)]))

    assert [found["count"] for found in facts.values()] == [1]
