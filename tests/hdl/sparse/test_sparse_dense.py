# amaranth: UnusedElaboratable=no
"""Dense layers, on vectors and on the places of a frame that are used."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from sparse_bench import PACES, bits, check, drive, reference, seen, sparse_samples, sparse_value
from sparse_networks import constants

from lgn_hdl.errors import BuildError
from lgn_hdl.hdl.sparse import ConstantDense, DenseLayer, FlattenDense
from lgn_hdl.network import Dense, FixedPoint, SparseFlatten, SparsePool2d, TensorType

WEIGHTS = FixedPoint(4, 3, signed=True)


def dense_of(outputs: int, inputs: int, bias: FixedPoint) -> Dense:
    rng = np.random.default_rng(5)
    weight = constants(rng, WEIGHTS, outputs, inputs)
    weight[0, 0], weight[-1, -1] = WEIGHTS.min_int, WEIGHTS.max_int
    return Dense(weight, constants(rng, bias, outputs), WEIGHTS, bias)


@pytest.mark.parametrize("parallel", [1, 3, 7])
@pytest.mark.parametrize("number", [FixedPoint(4, 2), FixedPoint(3, 2, signed=True)], ids=str)
def test_vectors(number: FixedPoint, parallel: int) -> None:
    layer, source = dense_of(2, 7, FixedPoint(5, 7, signed=True)), TensorType((7,), number)
    block = DenseLayer(layer=layer, source=source, parallel=parallel)
    assert block.interval == -(-7 // parallel)
    rng = np.random.default_rng(parallel)
    samples = rng.integers(number.min_int, number.max_int + 1, (8, 7))
    samples[0], samples[1], samples[2] = 0, number.min_int, number.max_int
    check(block, layer, source, samples)


@pytest.mark.parametrize("slots", [4, 16])
def test_sums_wider_than_any_word(slots: int) -> None:
    """Sixty bits: the bounds of the sums are products of large numbers."""
    number = FixedPoint(31, signed=True)
    source = TensorType((slots, 1), number, masked=True, frame=(4, 4))
    weight = np.zeros((1, 16), np.int64)
    weight[0, 3], weight[0, 9] = -(2**28), 5
    layer = Dense(weight, np.array([3]), FixedPoint(29, signed=True), FixedPoint(4, signed=True))
    block = FlattenDense(layer=layer, source=source, parallel=2)
    samples = sparse_samples(np.random.default_rng(3), source, 6)
    flattened = reference(SparseFlatten(), source, samples)
    flat = SparseFlatten().infer(source)
    wanted = reference(layer, flat, flattened).tolist()
    words = [bits(block.i.payload.shape(), sparse_value(sample)) for sample in samples]
    _, found = drive(block, words, len(words), offer=1, take=1)
    assert [seen(view, layer.infer(flat)) for _, view in found] == wanted


@pytest.mark.parametrize(
    ("frame", "number", "parallel", "window"),
    [
        ((3, 3), FixedPoint(4, 2), 1, None),
        ((3, 3), FixedPoint(4, 2, signed=True), 5, None),
        ((5, 9), FixedPoint(3, 2), 2, None),  # places of seven bits, 45 of them
        ((1, 4), FixedPoint(3, 2), 3, None),
        ((5, 9), FixedPoint(3, 2), 2, (2, 2)),  # cells that are not whole on both sides
        ((8, 12), FixedPoint(3, 2, signed=True), 1, (2, 3)),
        ((3, 2), FixedPoint(3, 2), 2, (2, 2)),  # a cell as wide as the frame
    ],
)
def test_frames(
    frame: tuple[int, int], number: FixedPoint, parallel: int, window: tuple[int, int] | None
) -> None:
    slots = min(5, frame[0] * frame[1])
    source = TensorType((slots, 2), number, masked=True, frame=frame)
    pool = SparsePool2d(window) if window else None
    pooled = pool.infer(source) if pool else source
    flat = SparseFlatten().infer(pooled)
    layer = dense_of(3, flat.size, FixedPoint(5, 3, signed=True))
    block = FlattenDense(layer=layer, source=source, parallel=parallel, pool=pool)
    samples = sparse_samples(np.random.default_rng(0), source, 8)
    merged = reference(pool, source, samples) if pool else samples
    flattened = reference(SparseFlatten(), pooled, merged)
    wanted = reference(layer, flat, flattened).tolist()
    # Places of unused slots may be anything.
    unused = samples[..., -1] == 0
    samples[unused, -3:-1] = np.random.default_rng(1).integers(2, size=(int(unused.sum()), 2))
    if frame[0] == 1:
        samples[unused, -3] = 0
    words = [bits(block.i.payload.shape(), sparse_value(sample)) for sample in samples]
    kind = layer.infer(flat)
    for offer, take in PACES:
        taken, found = drive(block, words, len(words), offer=offer, take=take)
        assert [seen(view, kind) for _, view in found] == wanted
        if offer == take == 1:
            assert [clock for clock, _ in found] == [clock + block.latency for clock in taken]
            assert {b - a for a, b in pairwise(taken)} == {block.interval}


@pytest.mark.parametrize("parallel", [0, 8])
def test_too_many_at_once(parallel: int) -> None:
    layer, source = dense_of(2, 7, WEIGHTS), TensorType((7,), FixedPoint(3))
    with pytest.raises(BuildError, match=f"{parallel} at a time, expected 1 to 7"):
        DenseLayer(layer=layer, source=source, parallel=parallel)


def test_a_maximum_is_not_linear() -> None:
    source = TensorType((2, 1), FixedPoint(3), masked=True, frame=(4, 4))
    layer, pool = dense_of(1, 4, WEIGHTS), SparsePool2d((2, 2), "max")
    with pytest.raises(BuildError, match="only an average can be part of a dense layer"):
        FlattenDense(layer=layer, source=source, parallel=1, pool=pool)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("signed", [False, True])
def test_shared_additions(seed: int, signed: bool) -> None:
    rng = np.random.default_rng(seed)
    number = FixedPoint(int(rng.integers(1, 9)) + signed, 3, signed=signed)
    inputs, outputs = int(rng.integers(1, 12)), int(rng.integers(1, 7))
    weight, bias = FixedPoint(6, 4, signed=True), FixedPoint(7, 6, signed=True)
    weights = rng.integers(-32, 32, (outputs, inputs)) * (rng.random((outputs, inputs)) < 0.8)
    layer = Dense(weights, rng.integers(-64, 64, outputs), weight, bias)
    source = TensorType((inputs,), number)
    samples = rng.integers(number.min_int, number.max_int, (30, inputs), endpoint=True)
    samples[0], samples[1] = number.min_int, number.max_int
    check(ConstantDense(layer=layer, source=source), layer, source, samples)
