# amaranth: UnusedElaboratable=no
"""The end of a sparse CNN: the largest number, ties included, and comparisons with thresholds."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from sparse_bench import PACES, bits, drive

from lgn_hdl.errors import BuildError
from lgn_hdl.hdl.sparse import Decide, decision_layout
from lgn_hdl.network import ArgMax, FixedPoint, Quantize, TensorType, Thermometer


@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize("signed", [False, True])
def test_the_first_of_the_largest_wins(count: int, signed: bool) -> None:
    number = FixedPoint(2, signed=signed)
    source = TensorType((count,), number)
    values = range(number.min_int, number.max_int + 1)
    samples = np.array(list(product(values, repeat=count)))
    if len(samples) > 150:
        samples = np.random.default_rng(count).permutation(samples)[:150]
    block = Decide(layer=ArgMax(), source=source)
    words = [bits(block.i.payload.shape(), row.tolist()) for row in samples]
    for offer, take in PACES:
        taken, found = drive(block, words, len(words), offer=offer, take=take)
        assert [view["class"] for _, view in found] == samples.argmax(axis=1).tolist()
        shown = [[view["scores"][k] for k in range(count)] for _, view in found]
        assert shown == samples.tolist()
        if offer == take == 1:
            assert {b - a for a, (b, _) in zip(taken, found, strict=True)} == {block.latency}


@pytest.mark.parametrize("threshold", [-9.0, -1.0, -0.5, 0.0, 0.3, 1.75, 9.0])
def test_above_means_above(threshold: float) -> None:
    number = FixedPoint(4, 2, signed=True)
    source = TensorType((1,), number)
    samples = np.arange(number.min_int, number.max_int + 1)[:, None]
    block = Decide(layer=Thermometer(np.array([[threshold]]), axis=0), source=source)
    words = [bits(block.i.payload.shape(), row.tolist()) for row in samples]
    _, found = drive(block, words, len(words), offer=1, take=1)
    expected = (number.to_real(samples[:, 0]) > threshold).astype(int)
    assert [view["bits"] for _, view in found] == expected.tolist()
    assert [view["scores"][0] for _, view in found] == samples[:, 0].tolist()


def test_layers_that_decide_nothing() -> None:
    source = TensorType((2,), FixedPoint(3))
    assert list(dict(iter(decision_layout(None, source)))) == ["scores"]
    with pytest.raises(BuildError, match="ends in Quantize, expected an argmax"):
        decision_layout(Quantize(FixedPoint(2)), source)
