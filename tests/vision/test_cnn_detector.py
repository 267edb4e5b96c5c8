"""The convolutional detector: where dlib finds a face, and nowhere where there is none."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from PIL import Image as Pillow

from celebcollect.vision.cnn_detector import find_faces
from celebcollect.vision.dlib_onnx.detector import detector_to_onnx
from celebcollect.vision.dlib_onnx.weights import read_network


@pytest.fixture(scope="module")
def session() -> onnxruntime.InferenceSession:
    spec = find_spec("face_recognition_models")
    assert spec is not None
    assert spec.origin is not None
    file = Path(spec.origin).parent / "models" / "mmod_human_face_detector.dat"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        detector_to_onnx(read_network(file.read_bytes())),
        options,
        providers=["CPUExecutionProvider"],
    )


def photograph(file: Path, long_side: int = 640) -> np.ndarray:
    with Pillow.open(file) as picture:
        picture.thumbnail((long_side, long_side))
        return np.ascontiguousarray(picture.convert("RGB"))


@pytest.mark.slow
def test_one_face_is_found_in_most_portraits(
    session: onnxruntime.InferenceSession, shared_data: Path
) -> None:
    """Of twelve portraits of different people at least eleven have a face, and none two."""
    folders = sorted((shared_data / "faces" / "people").iterdir())[:12]

    counts = [len(find_faces(session, photograph(min(folder.iterdir())))) for folder in folders]

    assert sum(count == 1 for count in counts) >= 11, counts


@pytest.mark.slow
def test_nothing_is_found_where_there_is_no_face(
    session: onnxruntime.InferenceSession, shared_data: Path
) -> None:
    """Landscapes, things, animals."""
    files = sorted((shared_data / "faces" / "no-face").iterdir())[:12]

    assert [len(find_faces(session, photograph(file))) for file in files] == [0] * len(files)


def test_a_turned_face_has_its_box_around_it(
    session: onnxruntime.InferenceSession, shared_data: Path
) -> None:
    """The box lies in the picture where it lay before a border was added, shifted by the border."""
    folder = sorted((shared_data / "faces" / "people").iterdir())[0]
    pixels = photograph(min(folder.iterdir()), 400)
    framed = np.pad(pixels, ((40, 0), (80, 0), (0, 0)), mode="edge")

    (face,), (moved,) = find_faces(session, pixels), find_faces(session, framed)

    shift = np.subtract(moved.box, face.box)
    assert shift == pytest.approx([80, 40, 80, 40], abs=0.25 * face.width)


@pytest.mark.parametrize("shape", [(1, 1, 3), (19, 300, 3), (21, 21, 3)])
def test_the_smallest_pictures_are_no_trouble(
    session: onnxruntime.InferenceSession, shape: tuple[int, int, int]
) -> None:
    """Fewer pixels than the network takes at once."""
    assert find_faces(session, np.zeros(shape, np.uint8)) == []
