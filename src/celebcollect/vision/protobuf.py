"""Protobuf's wire format, as far as ONNX files need it; the `onnx` package is needed nowhere else.

Wire types as in protobuf.dev/programming-guides/encoding (2026-11-27).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

VARINT, BYTES = 0, 2
_FIXED = {1: 8, 5: 4}
"""Bytes of the other wire types."""
_LONGEST = 10
"""Bytes of an integer of 64 bits."""


class NotProtobuf(ValueError):
    """The bytes are no protobuf message."""


class Field(NamedTuple):
    """One field of a message, and where it lies in the bytes."""

    number: int
    start: int
    """Of its key."""
    value: int
    """Where its value begins, behind key and length."""
    end: int


def varint(value: int) -> bytes:
    """Return an integer, 0 or more, as protobuf writes it."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number_field(number: int, value: int) -> bytes:
    """Return a field that holds an integer."""
    return varint(number << 3 | VARINT) + varint(value)


def bytes_field(number: int, value: bytes) -> bytes:
    """Return a field that holds bytes, or a message."""
    return varint(number << 3 | BYTES) + varint(len(value)) + value


def text_field(number: int, value: str) -> bytes:
    """Return a field that holds a text."""
    return bytes_field(number, value.encode())


def fields(data: memoryview, start: int, end: int) -> Iterator[Field]:
    """
    Yield the fields of a message that lies in these bytes.

    Raises:
        NotProtobuf: A field has another wire type, or goes on beyond the end.
    """
    at = start
    while at < end:
        key, value = _read_varint(data, at, end)
        kind = key & 7
        if kind == BYTES:
            length, value = _read_varint(data, value, end)
            stop = value + length
        elif kind == VARINT:
            _, stop = _read_varint(data, value, end)
        elif kind in _FIXED:
            stop = value + _FIXED[kind]
        else:
            raise NotProtobuf(f"wire type {kind}")
        if stop > end:
            raise NotProtobuf("a field goes on beyond the end")
        yield Field(key >> 3, at, value, stop)
        at = stop


def integer(data: memoryview, field: Field) -> int:
    """
    Return the integer that a field holds.

    Raises:
        NotProtobuf: It holds none.
    """
    return _read_varint(data, field.value, field.end)[0]


def _read_varint(data: memoryview, at: int, end: int) -> tuple[int, int]:
    """Return an integer and where what follows it begins."""
    value = 0
    for index in range(at, min(at + _LONGEST, end)):
        value |= (data[index] & 0x7F) << 7 * (index - at)
        if data[index] < 0x80:
            return value, index + 1
    raise NotProtobuf("an integer without end")
