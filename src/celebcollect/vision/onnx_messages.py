"""Write the parts of an ONNX graph; the numbers are the fields of `onnx.proto`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from celebcollect.vision.protobuf import bytes_field, number_field, text_field

FLOAT, INT64 = 1, 7
"""TensorProto.DataType."""
_INT, _INTS = 2, 7  # AttributeProto.AttributeType


def tensor_message(name: str, values: npt.NDArray[np.float32] | npt.NDArray[np.int64]) -> bytes:
    """Return values as a TensorProto of this name."""
    kind = INT64 if values.dtype == np.int64 else FLOAT
    little = values.astype(values.dtype.newbyteorder("<"), copy=False)
    return b"".join(
        (
            *(number_field(1, side) for side in values.shape),
            number_field(2, kind),
            text_field(8, name),
            bytes_field(9, np.ascontiguousarray(little).tobytes()),
        )
    )


def node_message(
    operator: str, inputs: Sequence[str], output: str, **attributes: int | Sequence[int]
) -> bytes:
    """Return an operator as a NodeProto that is named after its output."""
    return b"".join(
        (
            *(text_field(1, one) for one in inputs),
            text_field(2, output),
            text_field(4, operator),
            *(bytes_field(5, _attribute(key, value)) for key, value in attributes.items()),
        )
    )


def _attribute(name: str, value: int | Sequence[int]) -> bytes:
    if isinstance(value, int):
        return text_field(1, name) + number_field(3, value) + number_field(20, _INT)
    ints = b"".join(number_field(8, one) for one in value)
    return text_field(1, name) + ints + number_field(20, _INTS)
