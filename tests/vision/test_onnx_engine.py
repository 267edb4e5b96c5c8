"""ONNX models that the user names, tried with tiny models made here."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageDraw

from celebcollect.checks import build_checks
from celebcollect.config.sections import CleanConfig, StoreConfig
from celebcollect.vision.alignment import ALIGNED_PX, TEMPLATE, align
from celebcollect.vision.base import Face
from celebcollect.vision.onnx_engine import OnnxEngine, onnx_spec
from checks.check_pictures import measured, picture_of, reasons
from vision.onnx_files import FACE_AT, SIDE


def test_boxes_and_landmarks_are_read_as_yunet_means_them(models: tuple[str, str]) -> None:
    """
    Score, box and points come out of cell, stride and exponent.

    The weaker of two boxes in one place is left out.
    """
    engine = OnnxEngine(onnx_spec(*models, "0..255"))

    faces = engine.detect(np.zeros((SIDE, SIDE, 3), dtype=np.uint8))

    x, y = (FACE_AT[1] + 0.5) * 16, (FACE_AT[0] + 0.5) * 16
    assert len(faces) == 1
    assert np.allclose(faces[0].box, (x - 32, y - 32, x + 32, y + 32), atol=0.01)
    assert np.allclose(faces[0].landmarks[0], ((FACE_AT[1] - 1) * 16, (FACE_AT[0] - 1) * 16))
    assert faces[0].score == pytest.approx(0.98**0.5, abs=0.01)


def test_faces_are_told_in_pixels_of_the_picture_that_was_given(models: tuple[str, str]) -> None:
    """A model of fixed size gets the picture scaled down, and its boxes are scaled back."""
    engine = OnnxEngine(onnx_spec(*models, "0..255"))

    face = engine.detect(np.zeros((SIDE * 3, SIDE * 2, 3), dtype=np.uint8))[0]

    assert face.width == pytest.approx(64 * 3)


def test_an_aligned_face_has_its_landmarks_on_the_template() -> None:
    """Whatever the turn and the size of a face, eyes, nose and mouth come to the same places."""
    pixels = Pillow.new("RGB", (600, 600))
    turn = 1.7 * np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    points = TEMPLATE @ turn.T + (300, 150)
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255)]
    for (x, y), colour in zip(points, colours, strict=True):
        ImageDraw.Draw(pixels).ellipse((x - 6, y - 6, x + 6, y + 6), fill=colour)

    seen = align(np.asarray(pixels), Face((0, 0, 1, 1), tuple(map(tuple, points))))

    assert seen.shape == (ALIGNED_PX, ALIGNED_PX, 3)
    assert [tuple(seen[round(y), round(x)]) for x, y in TEMPLATE] == colours


def test_the_scale_of_the_pixels_is_the_configured_one(models: tuple[str, str]) -> None:
    """ArcFace's pixels lie around zero, SFace's do not; vectors have length 1."""
    grey = np.full((200, 200, 3), (255, 127, 0), dtype=np.uint8)
    face = Face((50, 50, 150, 150))

    engines = [OnnxEngine(onnx_spec(*models, scale)) for scale in ("0..255", "-1..1")]
    plain, centred = (engine.embed(engine.align(grey, face)) for engine in engines)

    assert np.linalg.norm(plain) == pytest.approx(1, abs=1e-5)
    assert plain.min() >= 0
    assert centred == pytest.approx([0.7071, 0, -0.7071], abs=0.01)


def test_pictures_are_cleaned_with_the_models_of_the_user(
    models: tuple[str, str], tmp_path: Path
) -> None:
    """
    Named in the configuration, the models take dlib's place, in worker processes.

    The colour of the face decides here.
    """
    settings = CleanConfig(
        faces="required",
        detector_model=models[0],
        embedder_model=models[1],
        min_face_px=50,
        identity_threshold=0.3,
        workers=2,
    )
    faces, identity = build_checks(settings, StoreConfig())[-2:]
    pictures = []
    for red in (250, 245, 240, 10):
        out = io.BytesIO()
        Pillow.new("RGB", (SIDE, SIDE), (red, 20, 255 - red)).save(out, "PNG")
        pictures.append(picture_of(out.getvalue(), tmp_path))

    seen = measured(faces, pictures)

    assert reasons(faces, seen) == [None] * 4
    assert reasons(identity, seen) == [None, None, None, "other_person"]
    assert "onnx-" in faces.fingerprint()


def test_what_lies_outside_the_picture_is_no_face(models: tuple[str, str]) -> None:
    """
    A box in the padding of a picture that is narrower than the model's canvas is left out.

    Nothing could be cut out.
    """
    engine = OnnxEngine(onnx_spec(*models, "0..255"))

    assert engine.detect(np.zeros((SIDE, 30, 3), dtype=np.uint8)) == []
