"""dlib's face recognition ResNet v1 as an ONNX graph.

The network (`dlib/tools/python/src/face_recognition.cpp`, after He et al. 2015, arXiv:1512.03385):
a 7x7 convolution and a pooling, then blocks of two 3x3 convolutions with a shortcut around them. A
block that halves the size pools its shortcut and pads with zeros whichever of the two is smaller.
"""

from __future__ import annotations

import numpy as np

from celebcollect.vision.dlib_onnx.graph import Graph
from celebcollect.vision.dlib_onnx.layers import convolve, normalised
from celebcollect.vision.dlib_onnx.weights import Convolution, Network, NotANetwork

CHIP_PX = 150
"""Side of the aligned face that the network takes."""

_CONVOLUTIONS = 29


def resnet_to_onnx(network: Network) -> bytes:
    """
    Return an ONNX file that turns (n, 3, 150, 150) float32, RGB 0 to 255, into (n, 128) float32.

    Raises:
        NotANetwork: The weights are of another network.
    """
    first, *others = network.convolutions
    matrix = network.matrix
    known = len(network.convolutions) == _CONVOLUTIONS and first.filters.shape[1:] == (3, 7, 7)
    if matrix is None or not known:
        raise NotANetwork("another network than dlib's face recognition ResNet v1")
    graph = Graph("dlib-resnet-v1")
    x = graph.node("Relu", convolve(graph, normalised(graph, "input"), first))
    x = graph.node("MaxPool", x, kernel_shape=(3, 3), strides=(2, 2))
    side = _pooled(_convolved(CHIP_PX, first), kernel=3)
    channels = first.filters.shape[0]
    for one, two in zip(others[::2], others[1::2], strict=True):
        x, side, channels = _block(graph, x, side, channels, one, two)
    mean = graph.node("Flatten", graph.node("GlobalAveragePool", x), axis=1)
    output = graph.node("MatMul", mean, graph.constant(matrix))
    return graph.to_onnx(output, input_shape=(3, CHIP_PX, CHIP_PX), output_shape=(matrix.shape[1],))


def _block(
    graph: Graph, x: str, side: int, channels: int, one: Convolution, two: Convolution
) -> tuple[str, int, int]:
    """Add a block; return its output with the side and channels of that."""
    inner = graph.node("Relu", convolve(graph, x, one))
    main, main_side = convolve(graph, inner, two), _convolved(_convolved(side, one), two)
    shortcut, shortcut_side = x, side
    if one.stride == 2:
        shortcut = graph.node("AveragePool", x, kernel_shape=(2, 2), strides=(2, 2))
        shortcut_side = _pooled(side, kernel=2)
    large = max(main_side, shortcut_side)
    wide = two.filters.shape[0]
    main = _padded(graph, main, 0, large - main_side)
    shortcut = _padded(graph, shortcut, wide - channels, large - shortcut_side)
    return graph.node("Relu", graph.node("Add", main, shortcut)), large, wide


def _padded(graph: Graph, x: str, channels: int, side: int) -> str:
    """Add zeros behind the channels, below and at the right."""
    if not channels and not side:
        return x
    pads = np.array((0, 0, 0, 0, 0, channels, side, side), np.int64)
    return graph.node("Pad", x, graph.constant(pads))


def _convolved(side: int, convolution: Convolution) -> int:
    kernel = int(convolution.filters.shape[2])
    return (side + 2 * convolution.padding - kernel) // convolution.stride + 1


def _pooled(side: int, *, kernel: int) -> int:
    return (side - kernel) // 2 + 1
