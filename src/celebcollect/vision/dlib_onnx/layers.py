"""What both of dlib's networks begin with and are made of."""

from __future__ import annotations

import numpy as np

from celebcollect.vision.dlib_onnx.graph import Graph
from celebcollect.vision.dlib_onnx.weights import Convolution

MEANS = (122.782, 117.001, 104.298)
"""Of red, green and blue (dlib's `input_rgb_image`)."""
SCALE = 256.0


def normalised(graph: Graph, x: str) -> str:
    """Add what turns RGB, 0 to 255, into the numbers that the networks were trained on."""
    means = graph.constant(np.array(MEANS, np.float32).reshape(1, 3, 1, 1))
    factor = graph.constant(np.array(1 / SCALE, np.float32))
    return graph.node("Mul", graph.node("Sub", x, means), factor)


def convolve(graph: Graph, x: str, convolution: Convolution) -> str:
    """Add a convolution."""
    return graph.node(
        "Conv",
        x,
        graph.constant(convolution.filters),
        graph.constant(convolution.bias),
        kernel_shape=convolution.filters.shape[2:],
        strides=(convolution.stride,) * 2,
        pads=(convolution.padding,) * 4,
    )
