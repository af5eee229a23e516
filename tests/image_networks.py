"""Random convolutional networks of bits: what tests of images compile, store or prove."""

from __future__ import annotations

from math import prod

import numpy as np
from networks import random_luts

from lgn_hdl.network import (
    BIT,
    REAL,
    ArgMax,
    Concat,
    Element,
    GroupSum,
    LogicConv,
    Network,
    Node,
    OrPool,
    Permute,
    Reshape,
    Slice,
    TensorType,
    Thermometer,
)


def random_conv(
    rng: np.random.Generator,
    channels: int,
    kernels: int,
    *,
    k: int = 2,
    depth: int = 2,
    window: tuple[int, ...] = (3, 3),
    stride: tuple[int, ...] = (1, 1),
    padding: tuple[int, ...] = (1, 1),
    positions: int = 1,
) -> LogicConv:
    """A convolution with random taps and tables; `positions` other than 1 is not shared."""
    leaves = k ** (depth - 1)
    limits = (channels, *window)
    taps = [rng.integers(0, n, (k, kernels, positions, leaves), dtype=np.int32) for n in limits]
    nodes = sum(k**level for level in range(depth))
    # As many ones as zeros in every table: deep trees of other ones tend to constants.
    ranks = rng.random((kernels, nodes, 1 << k)).argsort(axis=-1).astype(np.uint64)
    bits = (ranks < 1 << k - 1).astype(np.uint64)
    tables = (bits << np.arange(1 << k, dtype=np.uint64)).sum(axis=-1, dtype=np.uint64)
    return LogicConv(window, stride, padding, np.stack(taps, axis=-1), tables)


def image_of_bits(*layers: LogicConv | OrPool, shape: tuple[int, ...]) -> Network:
    """An image of bits through some layers."""
    nodes = []
    last = "x"
    for number, layer in enumerate(layers):
        nodes.append(Node(f"layer{number}", layer, (last,)))
        last = nodes[-1].name
    return Network({"x": TensorType(shape, BIT)}, tuple(nodes), (last,)).validate()


def conv_classifier(
    *,
    element: Element = REAL,
    size: tuple[int, int] = (4, 3),
    thresholds: int = 3,
    kernels: tuple[int, int] = (5, 4),
    k: int = 2,
    depth: int = 2,
    scattered: bool = False,
    seed: int = 0,
) -> Network:
    """The shape of the SmartPixels network: one number set aside, the others an image.

    Parameters
    ----------
    scattered : bool
        Take the bits of the image, feature-major, as channels: they end up at other positions.
    """
    rng = np.random.default_rng(seed)
    features, bits = 1 + prod(size), thresholds
    steps = np.sort(rng.uniform(-1, 1, (1, bits)), axis=1) if not scattered else None
    if steps is None:
        steps = np.sort(rng.uniform(-1, 1, (features, bits)), axis=1)
    if scattered:
        image = [Node("image", Reshape((bits, *size)), ("rest",))]
    else:
        image = [
            Node("rows", Reshape((*size, bits)), ("rest",)),
            Node("image", Permute((2, 0, 1)), ("rows",)),
        ]
    first = random_conv(rng, bits, kernels[0], k=k, depth=depth)
    second = random_conv(rng, kernels[0], kernels[1], k=k, depth=depth, stride=(2, 1))
    pooled = OrPool((2, 2), (2, 2), (0, 1)).infer(TensorType((kernels[0], *size)))
    flat = second.infer(pooled).size
    return Network(
        inputs={"x": TensorType((features,), element)},
        nodes=(
            Node("bits", Thermometer(steps, axis=0), ("x",)),
            Node("aside", Slice(0, 0, bits), ("bits",)),
            Node("rest", Slice(0, bits, features * bits), ("bits",)),
            *image,
            Node("conv0", first, ("image",)),
            Node("pool", OrPool((2, 2), (2, 2), (0, 1)), ("conv0",)),
            Node("conv1", second, ("pool",)),
            Node("flat", Reshape((flat,)), ("conv1",)),
            Node("joined", Concat(0), ("aside", "flat")),
            Node("dense0", random_luts(rng, bits + flat, 90, 2), ("joined",)),
            Node("dense1", random_luts(rng, 90, 60, 2), ("dense0",)),
            Node("scores", GroupSum(3, tau=2.0), ("dense1",)),
            Node("class", ArgMax(), ("scores",)),
        ),
        outputs=("class", "scores"),
        classes=("high", "low-", "low+"),
    ).validate()
