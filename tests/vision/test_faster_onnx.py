"""ONNX files that onnxruntime runs slowly are rewritten, and say the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from celebcollect.vision.faster_onnx import faster
from celebcollect.vision.model_sets import SFACE
from celebcollect.vision.onnx_model import new_session
from vision.model_wheel import zoo_models
from vision.onnx_files import need_onnx

Numbers = npt.NDArray[np.float32]


def scaling(file: Path, *, version: int = 6, named: bool = True) -> Path:
    """Write a model that multiplies its input by a weight of 3, named among the inputs or not."""
    need_onnx()
    from onnx import TensorProto, helper, numpy_helper, save

    weight = numpy_helper.from_array(np.full((1, 3, 1, 1), 3, np.float32), "weight")
    shapes = {"data": [1, 3, 4, 4], "weight": [1, 3, 1, 1]}
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in shapes.items()
        if named or name == "data"
    ]
    outputs = [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 3, 4, 4])]
    node = helper.make_node("Mul", ["data", "weight"], ["out"])
    model = helper.make_model(
        helper.make_graph([node], "scaling", inputs, outputs, [weight]),
        opset_imports=[helper.make_opsetid("", 11)],
        ir_version=version,
    )
    save(model, file)
    return file


def test_a_weight_is_no_input_any_more(tmp_path: Path) -> None:
    """Nobody can pass another one, and the model says what it said."""
    session = new_session(str(scaling(tmp_path / "old.onnx")))

    assert [one.name for one in session.get_inputs()] == ["data"]
    assert session.get_overridable_initializers() == []
    assert (session.run(None, {"data": np.ones((1, 3, 4, 4), np.float32)})[0] == 3).all()


@pytest.mark.parametrize(("version", "named"), [(3, True), (6, False)])
def test_files_whose_weights_are_constants_stay_as_they_are(
    tmp_path: Path, version: int, *, named: bool
) -> None:
    """Of newer converters, and of the first version of the format, which wants them named."""
    file = scaling(tmp_path / "whole.onnx", version=version, named=named)

    assert faster(memoryview(file.read_bytes())) is None
    assert new_session(str(file)).get_overridable_initializers() == []


def test_what_is_cut_or_no_model_stays_as_it_is(tmp_path: Path) -> None:
    """The runtime says what is wrong with it."""
    data = bent(tmp_path / "bent.onnx", np.ones((3, 1, 1), np.float32)).read_bytes()
    assert faster(memoryview(data)) is not None
    for end in range(len(data)):
        faster(memoryview(data[:end]))
    assert faster(memoryview(b"this is no model")) is None
    assert faster(memoryview(b"\x80" * 40)) is None


def bent(file: Path, slopes: Numbers) -> Path:
    """Write a model that bends what is below 0 by these slopes, which it names as an input."""
    need_onnx()
    from onnx import TensorProto, helper, numpy_helper, save

    shapes = {"data": [1, 3, 4, 4], "slopes": list(slopes.shape)}
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in shapes.items()
    ]
    outputs = [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 3, 4, 4])]
    nodes = [
        helper.make_node("PRelu", ["data", "slopes"], ["bent"]),
        helper.make_node("Neg", ["bent"], ["out"]),
    ]
    graph = helper.make_graph(
        nodes, "bent", inputs, outputs, [numpy_helper.from_array(slopes, "slopes")]
    )
    opsets = [helper.make_opsetid("", 11)]
    save(helper.make_model(graph, opset_imports=opsets, ir_version=6), file)
    return file


def operators(model: bytes) -> list[str]:
    """Return what a model is made of."""
    from onnx import checker, load_from_string

    loaded = load_from_string(model)
    checker.check_model(loaded)
    return [node.op_type for node in loaded.graph.node]


def test_a_bend_becomes_convolutions_and_says_the_same(tmp_path: Path) -> None:
    """With slopes of either sign, and above 1."""
    slopes = np.array([-0.5, 0.25, 1.5], np.float32).reshape(3, 1, 1)
    file = bent(tmp_path / "bent.onnx", slopes)
    picture = np.random.default_rng(1).normal(size=(1, 3, 4, 4)).astype(np.float32)

    model = faster(memoryview(file.read_bytes()))
    assert model is not None
    found = new_session(str(file)).run(None, {"data": picture})[0]

    assert operators(model) == ["Relu", "Conv", "Conv", "Add", "Neg"]
    wanted = -np.where(picture > 0, picture, slopes * picture)
    np.testing.assert_allclose(found, wanted, atol=1e-6)


@pytest.mark.parametrize("shape", [(1,), (4,), (3, 4, 4), (1, 3, 1, 1)])
def test_a_bend_by_anything_but_channels_stays(tmp_path: Path, shape: tuple[int, ...]) -> None:
    """Its weights are constants all the same."""
    slopes = np.full(shape, 0.5, np.float32)
    file = bent(tmp_path / "bent.onnx", slopes)

    model = faster(memoryview(file.read_bytes()))
    assert model is not None
    session = new_session(str(file))

    assert operators(model) == ["PRelu", "Neg"]
    assert session.get_overridable_initializers() == []
    assert session.run(None, {"data": np.full((1, 3, 4, 4), -2, np.float32)})[0].max() == 1


@pytest.mark.slow
def test_sface_says_the_same_without_its_bends() -> None:
    """Its embeddings stay the same within 1e-5: what was measured before holds."""
    import onnxruntime

    file = zoo_models() / SFACE.name
    picture = np.random.default_rng(1).integers(0, 256, (1, 3, 112, 112)).astype(np.float32)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    plain = onnxruntime.InferenceSession(str(file), options)

    found, wanted = (
        one.run(None, {"data": picture})[0].ravel() for one in (new_session(str(file)), plain)
    )
    model = faster(memoryview(file.read_bytes()))
    assert model is not None

    assert "PRelu" not in operators(model)
    assert np.abs(found / np.linalg.norm(found) - wanted / np.linalg.norm(wanted)).max() < 1e-5
