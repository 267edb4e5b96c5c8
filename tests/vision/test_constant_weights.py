"""Weights that an ONNX file names among its inputs become constants, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from celebcollect.vision.constant_weights import with_constant_weights
from celebcollect.vision.model_sets import SFACE
from celebcollect.vision.onnx_model import new_session
from vision.model_wheel import zoo_models
from vision.onnx_files import need_onnx


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

    assert with_constant_weights(memoryview(file.read_bytes())) is None
    assert new_session(str(file)).get_overridable_initializers() == []


def test_what_is_cut_or_no_model_stays_as_it_is(tmp_path: Path) -> None:
    """The runtime says what is wrong with it."""
    data = scaling(tmp_path / "old.onnx").read_bytes()

    assert with_constant_weights(memoryview(data)) is not None
    for end in range(len(data)):
        with_constant_weights(memoryview(data[:end]))
    assert with_constant_weights(memoryview(b"this is no model")) is None
    assert with_constant_weights(memoryview(b"\x80" * 40)) is None


def test_sface_gets_constant_weights() -> None:
    """Its 174 weights are among its inputs: with them it takes a third more."""
    session = new_session(str(zoo_models() / SFACE.name))

    assert session.get_overridable_initializers() == []
