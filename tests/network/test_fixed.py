"""FixedPoint: notation, rounding, saturation, exact comparison with real thresholds."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgn_hdl.errors import NetworkError
from lgn_hdl.network import FixedPoint

scales = st.sampled_from([Fraction(1), Fraction(1, 49), Fraction(3), Fraction(5, 7)])
formats = st.builds(FixedPoint, st.integers(1, 62), st.integers(-70, 90), st.booleans(), scales)
small_formats = st.builds(
    FixedPoint, st.integers(1, 8), st.integers(-4, 12), st.booleans(), st.just(Fraction(1))
)
finite = st.floats(allow_nan=False, allow_infinity=False)


def all_integers(form: FixedPoint) -> np.ndarray:
    return np.arange(form.min_int, form.max_int + 1)


def value(form: FixedPoint, integer: int) -> Fraction:
    """What a stored integer means, without floating point."""
    return integer * Fraction(2) ** -form.fraction * form.scale


@given(formats)
def test_notation_round_trip(form: FixedPoint) -> None:
    assert FixedPoint.parse(str(form)) == form


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("bit", FixedPoint(1)),
        ("uint8", FixedPoint(8)),
        ("int8", FixedPoint(8, signed=True)),
        ("fixed<16,6>", FixedPoint(16, 10, signed=True)),
        ("ap_fixed<16, 6>", FixedPoint(16, 10, signed=True)),
        ("ap_ufixed<8,0>", FixedPoint(8, 8)),
        (" ufixed< 8 , -2 > ", FixedPoint(8, 10)),
        ("ufixed<4,9>", FixedPoint(4, -5)),
        ("ufixed<8,8>*1/49", FixedPoint(8, 0, scale=Fraction(1, 49))),
    ],
)
def test_notation(text: str, form: FixedPoint) -> None:
    assert FixedPoint.parse(text) == form


@pytest.mark.parametrize("text", ["", "float", "fixed<8>", "ufixed<8,1.5>", "int", "bit8"])
def test_unknown_notation(text: str) -> None:
    with pytest.raises(NetworkError, match=r"is not understood.*expected fixed<W,I>"):
        FixedPoint.parse(text)


@pytest.mark.parametrize("text", ["ufixed<0,0>", "int63", "fixed<1000,3>", "fixed<8,-99999999999>"])
def test_formats_out_of_range(text: str) -> None:
    with pytest.raises(NetworkError, match="expected"):
        FixedPoint.parse(text)


def test_scale_must_be_positive() -> None:
    for scale in (0, -1):
        with pytest.raises(NetworkError, match="expected a positive rational"):
            FixedPoint(8, scale=Fraction(scale))


@given(formats)
def test_range(form: FixedPoint) -> None:
    assert form.max_int - form.min_int == 2**form.width - 1
    assert form.min_int == (-(2 ** (form.width - 1)) if form.signed else 0)


@given(small_formats, st.fractions(-300, 300, max_denominator=64))
def test_quantize_rounds_to_nearest_ties_to_even_and_saturates(
    form: FixedPoint, x: Fraction
) -> None:
    nearest = round(x / value(form, 1))  # Python rounds a Fraction's ties to even
    expected = min(max(nearest, form.min_int), form.max_int)
    # A denominator of 64 is exact in binary only when it is a power of two.
    if Fraction(float(x)) == x:
        assert form.quantize(np.array(float(x))) == expected


@pytest.mark.parametrize(
    ("real", "integer"), [(0.5, 0), (1.5, 2), (2.5, 2), (-0.5, 0), (-1.5, -2), (-2.5, -2)]
)
def test_ties_to_even(real: float, integer: int) -> None:
    assert FixedPoint(8, signed=True).quantize(np.array([real])) == [integer]


@given(formats, st.sampled_from([np.inf, 1e300, 1.7e308]))
def test_saturation(form: FixedPoint, far: float) -> None:
    assert form.quantize(np.array([far, -far])).tolist() == [form.max_int, form.min_int]


@given(st.integers(1, 62), st.booleans(), st.data())
def test_integers_stay_themselves_up_to_53_bits(width: int, signed: bool, data) -> None:
    form = FixedPoint(width, signed=signed)
    low, high = max(form.min_int, -(2**53)), min(form.max_int, 2**53)
    n = data.draw(st.integers(low, high))
    assert form.quantize(np.array([float(n)])) == [n]
    assert form.to_real(np.array([n])) == [float(n)]


@given(small_formats)
def test_stored_values_are_fixed_points(form: FixedPoint) -> None:
    every = all_integers(form)
    real = form.to_real(every)
    assert [Fraction(r) for r in real.tolist()] == [value(form, n) for n in every.tolist()]
    assert np.array_equal(form.quantize(real), every)


def test_nan_is_refused() -> None:
    with pytest.raises(NetworkError, match="cannot quantise NaN"):
        FixedPoint(8).quantize(np.array([1.0, np.nan]))


@given(formats, finite, st.data())
def test_comparison_with_a_real_threshold_is_exact(form: FixedPoint, t: float, data) -> None:
    edge = form.floor_int(t)
    near = min(max(edge, form.min_int), form.max_int)
    candidates = {form.min_int, form.max_int, near, *(near + d for d in (-1, 1))}
    candidates.add(data.draw(st.integers(form.min_int, form.max_int)))
    for n in candidates:
        if form.min_int <= n <= form.max_int:
            assert (value(form, n) > Fraction(t)) == (n > edge)
            assert (value(form, n) >= Fraction(t)) == (n >= form.ceil_int(t))


@given(formats, st.data())
def test_threshold_on_a_stored_value_is_not_passed_by_it(form: FixedPoint, data) -> None:
    n = data.draw(st.integers(form.min_int, form.max_int))
    if form.scale == 1 and Fraction(float(value(form, n))) == value(form, n):
        assert form.floor_int(float(value(form, n))) == n


@given(st.integers(-(2**60), 2**60), st.integers(0, 2**60))
def test_covering_is_the_narrowest_integer_format(low: int, more: int) -> None:
    form, high = FixedPoint.covering(low, low + more), low + more
    assert form.min_int <= low <= high <= form.max_int
    assert form.signed == (low < 0)
    if form.width > 1:
        narrower = FixedPoint(form.width - 1, signed=form.signed)
        assert low < narrower.min_int or high > narrower.max_int


thresholds_of_a_feature = st.lists(
    st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1.0, -1.0, 0.9999999, 255.5]),
    min_size=1,
    max_size=5,
)


@given(thresholds_of_a_feature, st.integers(2, 24))
def test_around_keeps_every_comparison_decidable(thresholds: list[float], width: int) -> None:
    form = FixedPoint.around(np.array(thresholds), width)
    assert form.width == width
    for t in thresholds:
        # Saturated values are still on the right side of every threshold.
        low, high = form.quantize(np.array([-np.inf, np.inf])).tolist()
        assert low <= form.floor_int(t) < high


def test_around_uses_the_finest_step() -> None:
    assert str(FixedPoint.around(np.array([0.25, 0.75]))) == "ufixed<16,0>"
    assert str(FixedPoint.around(np.array([-0.25, 0.75]))) == "fixed<16,1>"
    assert str(FixedPoint.around(np.array([3.5, 12.5]), 8)) == "ufixed<8,4>"
    assert FixedPoint.around(np.zeros(3)).width == 16
