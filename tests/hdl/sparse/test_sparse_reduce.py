# amaranth: UnusedElaboratable=no
"""Input reduction: the first active pixels, exactly, at the pace it states."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from sparse_bench import PACES, bits, drive, expected, reference, seen

from lgn_hdl.errors import BuildError
from lgn_hdl.hdl.sparse import FrameReduce, RowReduce
from lgn_hdl.network import FixedPoint, InputReduce, TensorType

PIXELS = FixedPoint(3, 2)


def images(kind: TensorType, samples: int, seed: int = 0) -> np.ndarray:
    """Sparse, crowded, empty and full images of stored integers."""
    rng = np.random.default_rng(seed)
    number = kind.element
    assert isinstance(number, FixedPoint)
    x = rng.integers(number.min_int, number.max_int + 1, (samples, *kind.shape))
    share = rng.choice([0.05, 0.2, 0.6], (samples, 1, 1, 1))
    share[0], share[1] = 0, 1
    x[1] = number.max_int
    return x * (rng.random((samples, 1, *kind.shape[1:])) < share)


CASES = [
    (InputReduce(5), TensorType((1, 5, 9), PIXELS)),
    (InputReduce(7, 0.3), TensorType((2, 4, 3), PIXELS)),  # more slots than a row has pixels
    (InputReduce(3, -0.6), TensorType((1, 3, 20), FixedPoint(3, 2, signed=True))),
    (InputReduce(1), TensorType((1, 1, 1), PIXELS)),
    (InputReduce(4, -1.0), TensorType((1, 3, 7), PIXELS)),  # every pixel is active
]


@pytest.mark.parametrize(("layer", "source"), CASES, ids=str)
def test_rows(layer: InputReduce, source: TensorType) -> None:
    samples, kind = images(source, 7), layer.infer(source)
    block = RowReduce(layer=layer, source=source)
    layout = block.i.payload.shape()
    rows = [bits(layout, [row]) for x in samples for row in x.transpose(1, 2, 0).tolist()]
    wanted = [expected(sample, kind) for sample in reference(layer, source, samples)]
    for offer, take in PACES:
        taken, found = drive(block, rows, len(samples), offer=offer, take=take)
        assert [seen(view, kind) for _, view in found] == wanted
        if offer == take == 1:
            assert [clock for clock, _ in found] == [
                clock + block.latency for clock in taken[:: block.interval]
            ]
            assert taken == list(range(len(rows)))


@pytest.mark.parametrize(("layer", "source"), CASES[:4], ids=str)
def test_parts_of_rows(layer: InputReduce, source: TensorType) -> None:
    samples, kind, width = images(source, 7), layer.infer(source), source.shape[2]
    wanted = [expected(sample, kind) for sample in reference(layer, source, samples)]
    for pixels in [p for p in range(1, width + 1) if width % p == 0]:
        block = RowReduce(layer=layer, source=source, pixels=pixels)
        layout = block.i.payload.shape()
        rows = [row for x in samples for row in x.transpose(1, 2, 0).tolist()]
        parts = [bits(layout, [r[k : k + pixels]]) for r in rows for k in range(0, width, pixels)]
        for offer, take in PACES:
            taken, found = drive(block, parts, len(samples), offer=offer, take=take)
            assert [seen(view, kind) for _, view in found] == wanted
            if offer == take == 1:
                assert [clock for clock, _ in found] == [
                    clock + block.latency for clock in taken[:: block.interval]
                ]
                assert taken == list(range(len(parts)))


@pytest.mark.parametrize("pixels", [0, 2, 18])
def test_parts_that_are_not_equal(pixels: int) -> None:
    layer, source = CASES[0]
    with pytest.raises(BuildError, match=f"{pixels} pixels a clock, expected a divisor of 9"):
        RowReduce(layer=layer, source=source, pixels=pixels)


@pytest.mark.parametrize("latched", [True, False])
@pytest.mark.parametrize("rows", [1, 2, 3])
@pytest.mark.parametrize(("layer", "source"), CASES[:3], ids=str)
def test_frames(layer: InputReduce, source: TensorType, rows: int, latched: bool) -> None:
    samples, kind = images(source, 7, seed=1), layer.infer(source)
    block = FrameReduce(layer=layer, source=source, rows=rows, latched=latched)
    layout = block.i.payload.shape()
    words = [bits(layout, x.transpose(1, 2, 0).tolist()) for x in samples]
    wanted = [expected(sample, kind) for sample in reference(layer, source, samples)]
    for offer, take in PACES:
        taken, found = drive(block, words, len(samples), offer=offer, take=take)
        assert [seen(view, kind) for _, view in found] == wanted
        if offer == take == 1:
            latency = block.latency - block.waits
            assert [clock for clock, _ in found] == [clock + latency for clock in taken]
            assert {b - a for a, b in pairwise(taken)} == {block.interval}
            assert taken[0] == block.waits == (0 if latched else block.interval - 1)


@pytest.mark.parametrize("rows", [0, 6])
def test_rows_that_there_are_not(rows: int) -> None:
    layer, source = CASES[0]
    with pytest.raises(BuildError, match=f"{rows} rows a clock, expected 1 to 5"):
        FrameReduce(layer=layer, source=source, rows=rows)


def test_no_image() -> None:
    with pytest.raises(BuildError, match="takes an image"):
        RowReduce(layer=InputReduce(2), source=TensorType((4,), PIXELS))
    with pytest.raises(BuildError, match="fixed-point numbers"):
        RowReduce(layer=InputReduce(2), source=TensorType((1, 4, 4), "real"))


@pytest.mark.parametrize("slots", [1, 3, 8])
def test_every_pattern_of_a_small_frame(slots: int) -> None:
    """All 256 sets of active pixels on two rows of four."""
    layer, source = InputReduce(slots), TensorType((1, 2, 4), FixedPoint(3))
    kind = layer.infer(source)
    active = np.arange(256)[:, None] >> np.arange(8) & 1
    samples = (active * np.array([1, 2, 3, 4, 5, 6, 7, 1])).reshape(-1, 1, 2, 4)
    wanted = [expected(sample, kind) for sample in reference(layer, source, samples)]
    block = RowReduce(layer=layer, source=source)
    layout = block.i.payload.shape()
    rows = [bits(layout, [row]) for x in samples for row in x.transpose(1, 2, 0).tolist()]
    _, found = drive(block, rows, len(samples), offer=1, take=1)
    assert [seen(view, kind) for _, view in found] == wanted
