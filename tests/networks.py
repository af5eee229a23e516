"""Small networks that many tests compile, store or break."""

from __future__ import annotations

import numpy as np

from lgn_hdl.network import (
    BIT,
    REAL,
    ArgMax,
    Concat,
    Element,
    GroupSum,
    LutLayer,
    Network,
    Node,
    Reshape,
    TensorType,
    Thermometer,
)


def random_luts(rng: np.random.Generator, width: int, neurons: int, k: int) -> LutLayer:
    """A LUT layer with random wires and tables."""
    wires = rng.integers(0, width, (k, neurons), dtype=np.int32)
    tables = rng.integers(0, 2**64, neurons, dtype=np.uint64) >> np.uint64(64 - (1 << k))
    return LutLayer(wires, tables)


def classifier(
    *, element: Element = REAL, classes: int = 3, seed: int = 0, names: tuple[str, ...] = ()
) -> Network:
    """Four numbers, three thresholds each, two layers of gates, scores and class."""
    rng = np.random.default_rng(seed)
    thresholds = np.sort(rng.uniform(-1, 1, (4, 3)), axis=1)
    return Network(
        inputs={"x": TensorType((4,), element)},
        nodes=(
            Node("bits", Thermometer(thresholds, axis=0), ("x",)),
            Node("gates", random_luts(rng, 12, 18, 2), ("bits",)),
            Node("more", random_luts(rng, 18, 6 * classes, 3), ("gates",)),
            Node("scores", GroupSum(classes, tau=2.0, beta=0.5), ("more",)),
            Node("class", ArgMax(), ("scores",)),
        ),
        outputs=("class", "scores"),
        classes=names,
        meta={"source": "random"},
    ).validate()


def bits_only(*, inputs: int = 6, outputs: int = 5, seed: int = 0) -> Network:
    """Bits in, one layer of gates, bits out."""
    rng = np.random.default_rng(seed)
    return Network(
        inputs={"x": TensorType((inputs,), BIT)},
        nodes=(Node("gates", random_luts(rng, inputs, outputs, 2), ("x",)),),
        outputs=("gates",),
    ).validate()


def every_layer(element: Element = REAL) -> Network:
    """One network with a layer of every type, two-dimensional at first, with a branch."""
    rng = np.random.default_rng(5)
    return Network(
        inputs={"image": TensorType((2, 3, 2), element)},
        nodes=(
            Node("bits", Thermometer(rng.standard_normal((2, 1, 2, 3)), axis=0), ("image",)),
            Node("flat", Reshape((36,)), ("bits",)),
            *(Node(f"lut{k}", random_luts(rng, 36, 4, k), ("flat",)) for k in range(1, 7)),
            Node("joined", Concat(axis=0), tuple(f"lut{k}" for k in range(1, 7))),
            Node("scores", GroupSum(4, tau=0.1, beta=-1 / 3), ("joined",)),
            Node("class", ArgMax(), ("scores",)),
        ),
        outputs=("class", "scores", "joined"),
        classes=("a", "b", "ü", "d"),
        meta={"source": "test", "figures": [1, 2.5, None], "warnings": ["beware"]},
    ).validate()
