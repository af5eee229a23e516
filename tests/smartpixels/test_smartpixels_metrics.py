"""Classes, splits, and figures of merit against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from lgn_hdl.errors import LgnError
from lgn_hdl.smartpixels import CLASSES, class_index
from lgn_hdl.smartpixels.labels import class_names
from lgn_hdl.smartpixels.metrics import PT_EDGES, Curve, acceptance, accuracy_by_y0, scores
from lgn_hdl.smartpixels.split import split

HIGH, MINUS, PLUS = (CLASSES.index(name) for name in ("high pT", "low pT-", "low pT+"))


def test_classes() -> None:
    pt = np.array([0.21, -5.0, 0.2, -0.2, 0.1, -0.1])
    names = ["high pT", "high pT", "low pT+", "low pT-", "low pT+", "low pT-"]
    assert class_names(class_index(pt)).tolist() == names
    assert class_index(pt, 0.6).tolist() == [PLUS, HIGH, PLUS, MINUS, PLUS, MINUS]
    for wrong in (0.0, np.nan):
        with pytest.raises(LgnError, match="cluster 1 has pT"):
            class_index(np.array([1.0, wrong]))
    with pytest.raises(LgnError, match="boundary is 0"):
        class_index(pt, 0)


def test_acceptance() -> None:
    pt = np.array([0.1, -0.1, 0.15, 0.5, -0.5, 0.7, 3.0, -4.0])
    predicted = np.array([HIGH, MINUS, PLUS, HIGH, HIGH, PLUS, HIGH, HIGH])
    curve = acceptance(predicted, pt, np.array([0.05, 0.2, 1.0, 2.0, 5.0]))
    assert curve.passed.tolist() == [1, 2, 0, 2]
    assert curve.total.tolist() == [3, 3, 0, 2]
    np.testing.assert_allclose(curve.share, [1 / 3, 2 / 3, np.nan, 1])


def test_binomial_errors() -> None:
    """Wilson: for 30 of 100 the interval is (0.3 + 0.005 -+ sqrt(0.0021 + 0.000025)) / 1.01."""
    curve = Curve(np.arange(4.0), np.array([30, 0, 10]), np.array([100, 10, 10]))
    low, high = curve.interval
    half = np.sqrt(0.3 * 0.7 / 100 + 0.25 / 100**2) / 1.01
    assert high[0] == pytest.approx(0.305 / 1.01 + half)
    assert low[0] == pytest.approx(0.305 / 1.01 - half)
    assert low[1] == pytest.approx(0)
    assert high[1] == pytest.approx(1 / 11)
    assert high[2] == pytest.approx(1)
    assert low[2] == pytest.approx(10 / 11)


def test_accuracy_by_y0() -> None:
    y0 = np.array([-7.5, -7.2, 0.5, 0.7, 0.9])
    curve = accuracy_by_y0(np.array([0, 1, 2, 2, 2]), np.array([0, 0, 2, 2, 1]), y0)
    assert curve.total[0] == 2
    assert curve.share[0] == 0.5
    assert curve.total[8] == 3
    assert curve.share[8] == pytest.approx(2 / 3)
    assert curve.total.sum() == 5


def test_scores() -> None:
    pt = np.array([3.0, -4.0, 5.0, 1.5, -0.5, 0.1, -0.1, 0.15])
    predicted = np.array([HIGH, HIGH, PLUS, HIGH, MINUS, PLUS, PLUS, HIGH])
    found = scores(predicted, pt)
    assert found.efficiency == pytest.approx(2 / 3)
    assert found.accuracy == pytest.approx(4 / 8)
    assert found.rejection == pytest.approx(3 / 5)
    assert found.low_rejection == pytest.approx(2 / 3)
    assert found.tracks == 8
    assert np.isnan(scores(predicted[4:], pt[4:]).efficiency)
    with pytest.raises(LgnError, match="do not fit"):
        scores(predicted[:3], pt)


def test_bins() -> None:
    assert 0.2 in PT_EDGES
    assert 2.0 in PT_EDGES
    with pytest.raises(LgnError, match="bin edges"):
        acceptance(np.array([0]), np.array([1.0]), np.array([2.0, 1.0]))


def test_split() -> None:
    parts = split(1000, seed=4)
    assert [len(p) for p in parts] == [600, 150, 250]
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(1000))
    for a, b in zip(parts, split(1000, seed=4), strict=True):
        assert np.array_equal(a, b)
    assert not np.array_equal(parts[0], split(1000, seed=5)[0])
    assert [len(p) for p in split(3)] == [1, 1, 1]
    with pytest.raises(LgnError, match="2 clusters cannot"):
        split(2)
    with pytest.raises(LgnError, match="add up to 1"):
        split(10, (0.5, 0.5, 0.5))
