"""The reference of layers over images against their definitions, written out in plain Python."""

from __future__ import annotations

from itertools import product

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from image_networks import random_conv

from lgn_hdl.network import BIT, AxisSum, FixedPoint, Network, Node, TensorType
from lgn_hdl.reference import Reference
from lgn_hdl.reference import layers as f
from lgn_hdl.reference.prepare import layer_tensors

GEOMETRY = {
    "size": st.tuples(st.integers(1, 5), st.integers(1, 5)),
    "window": st.tuples(st.integers(1, 3), st.integers(1, 3)),
    "stride": st.tuples(st.integers(1, 3), st.integers(1, 3)),
    "padding": st.tuples(st.integers(1, 2), st.integers(1, 2)),
}


def seen(x: np.ndarray, channel: int, place: list[int]) -> int:
    """A bit of the image, or zero outside it."""
    inside = all(0 <= i < n for i, n in zip(place, x.shape[1:], strict=True))
    return int(x[channel, *place]) if inside else 0


@given(
    **GEOMETRY,
    k=st.integers(2, 6),
    depth=st.integers(1, 3),
    own_taps=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_convolution(size, window, stride, padding, k, depth, own_taps, seed) -> None:
    rng = np.random.default_rng(seed)
    depth = min(depth, 2) if k > 3 else depth
    geometry = {"window": window, "stride": stride, "padding": padding}
    kernels, image = 2, TensorType((3, *size), BIT)
    out = random_conv(rng, 3, kernels, k=k, depth=depth, **geometry).infer(image).shape
    positions = list(np.ndindex(*out[1:]))
    layer = random_conv(
        rng, 3, kernels, k=k, depth=depth, positions=len(positions) if own_taps else 1, **geometry
    )
    x = rng.integers(0, 2, (2, *image.shape), dtype=np.uint8)
    data = layer_tensors(layer, BIT)
    found = f.logic_conv(torch.tensor(x), data["taps"], data["tables"], window, stride, padding)
    assert found.dtype == torch.uint8
    assert found.shape == (2, *out)
    for b, kernel, (p, position) in product(range(2), range(kernels), enumerate(positions)):
        corner = [i * s - q for i, s, q in zip(position, stride, padding, strict=True)]
        taps = layer.taps[:, kernel, p if own_taps else 0]  # (k, S, 3)
        bits = [
            seen(x[b], int(tap[0]), [c + int(t) for c, t in zip(corner, tap[1:], strict=True)])
            for tap in taps.transpose(1, 0, 2).reshape(-1, 3)
        ]
        tables = iter(layer.tables[kernel].tolist())
        while len(bits) > 1:
            bits = [
                next(tables) >> int("".join(map(str, bits[i : i + k])), 2) & 1
                for i in range(0, len(bits), k)
            ]
        assert int(found[b, kernel, *position]) == bits[0]
        assert next(tables, None) is None


@given(**GEOMETRY, seed=st.integers(0, 2**32 - 1))
def test_pooling(size, window, stride, padding, seed) -> None:
    rng = np.random.default_rng(seed)
    x = (rng.random((2, 3, *size)) < 0.2).astype(np.uint8)
    padding = tuple(min(p, w // 2) for p, w in zip(padding, window, strict=True))
    if any(n + 2 * p < w for n, p, w in zip(size, padding, window, strict=True)):
        return
    found = f.or_pool(torch.tensor(x), window, stride, padding)
    for b, c, *position in np.ndindex(*found.shape):
        corner = [i * s - q for i, s, q in zip(position, stride, padding, strict=True)]
        bits = [
            seen(x[b], c, [a + o for a, o in zip(corner, place, strict=True)])
            for place in np.ndindex(*window)
        ]
        assert int(found[b, c, *position]) == max(bits)


def test_sum_over_axes_is_exact() -> None:
    number = FixedPoint(62 - 3, 0, signed=True)
    network = Network(
        {"x": TensorType((2, 4, 2), number)}, (Node("sum", AxisSum((0, 2)), ("x",)),), ("sum",)
    ).validate()
    x = np.full((1, 2, 4, 2), -(2.0**58))
    x[0, 0, 0, 0] = 3
    assert Reference(network)(x).tolist() == [[-3 * 2**58 + 3, *[-(2**60)] * 3]]
    assert network.types["sum"].element == FixedPoint(61, 0, signed=True)
