"""Arrays and texts in one file: the safetensors format, of which nothing is executed when it is read.

Eight bytes say how long the JSON header is, the header says where each array lies, the rest is numbers. Equal content
gives equal bytes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32] | npt.NDArray[np.int32]

_TYPES: Mapping[str, str] = {"F32": "<f4", "I32": "<i4"}
_TEXTS = "__metadata__"
_MAX_HEADER_BYTES = 100_000_000
"""The format's own limit."""


def pack(arrays: Mapping[str, Array], texts: Mapping[str, str]) -> bytes:
    """Return the file of float32 and int32 arrays and of texts."""
    header: dict[str, Any] = {_TEXTS: dict(sorted(texts.items()))}
    parts: list[bytes] = []
    at = 0
    for name, array in sorted(arrays.items()):
        kind = "F32" if array.dtype.kind == "f" else "I32"
        part = np.ascontiguousarray(array, dtype=_TYPES[kind]).tobytes()
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [at, at + len(part)]}
        parts.append(part)
        at += len(part)
    told = json.dumps(header, separators=(",", ":")).encode()
    told += b" " * (-len(told) % 8)
    return b"".join((len(told).to_bytes(8, "little"), told, *parts))


def unpack(data: bytes) -> tuple[dict[str, Array], dict[str, str]]:
    """
    Read what `pack` wrote; the arrays are read-only.

    Raises:
        ValueError: It is no such file, is cut off, or holds other types.
    """
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > min(len(data) - 8, _MAX_HEADER_BYTES):
        raise ValueError("the header is cut off")
    try:
        header = json.loads(data[8 : 8 + length])
    except RecursionError:
        raise ValueError("the header is nested too deeply") from None
    if not isinstance(header, dict):
        raise ValueError("the header is no object")
    texts = header.pop(_TEXTS, {})
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise ValueError("the texts are none")
    body = memoryview(data)[8 + length :]
    return {name: _array(body, entry) for name, entry in header.items()}, texts


def _array(body: memoryview, entry: Any) -> Array:
    try:
        kind, shape, (start, end) = _TYPES[entry["dtype"]], entry["shape"], entry["data_offsets"]
    except (KeyError, TypeError, ValueError):
        raise ValueError("an array is not described") from None
    numbers = [start, end, *shape] if isinstance(shape, list) else [None]
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise ValueError("an array has no sizes")
    if end > len(body) or end - start != 4 * math.prod(shape):
        raise ValueError("an array is cut off")
    array: Array = np.frombuffer(body[start:end], dtype=kind).reshape(shape)
    return array
