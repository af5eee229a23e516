"""The full-size convolutional network of SmartPixels with random weights, for measurements.

105 features of 100 bits; one of them is set aside, the others are an image of 13 x 8 positions with
100 channels. Four convolutions of trees of depth 3, pooling after the second, then the bits of the
first feature beside 5,760 others, four dense layers, three classes. 52,264 tables, kernels counted
once; 804,456 gates with every position its own.
"""

from __future__ import annotations

import numpy as np

from lgn_hdl.network import (
    ArgMax,
    Concat,
    FixedPoint,
    GroupSum,
    Layer,
    LogicConv,
    LutLayer,
    Network,
    Node,
    OrPool,
    Permute,
    Reshape,
    Slice,
    TensorType,
    Thermometer,
)

__all__ = ["FUNCTIONS", "full_size"]

BITS, ROWS, COLUMNS = 100, 13, 8
#: Kernels and strides of the convolutions, and widths of the dense layers.
KERNELS, STRIDES = (256, 512, 1024, 960), (1, 1, 1, 2)
DENSE = (12_000, 12_000, 6_000, 3_000)
#: Tables that are drawn from, uniformly: an untrained network's, of which few survive as gates, and
#: those that depend on both inputs, which is as bad as it gets.
FUNCTIONS = {
    "all-16": tuple(range(16)),
    "two-input": (1, 2, 4, 6, 7, 8, 9, 11, 13, 14),
}
CLASSES = ("high pT", "low pT-", "low pT+")


def full_size(
    seed: int = 0, *, functions: str = "all-16", shared_thresholds: bool = True
) -> Network:
    """The network with random taps, wires and tables.

    Parameters
    ----------
    seed : int
    functions : str
        One of `FUNCTIONS`.
    shared_thresholds : bool
        Whether all features have the same thresholds, as in the example of the project, or each
        its own.
    """
    rng = np.random.default_rng(seed)
    tables = np.array(FUNCTIONS[functions], np.uint64)
    features = 1 + ROWS * COLUMNS
    rows = 1 if shared_thresholds else features
    steps = np.sort(rng.choice(2046, (rows, BITS)) + 0.5, axis=1).astype(np.float64)
    layers: list[tuple[str, Layer, tuple[str, ...]]] = [
        ("bits", Thermometer(steps, axis=0), ("x",)),
        ("y0", Slice(0, 0, BITS), ("bits",)),
        ("rest", Slice(0, BITS, features * BITS), ("bits",)),
        ("rows", Reshape((ROWS, COLUMNS, BITS)), ("rest",)),
        ("image", Permute((2, 0, 1)), ("rows",)),
    ]
    last, channels = "image", BITS
    for number, (kernels, stride) in enumerate(zip(KERNELS, STRIDES, strict=True)):
        layers.append((f"conv{number}", _conv(rng, tables, channels, kernels, stride), (last,)))
        last, channels = f"conv{number}", kernels
        if number == 1:
            layers.append(("pool", OrPool((2, 2), (2, 2), (0, 0)), (last,)))
            last = "pool"
    width = channels * 3 * 2
    layers += [
        ("flat", Reshape((width,)), (last,)),
        ("joined", Concat(0), ("y0", "flat")),
    ]
    last, width = "joined", width + BITS
    for number, neurons in enumerate(DENSE):
        wires = rng.integers(0, width, (2, neurons), dtype=np.int32)
        layers.append((f"dense{number}", LutLayer(wires, rng.choice(tables, neurons)), (last,)))
        last, width = f"dense{number}", neurons
    layers += [("scores", GroupSum(3, tau=20.0), (last,)), ("class", ArgMax(), ("scores",))]
    return Network(
        inputs={"x": TensorType((features,), FixedPoint(11))},
        nodes=tuple(Node(*layer) for layer in layers),
        outputs=("class", "scores"),
        classes=CLASSES,
        meta={"source": "random weights"},
    ).validate()


def _conv(
    rng: np.random.Generator, tables: np.ndarray, channels: int, kernels: int, stride: int
) -> LogicConv:
    taps = [rng.integers(0, n, (2, kernels, 1, 4), dtype=np.int32) for n in (channels, 3, 3)]
    chosen = rng.choice(tables, (kernels, 7))
    return LogicConv((3, 3), (stride, stride), (1, 1), np.stack(taps, axis=-1), chosen)
