"""The reference of sparse layers against their definitions, in fractions and plain Python."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sparse_networks import sparse_classifier, sparse_images

from lgn_hdl.network import (
    Dense,
    FixedPoint,
    InputReduce,
    Network,
    Node,
    Quantize,
    SparseConv2d,
    SparsePool2d,
    TensorType,
)
from lgn_hdl.reference import Reference

Pixels = dict[tuple[int, int], list[Fraction]]


def by_definition(network: Network, image: np.ndarray) -> dict[str, object]:
    """Every tensor of a sparse network, in exact real numbers."""
    number = network.inputs["x"].element
    assert isinstance(number, FixedPoint)
    values = number.quantize(image).astype(object) * number.step
    found: dict[str, object] = {}
    pixels: Pixels = {}
    vector: list[Fraction] = []
    for node in network.nodes:
        layer = node.layer
        if isinstance(layer, InputReduce):
            limit = Fraction(layer.threshold)
            active = [p for p in np.ndindex(*image.shape[1:]) if values[0, *p] > limit]
            pixels = {p: [Fraction(v) for v in values[:, *p]] for p in active[: layer.slots]}
        elif isinstance(layer, SparseConv2d):
            pixels = convolved(layer, pixels)
        elif isinstance(layer, Quantize) and vector == []:
            pixels = {p: [rounded(v, layer.format) for v in vs] for p, vs in pixels.items()}
        elif isinstance(layer, SparsePool2d):
            pixels = pooled(layer, pixels, network.types[node.name].frame)
        elif isinstance(layer, Dense):
            weight = layer.weight.astype(object) * layer.weight_format.step
            bias = layer.bias.astype(object) * layer.bias_format.step
            vector = [sum(w * v for w, v in zip(row, vector, strict=True)) for row in weight]
            vector = [v + b for v, b in zip(vector, bias, strict=True)]
        elif node.name == "flat":
            frame = network.types["relu2"].frame
            empty = [Fraction(0)] * network.types["relu2"].shape[1]
            vector = [v for p in np.ndindex(*frame) for v in pixels.get(p, empty)]
        found[node.name] = vector if vector else dict(pixels)
    return found


def convolved(layer: SparseConv2d, pixels: Pixels) -> Pixels:
    out: Pixels = {}
    height, width = layer.kernel.shape[2:]
    for p in pixels:
        sums = []
        for f, filter_ in enumerate(layer.kernel.tolist()):
            total = Fraction(0)
            for q, values in pixels.items():
                row, column = q[0] - p[0] + height // 2, q[1] - p[1] + width // 2
                if 0 <= row < height and 0 <= column < width:
                    for c, value in enumerate(values):
                        total += filter_[c][row][column] * layer.kernel_format.step * value
            sums.append(total + int(layer.bias[f]) * layer.bias_format.step if total else total)
        out[p] = sums
    return out


def pooled(layer: SparsePool2d, pixels: Pixels, frame: tuple[int, ...]) -> Pixels:
    cells: dict[tuple[int, int], list[list[Fraction]]] = {}
    for p, values in pixels.items():
        cell = (p[0] // layer.window[0], p[1] // layer.window[1])
        if cell[0] < frame[0] and cell[1] < frame[1]:
            cells.setdefault(cell, []).append(values)
    area = layer.window[0] * layer.window[1]
    merge = max if layer.kind == "max" else lambda values: sum(values) / area
    return {cell: [merge(vs) for vs in zip(*rows, strict=True)] for cell, rows in cells.items()}


def rounded(value: Fraction, number: FixedPoint) -> Fraction:
    return min(max(round(value / number.step), number.min_int), number.max_int) * number.step


@given(
    slots=st.integers(1, 12),
    kind=st.sampled_from(["average", "max"]),
    density=st.floats(0, 0.5),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_layer(slots: int, kind: str, density: float, seed: int) -> None:
    network = sparse_classifier(slots=slots, kind=kind, seed=seed)
    images = sparse_images(np.random.default_rng(seed), 5, (2, 7, 9), density)
    reference = Reference(network)
    expected = [by_definition(network, image) for image in images]
    for node in network.nodes[:-1]:
        kind_of, found = network.types[node.name], reference.tensor(images, node.name)
        step = kind_of.element.step  # pyright: ignore[reportAttributeAccessIssue]
        for sample, wanted in zip(found.tolist(), expected, strict=True):
            if kind_of.masked:
                used = {(row[-3], row[-2]): row[:-3] for row in sample if row[-1]}
                got = {p: [v * step for v in values] for p, values in used.items()}
                assert all(not any(row[:-3]) for row in sample if not row[-1])
                assert len(used) == sum(row[-1] for row in sample)
            else:
                got = [v * step for v in sample]
            assert got == wanted[node.name], node.name


def test_a_full_kernel_reaches_the_ends_of_its_format() -> None:
    """The format of a sum is as narrow as it can be, and wide enough."""
    one = FixedPoint(4, 0, signed=True)
    kernel = np.full((2, 1, 3, 3), 7, np.int64)
    kernel[1] = -8
    layer = SparseConv2d(kernel, np.array([7, -8]), one, one)
    nodes = (Node("reduce", InputReduce(9), ("x",)), Node("conv", layer, ("reduce",)))
    network = Network({"x": TensorType((1, 3, 3), FixedPoint(3))}, nodes, ("conv",)).validate()
    middle = Reference(network)(np.full((1, 1, 3, 3), 7.0))[0, 4]
    assert middle.tolist() == [9 * 7 * 7 + 7, -9 * 8 * 7 - 8, 1, 1, 1]
    assert network.types["conv"].element == FixedPoint(10, signed=True)


def test_unused_slots_are_not_the_pixel_at_the_origin() -> None:
    network = sparse_classifier()
    out = Reference(network).tensor(np.zeros((1, 2, 7, 9)), "relu2")
    assert not out[0, :, -1].any()
    assert not out[0, :, :-3].any()


@pytest.mark.parametrize(
    ("ratio", "values", "expected"),
    [
        ((1, 2), [-5, -3, -1, 0, 1, 2, 3, 5, 7], [-2, -2, 0, 0, 0, 1, 2, 2, 4]),
        ((1, 49), [24, 25, 73, 74, 10**9], [0, 1, 1, 2, 1000]),
        ((3, 1), [-1, 5], [-3, 15]),
    ],
)
def test_rounding_is_half_to_even(ratio, values, expected) -> None:
    from lgn_hdl.reference.layers import quantize

    assert quantize(torch.tensor(values), *ratio, -1000, 1000).tolist() == expected
