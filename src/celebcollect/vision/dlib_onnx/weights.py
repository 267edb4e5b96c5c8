"""Read the layers of a network that dlib has serialized.

The layout is dlib's own (`dlib/serialize.h`, `dlib/dnn/layers.h`): an integer is one byte, whose
low nibble says how many little-endian bytes follow and whose high bit is the sign; a string is its
length and its bytes; a tensor is the integer 2, four dimensions and float32 values; an alias tensor
is the integer 1 and four dimensions. Layers stand in the order in which an input passes through
them, each behind its name, so the file is searched for the names of those that have weights.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Weights = npt.NDArray[np.float32]

_NAME = re.compile(rb"\x01\x05con_4|\x01\x07affine_|\x01\x07bn_con2|\x01\x04fc_2")
_EPSILON = 1e-4
"""Added to a variance before its root is taken (dlib's `DEFAULT_BATCH_NORM_EPS`)."""
_LARGEST_SIDE = 1 << 24


class NotANetwork(ValueError):
    """The bytes are no network of dlib's that this reader knows."""


@dataclass(frozen=True)
class Convolution:
    """A convolution with the affine layer behind it folded in."""

    filters: Weights
    """(output channels, input channels, rows, columns) float32."""
    bias: Weights
    """(output channels,) float32."""
    stride: int
    padding: int


@dataclass(frozen=True)
class Network:
    """Convolutions in order, and a matrix where the network ends with one."""

    convolutions: tuple[Convolution, ...]
    matrix: Weights | None
    """(channels, dimensions) float32, applied to the mean of the last feature map."""


def read_network(data: bytes) -> Network:
    """
    Return the weights of a network: its convolutions with what scales them, and its matrix.

    Raises:
        NotANetwork: There is no convolution, or a layer is cut off or of another version.
    """
    convolutions: list[Convolution] = []
    matrix: Weights | None = None
    try:
        for name, reader in _layers(data):
            if name == b"con_4":
                convolutions.append(_convolution(reader))
            elif name == b"affine_":
                gamma, beta = np.split(reader.tensor(), 2)
                convolutions[-1] = _scaled(convolutions[-1], gamma, beta)
            elif name == b"bn_con2":
                convolutions[-1] = _scaled(convolutions[-1], *_normalisation(reader))
            else:
                matrix = _matrix(reader)
    except (IndexError, ValueError) as error:
        raise NotANetwork(f"no network of dlib's: {error}") from error
    if not convolutions:
        raise NotANetwork("no network of dlib's: it has no convolution")
    return Network(tuple(convolutions), matrix)


class _Reader:
    """Reads dlib's values one after the other."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at

    def integer(self) -> int:
        head = self._data[self._at]
        end = self._at + 1 + (head & 0x0F)
        if end > len(self._data):
            raise ValueError("it is cut off")
        value = int.from_bytes(self._data[self._at + 1 : end], "little")
        self._at = end
        return -value if head & 0x80 else value

    def dimensions(self, version: int) -> list[int]:
        if (found := self.integer()) != version:
            raise ValueError(f"a tensor of version {found}")
        sides = [self.integer() for _ in range(4)]
        if not all(0 <= side <= _LARGEST_SIDE for side in sides):
            raise ValueError("a tensor of impossible size")
        return sides

    def tensor(self) -> Weights:
        count = math.prod(self.dimensions(2))
        end = self._at + 4 * count
        if end > len(self._data):
            raise ValueError("it is cut off")
        values = np.frombuffer(self._data, "<f4", count, self._at)
        self._at = end
        return values


def _layers(data: bytes) -> Iterator[tuple[bytes, _Reader]]:
    for found in _NAME.finditer(data):
        yield found.group()[2:], _Reader(data, found.end())


def _convolution(reader: _Reader) -> Convolution:
    values = reader.tensor()
    _count, _rows, _columns, stride, _, padding, _ = (reader.integer() for _ in range(7))
    shape = reader.dimensions(1)
    size = math.prod(shape)
    filters, bias = values[:size].reshape(shape), values[size:]
    if len(bias) != shape[0]:
        raise ValueError("a convolution with the wrong number of biases")
    return Convolution(filters, bias, stride, padding)


def _normalisation(reader: _Reader) -> tuple[Weights, Weights]:
    """Return factor and summand of a batch normalisation as it is after training."""
    gamma, beta = np.split(reader.tensor(), 2)
    reader.dimensions(1), reader.dimensions(1)
    reader.tensor(), reader.tensor()  # means and deviations of the last batch of the training
    means, variances = reader.tensor(), reader.tensor()
    factor = gamma / np.sqrt(variances + np.float32(_EPSILON))
    return factor, beta - factor * means


def _scaled(convolution: Convolution, factor: Weights, summand: Weights) -> Convolution:
    """Fold a scaling of the output channels into a convolution."""
    return Convolution(
        convolution.filters * factor[:, None, None, None],
        convolution.bias * factor + summand,
        convolution.stride,
        convolution.padding,
    )


def _matrix(reader: _Reader) -> Weights:
    dimensions, channels = reader.integer(), reader.integer()
    return reader.tensor().reshape(channels, dimensions)
