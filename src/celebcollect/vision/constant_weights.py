"""Rewrite an ONNX file so that its weights are constants, which onnxruntime needs to be fast.

Older converters name each weight among the inputs too, so that whoever runs the model could pass
another one; onnxruntime then cannot fold normalisations into convolutions. It says so itself and
points to `remove_initializer_from_input.py` among its tools, which needs the `onnx` package. The
numbers below are the fields of `onnx.proto`.
"""

from __future__ import annotations

from celebcollect.vision.protobuf import BYTES, Field, NotProtobuf, fields, varint

_IR_VERSION, _GRAPH = 1, 7  # ModelProto
_INITIALIZER, _INPUT = 5, 11  # GraphProto
_TENSOR_NAME, _INPUT_NAME = 8, 1  # TensorProto, ValueInfoProto

_FIRST_IR_VERSION = 4
"""Before it weights had to be inputs too, and were constants nonetheless."""


def with_constant_weights(model: memoryview) -> bytes | None:
    """
    Return the ONNX file without those inputs that have values in the file.

    None: it has none, or is no ONNX file, and may be used or refused as it is.
    """
    try:
        outer = {field.number: field for field in fields(model, 0, len(model))}
        graph, version = outer.get(_GRAPH), outer.get(_IR_VERSION)
        if not graph or not version or model[version.value] < _FIRST_IR_VERSION:
            return None
        inner = list(fields(model, graph.value, graph.end))
        weights = _names(model, inner, _INITIALIZER, _TENSOR_NAME)
        inputs = _names(model, inner, _INPUT, _INPUT_NAME)
    except NotProtobuf:
        return None
    dropped = [field for name, field in inputs.items() if name in weights]
    if not dropped:
        return None
    size = graph.end - graph.value - sum(field.end - field.start for field in dropped)
    parts: list[bytes | memoryview] = [model[: graph.start]]
    parts += [varint(_GRAPH << 3 | BYTES), varint(size)]
    at = graph.value
    for field in dropped:
        parts.append(model[at : field.start])
        at = field.end
    return b"".join((*parts, model[at:]))


def _names(model: memoryview, inner: list[Field], number: int, name: int) -> dict[bytes, Field]:
    """Return the fields of this number, in order, by the name that each holds."""
    return {
        bytes(model[part.value : part.end]): field
        for field in inner
        if field.number == number
        for part in fields(model, field.value, field.end)
        if part.number == name
    }
