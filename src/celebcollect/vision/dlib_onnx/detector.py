"""dlib's convolutional face detector (`mmod_human_face_detector.dat`, CC0) as an ONNX graph.

The network (King 2015, arXiv:1502.00046, `dlib/examples/dnn_mmod_face_detection_ex.cpp`): three 5x5
convolutions that halve the size, three that keep it, and a 9x9 one that scores each place. It sees
faces of one size, so it runs on one size of the picture after the other.
"""

from __future__ import annotations

import numpy as np

from celebcollect.vision.dlib_onnx.graph import Graph
from celebcollect.vision.dlib_onnx.layers import convolve, normalised
from celebcollect.vision.dlib_onnx.weights import Convolution, Network, NotANetwork, Weights

BORDER_PX = 11
"""Put around the picture in the mean colour, so that faces at its edge are seen."""

_CONVOLUTIONS = 7
_LANES = 16
"""Channels are filled up to a multiple: 45 make the processor's vector units run half empty."""


def detector_to_onnx(network: Network) -> bytes:
    """
    Return an ONNX file that turns (1, 3, height, width) float32, RGB 0 to 255, into scores.

    Scores are (1, 1, rows, columns) float32: one for each place, eight pixels apart.

    Raises:
        NotANetwork: The weights are of another network.
    """
    *inner, last = network.convolutions
    if len(network.convolutions) != _CONVOLUTIONS or last.filters.shape[2:] != (9, 9):
        raise NotANetwork("another network than dlib's face detector")
    graph = Graph("dlib-mmod-face-detector")
    pads = graph.constant(np.array((0, 0, BORDER_PX, BORDER_PX) * 2, np.int64))
    x = graph.node("Pad", normalised(graph, "input"), pads)
    channels = 3
    for convolution in inner:
        filled = _filled(convolution, channels)
        channels = filled.filters.shape[0]
        x = graph.node("Relu", convolve(graph, x, filled))
    scores = _score(graph, x, _filled(last, channels, outputs=1))
    return graph.to_onnx(
        scores, input_shape=(3, "height", "width"), output_shape=(1, "rows", "columns")
    )


def _filled(convolution: Convolution, inputs: int, outputs: int | None = None) -> Convolution:
    """Add channels of zeros: `inputs` of them come in, a multiple of the lanes goes out."""
    count, used = convolution.filters.shape[:2]
    wide = outputs or -(-count // _LANES) * _LANES
    filters = np.pad(convolution.filters, ((0, wide - count), (0, inputs - used), (0, 0), (0, 0)))
    bias = np.pad(convolution.bias, (0, wide - count))
    return Convolution(filters, bias, convolution.stride, convolution.padding)


def _score(graph: Graph, x: str, last: Convolution) -> str:
    """
    Add the 9x9 convolution to one channel as a 9x1 and a 1x9 one, which give the same sums.

    The first makes one channel for each column of the filter, the second adds each of them at its
    column's place.
    """
    size, margin = last.filters.shape[3], last.padding
    columns = np.ascontiguousarray(last.filters[0].transpose(2, 0, 1)[..., None])
    diagonal: Weights = np.eye(size, dtype=np.float32).reshape(1, size, 1, size)
    partial = graph.node(
        "Conv",
        x,
        graph.constant(columns),
        kernel_shape=(size, 1),
        strides=(1, 1),
        pads=(margin, 0, margin, 0),
    )
    return graph.node(
        "Conv",
        partial,
        graph.constant(diagonal),
        graph.constant(last.bias),
        kernel_shape=(1, size),
        strides=(1, 1),
        pads=(0, margin, 0, margin),
    )
