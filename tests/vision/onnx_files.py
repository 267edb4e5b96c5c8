"""Tiny face models in ONNX files, whole and broken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from celebcollect.vision.alignment import ALIGNED_PX
from celebcollect.vision.yunet import STRIDES
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
    """Write a model of YuNet's shape that sees one face in every picture, and sees it twice."""
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
