# amaranth: UnusedElaboratable=no
"""Pooling: sums and maxima of cells, merged into the first slot of each."""

from __future__ import annotations

import numpy as np
import pytest
from sparse_bench import check, sparse_samples

from lgn_hdl.errors import BuildError
from lgn_hdl.hdl.sparse import Pool
from lgn_hdl.network import FixedPoint, SparsePool2d, TensorType

SIGNED = FixedPoint(4, 2, signed=True)


@pytest.mark.parametrize("parallel", [1, 2, 6])
@pytest.mark.parametrize(
    ("kind", "number", "window"),
    [
        ("average", SIGNED, (2, 3)),
        ("max", FixedPoint(4, 1), (3, 2)),
        ("max", FixedPoint(3), (5, 7)),
    ],
)
def test_cells(kind, number: FixedPoint, window: tuple[int, int], parallel: int) -> None:
    source = TensorType((6, 2), number, masked=True, frame=(5, 7))
    layer = SparsePool2d(window, kind)
    block = Pool(layer=layer, source=source, parallel=parallel)
    assert block.interval == -(-6 // parallel)
    check(block, layer, source, sparse_samples(np.random.default_rng(parallel), source, 9))


@pytest.mark.parametrize("parallel", [1, 4])
def test_a_cell_full_of_the_largest_numbers(parallel: int) -> None:
    source = TensorType((4, 1), FixedPoint(3), masked=True, frame=(2, 100))
    sample = np.array([[[7, 0, 98, 1], [7, 0, 99, 1], [7, 1, 98, 1], [7, 1, 99, 1]]])
    for kind in ("average", "max"):
        layer = SparsePool2d((2, 2), kind)
        check(Pool(layer=layer, source=source, parallel=parallel), layer, source, sample)


def test_one_slot() -> None:
    source = TensorType((1, 1), SIGNED, masked=True, frame=(3, 3))
    layer = SparsePool2d((2, 2))
    sample = np.array([[[-8, 1, 1, 1]], [[7, 2, 1, 1]], [[0, 0, 0, 0]]])
    check(Pool(layer=layer, source=source, parallel=1), layer, source, sample)


def test_too_many_at_once() -> None:
    source = TensorType((4, 1), FixedPoint(3), masked=True, frame=(2, 9))
    with pytest.raises(BuildError, match="5 slots a clock, expected 1 to 4"):
        Pool(layer=SparsePool2d((2, 2)), source=source, parallel=5)
