"""Quantisers of HGQ2: every number of small formats, through ours and through the definition."""

from __future__ import annotations

import itertools
from fractions import Fraction
from math import floor

import numpy as np
import pytest

from lgn_hdl.errors import FormatError, NetworkError
from lgn_hdl.frontends.sparsepixels.constants import constants, integers_of, quantized
from lgn_hdl.frontends.sparsepixels.quantizers import Rule
from lgn_hdl.network import FixedPoint, Network, Node, TensorType
from lgn_hdl.reference import Reference

ROUND = {
    "TRN": floor,
    "RND": lambda x: floor(x + Fraction(1, 2)),
    "RND_CONV": round,
    "TRN_ZERO": int,
    "RND_MIN_INF": lambda x: -floor(Fraction(1, 2) - x),
    "RND_INF": lambda x: floor(abs(x) + Fraction(1, 2)) * (1 if x > 0 else -1),
    "RND_ZERO": lambda x: -floor(Fraction(1, 2) - abs(x)) * (1 if x > 0 else -1),
}
OVERFLOW = ("SAT", "SAT_SYM", "WRAP")
LANES = [(k, i, f) for k in (0, 1) for i in (-1, 0, 1, 3) for f in (-1, 0, 1, 2) if k + i + f > 0]
SOURCES = [
    FixedPoint(4, 2),
    FixedPoint(5, 2, signed=True),
    FixedPoint(4, 0, signed=True),
    FixedPoint(3, 3, signed=True),
    FixedPoint(4, 1, scale=Fraction(1, 9)),
    FixedPoint(5, 0, signed=True, scale=Fraction(1, 4)),
    FixedPoint(4, 2, scale=Fraction(1, 6)),
]


def defined(x: Fraction, rounding: str, overflow: str, kif: tuple[int, int, int]) -> Fraction:
    """What HGQ2 makes of a number: rounded, and wrapped or held at the ends."""
    k, i, f = kif
    i = max(i, -f)
    step = Fraction(2) ** -f
    y = ROUND[rounding](x / step) * step
    high = Fraction(2) ** i - step
    if overflow == "WRAP":
        low = -k * Fraction(2) ** i
        return (y - low) % (Fraction(2) ** (i + k)) + low
    low = -k * (high if overflow == "SAT_SYM" else Fraction(2) ** i)
    return min(max(y, low), high)


def ours(rule: Rule, source: FixedPoint) -> list[Fraction]:
    """All numbers of a format, through the layer that does the same."""
    layer = rule.layer(source)
    integers = np.arange(source.min_int, source.max_int + 1)
    if layer is None:
        return [int(n) * source.step for n in integers]
    kind = TensorType((1,), source)
    network = Network({"x": kind}, (Node("q", layer, ("x",)),), ("q",))
    out = Reference(network)(source.to_real(integers).reshape(-1, 1)).numpy()[:, 0]
    return [int(n) * layer.format.step for n in out]


def described(rounding: str, overflow: str, kif: tuple[int, int, int]) -> dict:
    return {"rounding": rounding, "overflow": overflow, **dict(zip("kif", kif, strict=True))}


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_every_number_or_a_refusal(source: FixedPoint) -> None:
    reals = [n * source.step for n in range(source.min_int, source.max_int + 1)]
    said = refused = needless = 0
    for rounding, overflow, kif in itertools.product(ROUND, OVERFLOW, LANES):
        rule = Rule.read(described(rounding, overflow, kif))
        expected = [defined(x, rounding, overflow, kif) for x in reals]
        try:
            found = ours(rule, source)
        except NetworkError:
            refused += 1
            best = [defined(x, "RND_CONV", "SAT", kif) for x in reals]
            needless += expected == best
            continue
        said += 1
        assert found == expected, (rounding, overflow, kif)
    assert said > 50
    assert refused > 50
    # A format as narrow as these may never meet what it is refused for.
    assert needless < 0.4 * refused


def test_all_formats_of_elements_count() -> None:
    both = {"rounding": "RND", "overflow": "WRAP", "k": 1, "i": [2, 3], "f": [4, 5]}
    assert Rule.read(both).layer(FixedPoint(5, 3)) is None
    many = {**both, "i": [2, 3, 4, 5], "f": 0}
    with pytest.raises(NetworkError, match=r"4 formats .* \(fixed<3,3>, .*fixed<5,5>, \.\.\.\)"):
        Rule.read(many).layer(FixedPoint(8, 5))
    with pytest.raises(
        NetworkError, match=r"2 formats .* \(fixed<7,3>, fixed<9,4>\), expected one"
    ):
        Rule.read(both).layer(FixedPoint(8, 5))
    uneven = {**both, "f": [4, 4], "i": [2, 2], "rounding": "RND_CONV", "overflow": "SAT"}
    layer = Rule.read(uneven).layer(FixedPoint(9, 6, signed=True))
    assert layer is not None
    assert str(layer.format) == "fixed<7,3>"
    narrow = Rule.read(uneven).layer(FixedPoint(8, 6))
    assert narrow is not None
    assert str(narrow.format) == "ufixed<6,2>"


@pytest.mark.parametrize(("rounding", "overflow"), list(itertools.product(ROUND, OVERFLOW)))
def test_constants_are_quantised_by_the_definition(rounding: str, overflow: str) -> None:
    rng = np.random.default_rng(5)
    values = (np.rint(rng.normal(0, 1.5, 400) * 64) / 64).astype(np.float32)
    kif = rng.integers((0, -1, -1), (2, 4, 5), (400, 3))
    rule = {"rounding": rounding, "overflow": overflow}
    rule |= dict(zip("kif", kif.T, strict=True))
    found = quantized(values, rule)
    for x, y, (k, i, f) in zip(values, found, kif.tolist(), strict=True):
        none = k + i + f <= 0
        expected = 0 if none else defined(Fraction(float(x)), rounding, overflow, (k, i, f))
        assert Fraction(float(y)) == expected, (x, k, i, f)


def test_constants_that_do_not_wrap_are_only_rounded() -> None:
    rule = {"rounding": "RND", "overflow": "WRAP", "k": 1, "i": 0, "f": 1}
    values = np.array([3.25, -2.75], np.float32)
    assert quantized(values, rule, wraps=False).tolist() == [3.5, -2.5]
    assert quantized(values, rule).tolist() == [-0.5, -0.5]


def test_stochastic_rounding_is_that_of_training_only() -> None:
    assert Rule.read(described("S_RND_CONV", "SAT", (1, 2, 3))).rounding == "RND_CONV"


@pytest.mark.parametrize("values", [[0.0, 0.0], [0.375, -2.0], [96.0, 32.0], [2.0**-20, 1.0]])
def test_constants_as_integers(values: list[float]) -> None:
    said = integers_of(np.array(values, np.float32))
    integers, number = constants(said, 1)
    assert [int(n) * number.step for n in integers] == [Fraction(v) for v in values]
    assert (integers >= number.min_int).all()
    assert (integers <= number.max_int).all()
    assert any(n % 2 for n in integers.tolist()) or not any(values)


def test_constants_that_are_none() -> None:
    with pytest.raises(NetworkError, match=r"a constant is not finite at \(1,\): inf"):
        integers_of(np.array([0, np.inf]))
    with pytest.raises(NetworkError, match=r"quantised by RND, WRAP_SM"):
        quantized(np.zeros(1, np.float32), described("RND", "WRAP_SM", (1, 1, 1)))
    for wrong in ({"integers": [0.5], "fraction": 0}, {"integers": [[1]], "fraction": 0}):
        with pytest.raises(FormatError, match="constants are"):
            constants(wrong, 1)
