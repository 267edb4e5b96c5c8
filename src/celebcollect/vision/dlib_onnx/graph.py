"""Write a graph as an ONNX file, without the `onnx` package, which nothing else here needs.

An ONNX file is one protobuf message; the numbers are the fields of `onnx.proto` (ONNX IR version 9,
operator set 17). Only what a convolutional network needs is here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from celebcollect.vision.onnx_messages import FLOAT, node_message, tensor_message
from celebcollect.vision.protobuf import bytes_field, number_field, text_field

IR_VERSION, OPERATORS = 9, 17


class Graph:
    """A graph of float32 tensors that grows node by node; its input is `input`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[bytes] = []
        self._constants: list[bytes] = []

    def constant(self, values: npt.NDArray[np.float32] | npt.NDArray[np.int64]) -> str:
        """Add values and return their name."""
        name = f"c{len(self._constants)}"
        self._constants.append(tensor_message(name, values))
        return name

    def node(self, operator: str, *inputs: str, **attributes: int | Sequence[int]) -> str:
        """Add an operator and return the name of its output."""
        name = f"n{len(self._nodes)}"
        self._nodes.append(node_message(operator, inputs, name, **attributes))
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
                *(bytes_field(1, node) for node in self._nodes),
                text_field(2, self._name),
                *(bytes_field(5, constant) for constant in self._constants),
                bytes_field(11, _value("input", input_shape)),
                bytes_field(12, _value(output, output_shape)),
            )
        )
        operators = text_field(1, "") + number_field(2, OPERATORS)
        return b"".join(
            (
                number_field(1, IR_VERSION),
                text_field(2, "celebcollect"),
                bytes_field(7, graph),
                bytes_field(8, operators),
            )
        )


def _value(name: str, shape: Iterable[int | str]) -> bytes:
    dimensions = b"".join(
        bytes_field(1, text_field(2, side) if isinstance(side, str) else number_field(1, side))
        for side in ("batch", *shape)
    )
    tensor = number_field(1, FLOAT) + bytes_field(2, dimensions)
    return text_field(1, name) + bytes_field(2, bytes_field(1, tensor))
