"""The reference layers against their definitions, written out in plain Python."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lgn_hdl.network import BIT, REAL, FixedPoint, LutLayer, Thermometer
from lgn_hdl.reference import layers as f
from lgn_hdl.reference.prepare import layer_tensors


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_lut_layer_reads_row_zero_as_the_most_significant_bit(k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    width, neurons = 7, 5
    wires = rng.integers(0, width, (k, neurons), dtype=np.int32)
    tables = rng.integers(0, 2**64, neurons, dtype=np.uint64) >> np.uint64(64 - (1 << k))
    data = layer_tensors(LutLayer(wires, tables), BIT)
    x = rng.integers(0, 2, (9, 2, width), dtype=np.uint8)
    out = f.lut_layer(torch.tensor(x), data["connections"], data["tables"])
    assert out.dtype == torch.uint8
    assert out.shape == (9, 2, neurons)
    for b, a, n in np.ndindex(9, 2, neurons):
        index = int("".join(str(x[b, a, wire]) for wire in wires[:, n]), 2)
        assert int(out[b, a, n]) == int(tables[n]) >> index & 1


def test_lut_layer_uses_the_highest_bit_of_a_64_bit_table() -> None:
    data = layer_tensors(
        LutLayer(np.arange(6, dtype=np.int32)[:, None], np.array([1 << 63], dtype=np.uint64)), BIT
    )
    x = torch.tensor([[1] * 6, [1] * 5 + [0], [0] * 6], dtype=torch.uint8)
    out = f.lut_layer(x, data["connections"], data["tables"])
    assert out[:, 0].tolist() == [1, 0, 0]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_thermometer_bit_order(axis: int) -> None:
    rng = np.random.default_rng(axis)
    x, t = rng.standard_normal((4, 2, 3, 5)), rng.standard_normal((2, 1, 5, 3))
    out = f.thermometer(torch.tensor(x), torch.tensor(t), axis).numpy()
    for place in np.ndindex(2, 3, 5):
        for j in range(3):
            merged = list(place)
            merged[axis] = place[axis] * 3 + j
            expected = x[:, *place] > t[place[0], 0, place[2], j]
            assert (out[:, *merged] == expected).all()


def test_thermometer_is_strict() -> None:
    out = f.thermometer(torch.tensor([[1.0, 2.0]]).double(), torch.tensor([[1.0]]).double(), 0)
    assert out.tolist() == [[0, 1]]


@settings(max_examples=200, deadline=None)
@given(
    st.builds(FixedPoint, st.integers(1, 12), st.integers(-3, 9), st.booleans()),
    st.floats(-50, 50, allow_nan=False),
    st.floats(-50, 50, allow_nan=False),
)
def test_fixed_point_comparison_is_that_of_the_quantised_real_values(
    form: FixedPoint, x: float, t: float
) -> None:
    layer = Thermometer(np.array([[t]]), axis=0)
    stored = form.quantize(np.array([[x]]))
    floors = layer_tensors(layer, form)["thresholds"]
    out = f.thermometer(torch.tensor(stored), floors, 0)
    assert bool(out[0, 0]) == bool(form.to_real(stored)[0, 0] > t)


def test_fixed_point_threshold_far_outside_the_range() -> None:
    form = FixedPoint(4)
    floors = layer_tensors(Thermometer(np.array([[-1e300, 1e300]]), axis=0), form)["thresholds"]
    out = f.thermometer(torch.tensor([[0], [15]]), floors, 0)
    assert out.tolist() == [[1, 0], [1, 0]]


def test_group_sum_counts_contiguous_groups() -> None:
    x = torch.tensor([[1, 1, 0, 1, 0, 0]], dtype=torch.uint8)
    assert f.group_sum(x, 3).tolist() == [[2, 1, 0]]
    wide = torch.ones((1, 1000), dtype=torch.uint8)
    assert f.group_sum(wide, 2).tolist() == [[500, 500]]
    assert f.group_sum(wide, 2).dtype == torch.int64


@given(st.lists(st.lists(st.integers(0, 3), min_size=5, max_size=5), min_size=1, max_size=9))
def test_argmax_ties_go_to_the_lowest_index(rows: list[list[int]]) -> None:
    assert f.arg_max(torch.tensor(rows)).tolist() == [row.index(max(row)) for row in rows]


def test_reshape_and_concat() -> None:
    x = torch.arange(12).reshape(1, 3, 4)
    assert f.reshape(x, (2, 6)).tolist() == [[list(range(6)), list(range(6, 12))]]
    assert f.concat([x, x], 1).shape == (1, 3, 8)


def test_real_thresholds_are_compared_in_double_precision() -> None:
    data = layer_tensors(Thermometer(np.array([[0.1]]), axis=0), REAL)["thresholds"]
    x = torch.tensor([[0.1], [float(np.nextafter(0.1, 1))]], dtype=torch.float64)
    assert f.thermometer(x, data, 0).tolist() == [[0], [1]]
