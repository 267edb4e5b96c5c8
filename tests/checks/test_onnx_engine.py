"""ONNX models that the user names, tried with tiny models made here."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageDraw

from celebcollect.checks import build_checks
from celebcollect.config.sections import CleanConfig, StoreConfig
from celebcollect.domain.errors import ConfigError
from celebcollect.vision.alignment import ALIGNED_PX, TEMPLATE, aligned
from celebcollect.vision.base import Face
from celebcollect.vision.onnx_engine import OnnxEngine, onnx_spec
from celebcollect.vision.yunet import STRIDES
from checks.check_pictures import measured, picture_of, reasons
from support import missing

if TYPE_CHECKING:
    import onnx

SIDE = 128
FACE_AT = (5, 4)
"""Row and column of the cell of stride 16 in which the tiny detector sees a face."""


def need_onnx() -> None:
    try:
        import onnx
        import onnxruntime
    except ImportError:
        missing("onnx and onnxruntime")
    assert onnx
    assert onnxruntime


def tiny_detector(file: Path, *, side: int | str = SIDE) -> Path:
    """Write a model of YuNet's shape that sees one face in every picture, twice in nearly the same place."""
    from onnx import TensorProto, helper, numpy_helper, save

    outputs, nodes, constants = [], [], []
    for stride in STRIDES:
        cells = (SIDE // stride) ** 2
        values = {
            "cls": np.zeros((1, cells, 1)),
            "obj": np.zeros((1, cells, 1)),
            "bbox": np.zeros((1, cells, 4)),
            "kps": np.zeros((1, cells, 10)),
        }
        if stride == 16:
            for shift, score in ((0, 0.98), (1, 0.9)):
                cell = FACE_AT[0] * (SIDE // stride) + FACE_AT[1] + shift
                values["cls"][0, cell], values["obj"][0, cell] = score, 1
                values["bbox"][0, cell] = (0.5 - shift, 0.5, np.log(4), np.log(4))
                values["kps"][0, cell] = (-1, -1, 2, -1, 0.5, 0.5, -0.5, 1.5, 1.5, 1.5)
        for part, value in values.items():
            name = f"{part}_{stride}"
            constants.append(numpy_helper.from_array(value.astype(np.float32), f"value_{name}"))
            # The picture takes part, with no weight, so that it is an input that is used.
            nodes.append(helper.make_node("Add", [f"value_{name}", "nothing"], [name]))
            outputs.append(
                helper.make_tensor_value_info(name, TensorProto.FLOAT, list(value.shape))
            )
    constants.append(numpy_helper.from_array(np.array(0, np.float32), "zero"))
    nodes = [
        helper.make_node("ReduceMean", ["input"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        *nodes,
    ]
    inputs = [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, side, side])]
    return _save(helper.make_graph(nodes, "detector", inputs, outputs, constants), file, save)


def tiny_embedder(file: Path, *, side: int = ALIGNED_PX) -> Path:
    """Write a model of an embedder's shape that tells faces by their mean colour."""
    from onnx import TensorProto, helper, save

    nodes = [
        helper.make_node("GlobalAveragePool", ["data"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["vector"]),
    ]
    inputs = [helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, side, side])]
    outputs = [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, 3])]
    return _save(helper.make_graph(nodes, "embedder", inputs, outputs), file, save)


def _save(graph: onnx.GraphProto, file: Path, save: Callable[..., None]) -> Path:
    from onnx import helper

    save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8),
        str(file),
    )
    return file


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    need_onnx()
    folder = tmp_path_factory.mktemp("models")
    return str(tiny_detector(folder / "detector.onnx")), str(
        tiny_embedder(folder / "embedder.onnx")
    )


def test_boxes_and_landmarks_are_read_as_yunet_means_them(models: tuple[str, str]) -> None:
    """Score, box and points come out of cell, stride and exponent; the weaker of two boxes in one place is left out."""
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

    seen = aligned(np.asarray(pixels), Face((0, 0, 1, 1), tuple(map(tuple, points))))

    assert seen.shape == (ALIGNED_PX, ALIGNED_PX, 3)
    assert [tuple(seen[round(y), round(x)]) for x, y in TEMPLATE] == colours


def test_the_scale_of_the_pixels_is_the_configured_one(models: tuple[str, str]) -> None:
    """ArcFace's pixels lie around zero, SFace's do not; vectors have length 1."""
    grey = np.full((200, 200, 3), (255, 127, 0), dtype=np.uint8)
    face = Face((50, 50, 150, 150))

    plain, centred = (
        OnnxEngine(onnx_spec(*models, scale)).embed(grey, face) for scale in ("0..255", "-1..1")
    )

    assert np.linalg.norm(plain) == pytest.approx(1, abs=1e-5)
    assert plain.min() >= 0
    assert centred == pytest.approx([0.7071, 0, -0.7071], abs=0.01)


def test_pictures_are_cleaned_with_the_models_of_the_user(
    models: tuple[str, str], tmp_path: Path
) -> None:
    """Named in the configuration, the models take dlib's place, in worker processes, and the colour of the face decides here."""
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


def test_files_that_are_no_such_models_are_told(models: tuple[str, str], tmp_path: Path) -> None:
    """A missing file, garbage and a model of another shape are errors of the configuration that name the file."""
    garbage = tmp_path / "garbage.onnx"
    garbage.write_bytes(b"this is no model")
    small = tiny_embedder(tmp_path / "small.onnx", side=64)

    for detector, embedder in (
        (str(tmp_path / "none.onnx"), models[1]),
        (str(garbage), models[1]),
        (models[1], models[1]),
        (models[0], str(small)),
    ):
        with pytest.raises(ConfigError, match=r"\.onnx"):
            onnx_spec(detector, embedder, "0..255").load()


def test_one_model_alone_is_refused() -> None:
    """A detector without an embedder would leave half of the work undone."""
    with pytest.raises(ValueError, match="together"):
        CleanConfig(detector_model="a.onnx")


def changed(source: Path, file: Path, change: Callable[[Any], None]) -> Path:
    """Write a model that differs from another one."""
    import onnx

    model = onnx.load(str(source))
    change(model)
    onnx.save(model, str(file))
    return file


def output_of(name: str, spoil: Callable[[Any], Any]) -> Callable[[Any], None]:
    """Change what the tiny detector gives under a name."""

    def change(model: Any) -> None:
        from onnx import TensorProto, helper, numpy_helper

        constant = next(one for one in model.graph.initializer if one.name == f"value_{name}")
        values = spoil(numpy_helper.to_array(constant)).astype(np.float32)
        constant.CopyFrom(numpy_helper.from_array(values, constant.name))
        output = next(one for one in model.graph.output if one.name == name)
        output.CopyFrom(helper.make_tensor_value_info(name, TensorProto.FLOAT, list(values.shape)))

    return change


def input_of(shape: list[int], *, kind: str = "FLOAT") -> Callable[[Any], None]:
    """Change what a model says of its input."""

    def change(model: Any) -> None:
        from onnx import TensorProto, helper

        one = model.graph.input[0]
        one.CopyFrom(helper.make_tensor_value_info(one.name, getattr(TensorProto, kind), shape))

    return change


def vector_of(operator: str, inputs: list[str]) -> Callable[[Any], None]:
    """Let the tiny embedder's output come out of another operator."""

    def change(model: Any) -> None:
        from onnx import helper

        del model.graph.node[:]
        del model.graph.output[0].type.tensor_type.shape.dim[:]
        model.graph.output[0].type.tensor_type.ClearField("shape")
        model.graph.node.append(helper.make_node(operator, inputs, ["vector"]))

    return change


@pytest.mark.parametrize(
    "change",
    [
        output_of("cls_8", lambda values: values[:, :10]),
        output_of("bbox_16", lambda values: np.zeros((1, 64, 5))),
        output_of("bbox_16", lambda values: np.full_like(values, 1e9)),
        output_of("bbox_16", lambda values: np.full_like(values, np.inf)),
        output_of("cls_16", lambda values: np.full_like(values, np.nan)),
        output_of("kps_16", lambda values: np.full_like(values, 1e30)),
        input_of([3, SIDE, SIDE]),
        input_of([1, 1, SIDE, SIDE]),
        input_of([1, 3, 100, 100]),
        lambda model: model.graph.output.pop(),
    ],
    ids=[
        "short",
        "five-numbers",
        "endless",
        "infinite",
        "no-number",
        "far-points",
        "rank",
        "grey",
        "odd-side",
        "no-kps",
    ],
)
def test_a_detector_that_cannot_work_is_told_before_the_first_picture(
    models: tuple[str, str], tmp_path: Path, change: Callable[[Any], None]
) -> None:
    """Loading tries the model once; what comes out otherwise than it should is an error of the configuration that names the file."""
    file = changed(Path(models[0]), tmp_path / "odd.onnx", change)

    with pytest.raises(ConfigError, match=r"odd\.onnx"):
        onnx_spec(str(file), models[1], "0..255").load()


@pytest.mark.parametrize(
    "change",
    [
        input_of([4, 3, ALIGNED_PX, ALIGNED_PX]),
        input_of([1, 3, ALIGNED_PX, ALIGNED_PX], kind="FLOAT16"),
        vector_of("Identity", ["data"]),
        vector_of("ReduceMax", ["data"]),
        vector_of("Log", ["data"]),
        lambda model: model.graph.input.pop(),
    ],
    ids=["batch", "float16", "map", "one-number", "no-number", "no-input"],
)
def test_an_embedder_that_cannot_work_is_told_before_the_first_picture(
    models: tuple[str, str], tmp_path: Path, change: Callable[[Any], None]
) -> None:
    """As for the detector; only one vector of finite numbers is an embedding."""
    file = changed(Path(models[1]), tmp_path / "odd.onnx", change)

    with pytest.raises(ConfigError, match=r"odd\.onnx"):
        onnx_spec(models[0], str(file), "0..255").load()


def test_a_vector_that_is_none_later_is_told(models: tuple[str, str], tmp_path: Path) -> None:
    """A model that passes its trial and divides by nothing on a black face is stopped there, for its numbers would be kept."""

    def divide(model: Any) -> None:
        from onnx import helper

        model.graph.node[-1].output[0] = "flat"
        model.graph.node.append(helper.make_node("Div", ["flat", "flat"], ["vector"]))

    engine = OnnxEngine(
        onnx_spec(models[0], str(changed(Path(models[1]), tmp_path / "odd.onnx", divide)), "0..255")
    )

    with pytest.raises(ConfigError, match=r"odd\.onnx"):
        engine.embed(np.zeros((200, 200, 3), dtype=np.uint8), Face((50, 50, 150, 150)))


def test_what_lies_outside_the_picture_is_no_face(models: tuple[str, str]) -> None:
    """A box in the padding of a picture that is narrower than the model's canvas is left out: nothing could be cut out."""
    engine = OnnxEngine(onnx_spec(*models, "0..255"))

    assert engine.detect(np.zeros((SIDE, 30, 3), dtype=np.uint8)) == []
