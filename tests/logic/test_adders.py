"""Adder graphs of alkaid: the matrix they make is the one they were made for."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from lgn_hdl.errors import BuildError, VerifyError
from lgn_hdl.logic.adders import Adder, AdderGraph, Output, share_adders


@pytest.mark.parametrize("seed", range(8))
def test_products_with_random_matrices(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 9)), int(rng.integers(1, 20)))
    largest = int(2 ** rng.integers(1, 12))
    weights = rng.integers(-largest, largest, shape) * (rng.random(shape) < 0.8)
    graph = share_adders(weights, -128, 127)
    assert np.array_equal(graph.matrix(), weights.astype(object))
    x = rng.integers(-128, 128, shape[1])
    nodes = [int(v) for v in x]
    for adder in graph.adders:
        left, right = nodes[adder.left] << adder.left_shift, nodes[adder.right] << adder.right_shift
        nodes.append(left - right if adder.subtract else left + right)
    for output, expected in zip(graph.outputs, (weights @ x).tolist(), strict=True):
        found = 0 if output.node is None else nodes[output.node]
        found = found << output.shift if output.shift >= 0 else found >> -output.shift
        assert (-found if output.negative else found) == expected


def test_nothing_one_and_powers_of_two() -> None:
    weights = np.array([[0, 0, 0], [0, 1, 0], [-4, 0, 0], [8, 0, -2]])
    graph = share_adders(weights, 0, 15)
    assert graph.outputs[0].node is None
    assert len(graph.adders) == 1
    assert max(graph.levels) == 1


def test_common_parts_are_made_once() -> None:
    weights = np.tile(np.array([[3, 5, 7, 9]]), (6, 1)) * np.array([[1, 2, 4, -1, -2, 8]]).T
    assert len(share_adders(weights, 0, 15).adders) <= 7


def test_outputs_that_would_lose_bits() -> None:
    graph = AdderGraph(1, (Adder(0, 0, 0, 1, False),), (Output(1, -1, False),))
    assert graph.coefficients.tolist() == [[1], [3]]
    with pytest.raises(VerifyError, match="no whole number"):
        graph.matrix()


def test_constants_that_are_too_large() -> None:
    with pytest.raises(BuildError, match="constants up to 16,777,216"):
        share_adders(np.array([[1 << 25]]), 0, 1)


def test_without_alkaid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "alkaid.cmvm", None)
    with pytest.raises(BuildError, match=r"needs alkaid.*lgn-hdl\[sparse\]"):
        share_adders(np.array([[1]]), 0, 1)
