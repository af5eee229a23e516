"""Positions in a row with zeros between lines: a window finds what the padded image has there."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lgn_hdl.logic.stream.grid import Grid, Sliding, zeros_for
from lgn_hdl.network import OrPool, TensorType


@st.composite
def slidings(draw: st.DrawFn) -> tuple[tuple[int, ...], Sliding]:
    axes = draw(st.integers(1, 3))
    size = tuple(draw(st.lists(st.integers(1, 6), min_size=axes, max_size=axes)))
    window = tuple(draw(st.lists(st.integers(1, 4), min_size=axes, max_size=axes)))
    stride = tuple(draw(st.lists(st.integers(1, 3), min_size=axes, max_size=axes)))
    padding = tuple(draw(st.lists(st.integers(0, 3), min_size=axes, max_size=axes)))
    assume(all(n + 2 * p >= w for n, w, p in zip(size, window, padding, strict=True)))
    layer = OrPool(window, stride, padding)
    out = layer.infer(TensorType((1, *size))).shape
    return size, Sliding.of(layer, tuple(range(axes)), out)


@given(slidings())
def test_windows_are_those_of_the_padded_image(case: tuple[tuple[int, ...], Sliding]) -> None:
    size, sliding = case
    grid = Grid(size, zeros_for(sliding, size))
    # Three images in direct succession; every element has a number of its own.
    images = 1 + np.arange(3 * prod(size)).reshape(3, -1)
    elements = np.zeros((3, grid.elements), np.int64)
    elements[:, grid.positions] = images
    places = np.indices(sliding.window).reshape(len(size), -1)
    newest = grid.elements + sliding.newest(grid)
    found = elements.ravel()[newest[:, None] - sliding.delay(grid, places)]
    padded = np.pad(images[1].reshape(size), [(p, p) for p in sliding.padding])
    corners = np.indices(sliding.out).reshape(len(size), -1) * np.array(sliding.stride)[:, None]
    assert np.array_equal(found, padded[tuple(corners[:, :, None] + places[:, None])])


@given(slidings())
def test_a_window_waits_for_its_own_image_only(case: tuple[tuple[int, ...], Sliding]) -> None:
    size, sliding = case
    grid = Grid(size, zeros_for(sliding, size))
    newest = sliding.newest(grid)
    assert 0 <= newest.min() <= newest.max() < grid.elements
    assert (np.diff(newest) > 0).all()


@pytest.mark.parametrize(
    ("window", "padding", "zeros"), [((3, 3), (1, 1), (1, 1)), ((2, 2), (0, 0), (0, 0))]
)
def test_one_zero_serves_two_lines(
    window: tuple[int, ...], padding: tuple[int, ...], zeros: tuple[int, ...]
) -> None:
    layer = OrPool(window, (1, 1), padding)
    out = layer.infer(TensorType((1, 13, 8))).shape
    assert zeros_for(Sliding.of(layer, (0, 1), out), (13, 8)) == zeros
