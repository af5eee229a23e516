"""Front ends of a small detector that several tests compile, cut or break."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from image_networks import random_conv
from networks import random_luts

from lgn_hdl.network import (
    ArgMax,
    AxisSum,
    Concat,
    Element,
    FixedPoint,
    GroupSum,
    Layer,
    Network,
    Node,
    Permute,
    Reshape,
    Slice,
    TensorType,
    Thermometer,
)
from lgn_hdl.network.partition import with_front

ROWS, COLUMNS, SLICES = 3, 5, 4


def front(
    inputs: dict[str, TensorType], *nodes: tuple[str, Layer, tuple[str, ...] | str]
) -> Network:
    """A front end of layers given by name, layer and what they read; the last is its output."""
    made = tuple(
        Node(name, layer, (read,) if isinstance(read, str) else read) for name, layer, read in nodes
    )
    return Network(inputs, made, (made[-1].name,)).validate()


def profile(bits: int = 3, *, signed: bool = False) -> Network:
    """Sums over x of one picture, then y0."""
    charge = FixedPoint(bits, signed=signed)
    total = AxisSum((1,)).infer(TensorType((ROWS, COLUMNS), charge)).element
    return front(
        {"charges": TensorType((ROWS, COLUMNS), charge), "y0": TensorType((1,), total)},
        ("profile", AxisSum((1,)), "charges"),
        ("features", Concat(0), ("profile", "y0")),
    )


def profiles(bits: int = 3, *, signed: bool = False, slices: int = SLICES) -> Network:
    """y0, then the sums over x of the first four slices, row after row."""
    charge = FixedPoint(bits, signed=signed)
    shape = (slices, ROWS, COLUMNS)
    total = AxisSum((2,)).infer(TensorType(shape, charge)).element
    return front(
        {"y0": TensorType((1,), total), "charges": TensorType(shape, charge)},
        ("early", Slice(0, 0, SLICES), "charges"),
        ("sums", AxisSum((2,)), "early"),
        ("rows", Permute((1, 0)), "sums"),
        ("flat", Reshape((ROWS * SLICES,)), "rows"),
        ("features", Concat(0), ("y0", "flat")),
    )


def totals(bits: int = 3, *, signed: bool = False) -> Network:
    """Sums over x and all slices; the columns of all but the first slice; y0 once more."""
    charge = FixedPoint(bits, signed=signed)
    shape = (SLICES, ROWS, COLUMNS)
    total = AxisSum((0, 2)).infer(TensorType(shape, charge)).element
    return front(
        {"charges": TensorType(shape, charge), "y0": TensorType((2,), total)},
        ("rows", AxisSum((0, 2)), "charges"),
        ("features", Concat(0), ("rows", "y0", "rows")),
    )


FRONTS = {"profile": profile, "profiles": profiles, "totals": totals}


def logic(features: int, element: Element, *, classes: int = 3, seed: int = 0) -> Network:
    """A trained network over features: two thresholds each, two layers, scores and class."""
    rng = np.random.default_rng(seed)
    top = element.max_int if isinstance(element, FixedPoint) else 40
    thresholds = np.sort(rng.uniform(0, 0.6 * top, (features, 2)), axis=1)
    return Network(
        inputs={"features": TensorType((features,), element)},
        nodes=(
            Node("bits", Thermometer(thresholds, axis=0), ("features",)),
            Node("gates", random_luts(rng, 2 * features, 60, 2), ("bits",)),
            Node("more", random_luts(rng, 60, 15 * classes, 2), ("gates",)),
            Node("scores", GroupSum(classes), ("more",)),
            Node("class", ArgMax(), ("scores",)),
        ),
        outputs=("class", "scores"),
    ).validate()


def fronted(front_network: Network, *, classes: int = 3, seed: int = 0) -> Network:
    """A front end and a trained network behind it."""
    output = front_network.types[front_network.outputs[0]]
    return with_front(front_network, logic(output.size, output.element, classes=classes, seed=seed))


def image_logic(features: int, rows: int) -> Network:
    """y0 and an image of the other features, row after row, through a convolution."""
    rng = np.random.default_rng(3)
    columns = (features - 1) // rows
    conv = random_conv(rng, 2, 6, window=(2, 2), padding=(0, 0))
    size = 6 * (rows - 1) * (columns - 1)
    return Network(
        inputs={"x": TensorType((features,), "real")},
        nodes=(
            Node("position", Slice(0, 0, 1), ("x",)),
            Node("rest", Slice(0, 1, features), ("x",)),
            Node("image", Reshape((1, rows, columns)), ("rest",)),
            Node("where", Thermometer(np.array([[9.5, 20.5, 41.5]]), axis=0), ("position",)),
            Node("bits", Thermometer(np.array([[[[5.5, 12.5]]]]), axis=0), ("image",)),
            Node("conv", conv, ("bits",)),
            Node("flat", Reshape((size,)), ("conv",)),
            Node("all", Concat(0), ("flat", "where")),
            Node("gates", random_luts(rng, size + 3, 45, 2), ("all",)),
            Node("scores", GroupSum(3), ("gates",)),
            Node("class", ArgMax(), ("scores",)),
        ),
        outputs=("class", "scores"),
    ).validate()


def random_inputs(network: Network, samples: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Stored integers of every input; the first sample is all-smallest, the second all-largest."""
    rng = np.random.default_rng(seed)
    found = {}
    for name, tensor in network.inputs.items():
        number = tensor.element
        assert isinstance(number, FixedPoint)
        shape = (samples, *tensor.shape)
        values = rng.integers(number.min_int, number.max_int, shape, endpoint=True)
        # Sums of evenly distributed numbers are all alike: some samples, and some rows, are dim.
        dim = rng.random((*shape[:-1], 1)) * rng.random((samples, *(1,) * len(tensor.shape)))
        values = np.trunc(values * np.sqrt(dim)).astype(np.int64)
        values[0], values[1:2] = number.min_int, number.max_int
        found[name] = values
    return found


def real(network: Network) -> Network:
    """The network with real numbers on its inputs."""
    types = {name: replace(tensor, element="real") for name, tensor in network.inputs.items()}
    return network.with_input(**types)
