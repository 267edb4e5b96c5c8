"""Write a graph as an ONNX file, without the `onnx` package, which nothing else here needs.

An ONNX file is one protobuf message; the numbers are the fields of `onnx.proto` (ONNX IR version 9,
operator set 17). Only what a convolutional network needs is here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from celebcollect.vision.protobuf import BYTES, varint

IR_VERSION, OPERATORS = 9, 17
_FLOAT, _INT64 = 1, 7  # TensorProto.DataType
_INT, _INTS = 2, 7  # AttributeProto.AttributeType


class Graph:
    """A graph of float32 tensors that grows node by node; its input is `input`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[bytes] = []
        self._constants: list[bytes] = []

    def constant(self, values: npt.NDArray[np.float32] | npt.NDArray[np.int64]) -> str:
        """Add values and return their name."""
        name = f"c{len(self._constants)}"
        kind = _INT64 if values.dtype == np.int64 else _FLOAT
        little = values.astype(values.dtype.newbyteorder("<"), copy=False)
        self._constants.append(
            b"".join(
                (
                    *(_number(1, side) for side in values.shape),
                    _number(2, kind),
                    _text(8, name),
                    _bytes(9, np.ascontiguousarray(little).tobytes()),
                )
            )
        )
        return name

    def node(self, operator: str, *inputs: str, **attributes: int | Sequence[int]) -> str:
        """Add an operator and return the name of its output."""
        name = f"n{len(self._nodes)}"
        self._nodes.append(
            b"".join(
                (
                    *(_text(1, one) for one in inputs),
                    _text(2, name),
                    _text(4, operator),
                    *(_bytes(5, _attribute(key, value)) for key, value in attributes.items()),
                )
            )
        )
        return name

    def to_onnx(
        self, output: str, *, input_shape: Sequence[int | str], output_shape: Sequence[int | str]
    ) -> bytes:
        """
        Return the file's bytes.

        Args:
            output: Name of the output.
            input_shape: The input's dimensions behind the batch; a text for one of any size.
            output_shape: The output's.
        """
        graph = b"".join(
            (
                *(_bytes(1, node) for node in self._nodes),
                _text(2, self._name),
                *(_bytes(5, constant) for constant in self._constants),
                _bytes(11, _value("input", input_shape)),
                _bytes(12, _value(output, output_shape)),
            )
        )
        operators = _text(1, "") + _number(2, OPERATORS)
        return b"".join(
            (
                _number(1, IR_VERSION),
                _text(2, "celebcollect"),
                _bytes(7, graph),
                _bytes(8, operators),
            )
        )


def _attribute(name: str, value: int | Sequence[int]) -> bytes:
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, _INT)
    return _text(1, name) + b"".join(_number(8, one) for one in value) + _number(20, _INTS)


def _value(name: str, shape: Iterable[int | str]) -> bytes:
    dimensions = b"".join(
        _bytes(1, _text(2, side) if isinstance(side, str) else _number(1, side))
        for side in ("batch", *shape)
    )
    tensor = _number(1, _FLOAT) + _bytes(2, dimensions)
    return _text(1, name) + _bytes(2, _bytes(1, tensor))


def _number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return varint(field << 3 | BYTES) + varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())
