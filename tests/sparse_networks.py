"""Small sparse networks, for the tests of every room."""

from __future__ import annotations

import numpy as np

from lgn_hdl.network import (
    ArgMax,
    Dense,
    FixedPoint,
    InputReduce,
    Network,
    Node,
    Quantize,
    SparseConv2d,
    SparseFlatten,
    SparsePool2d,
    TensorType,
    Thermometer,
)

WEIGHTS = FixedPoint(5, 3, signed=True)
PIXELS = FixedPoint(6, 4)
BIASES = FixedPoint(6, 2, signed=True)


def constants(rng: np.random.Generator, number: FixedPoint, *shape: int) -> np.ndarray:
    """Stored integers of a format."""
    return rng.integers(number.min_int, number.max_int, shape, dtype=np.int64, endpoint=True)


def conv(rng: np.random.Generator, channels: int, filters: int, size: int) -> SparseConv2d:
    """A convolution with random constants."""
    kernel = constants(rng, WEIGHTS, filters, channels, size, size)
    return SparseConv2d(kernel, constants(rng, BIASES, filters), WEIGHTS, BIASES)


def sparse_classifier(
    *, element: FixedPoint = PIXELS, slots: int = 5, kind: str = "average", seed: int = 0
) -> Network:
    """A sparse CNN of two convolutions and one dense layer, on frames of 7 x 9 pixels."""
    rng = np.random.default_rng(seed)
    dense = Dense(constants(rng, WEIGHTS, 4, 2 * 3 * 3), constants(rng, BIASES, 4), WEIGHTS, BIASES)
    layers = {
        "reduce": InputReduce(slots, 0.2),
        "conv1": conv(rng, 2, 2, 3),
        "relu1": Quantize(FixedPoint(6, 2)),
        "pool": SparsePool2d((3, 3), kind),  # pyright: ignore[reportArgumentType]
        "conv2": conv(rng, 2, 3, 5),
        "relu2": Quantize(FixedPoint(7, 3)),
        "flat": SparseFlatten(),
        "dense": dense,
        "class": ArgMax(),
    }
    names = ["x", *layers]
    return Network(
        inputs={"x": TensorType((2, 7, 9), element)},
        nodes=tuple(Node(n, layer, (names[i],)) for i, (n, layer) in enumerate(layers.items())),
        outputs=("class", "dense"),
    ).validate()


def sparse_decision(*, slots: int = 4, seed: int = 8) -> Network:
    """A sparse CNN with an average right before two dense layers, and one number to decide by."""
    rng = np.random.default_rng(seed)
    dense = Dense(constants(rng, WEIGHTS, 5, 3 * 4 * 2), constants(rng, BIASES, 5), WEIGHTS, BIASES)
    last = Dense(constants(rng, WEIGHTS, 1, 5), constants(rng, BIASES, 1), WEIGHTS, BIASES)
    layers = {
        "reduce": InputReduce(slots, 0.0),
        "conv": conv(rng, 1, 2, 3),
        "relu": Quantize(FixedPoint(6, 2)),
        "pool": SparsePool2d((2, 2)),
        "flat": SparseFlatten(),
        "dense": dense,
        "relu2": Quantize(FixedPoint(7, 3)),
        "last": last,
        "decision": Thermometer(np.zeros((1, 1)), axis=0),
    }
    names = ["x", *layers]
    return Network(
        inputs={"x": TensorType((1, 7, 9), PIXELS)},
        nodes=tuple(Node(n, layer, (names[i],)) for i, (n, layer) in enumerate(layers.items())),
        outputs=("decision", "last"),
        classes=("background", "signal"),
    ).validate()


def sparse_images(
    rng: np.random.Generator, samples: int, shape: tuple[int, ...], density: float
) -> np.ndarray:
    """Images of which most pixels are zero; every fourth is empty or crowded."""
    share = np.full((samples, 1, 1, 1), density)
    share[::4], share[2::8] = 0.0, 1.0
    return rng.uniform(0, 3, (samples, *shape)) * (rng.random((samples, 1, *shape[1:])) < share)
