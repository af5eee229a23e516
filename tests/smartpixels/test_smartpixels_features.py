"""Integer features: exact sums, orders, limits, one format."""

from __future__ import annotations

import numpy as np
import pytest

from lgn_hdl.errors import LgnError
from lgn_hdl.network import FixedPoint
from lgn_hdl.smartpixels import Clusters, Digitiser, feature_vectors, generate
from lgn_hdl.smartpixels.features import FEATURES, profile_image, y_profile, y_profiles


def one_pixel(t: int, y: int, x: int, charge: float, y_local: float = 0.0) -> Clusters:
    """A cluster with charge in one pixel, from slice `t` on."""
    charges = np.zeros((1, 20, 13, 21), np.float32)
    charges[0, t:, y, x] = charge
    return Clusters(charges, {"pt": np.ones(1), "y-local": np.array([y_local])})


def test_counts() -> None:
    digitiser = Digitiser()
    charges = np.array([-500.0, 0, 199.9, 200, 399.9, 400, 12_599, 12_600, 1e6], np.float32)
    assert digitiser.counts(charges).tolist() == [0, 0, 0, 1, 1, 2, 62, 63, 63]
    assert digitiser.counts(charges).dtype == np.uint16
    coarse = Digitiser(adc_step=1000.0, adc_bits=2)
    assert coarse.counts(charges).tolist() == [0, 0, 0, 0, 0, 0, 3, 3, 3]


def test_y0_is_the_row_address() -> None:
    rows = Digitiser().y0(np.array([-9.0, -8.2, -8.1875, -0.0125, 0.0, 0.0125, 8.1875, 9.0]))
    assert rows.tolist() == [0, 0, 1, 655, 656, 657, 1311, 1311]
    every = np.arange(-640, 641) * 12.5e-3
    assert np.array_equal(Digitiser().y0(every), np.arange(-640, 641) + 656)


def test_one_format_holds_every_feature() -> None:
    assert Digitiser().format == FixedPoint(11)
    full = np.full((1, 20, 13, 21), 1e9, np.float32)
    clusters = Clusters(full, {"pt": np.ones(1), "y-local": np.array([99.0])})
    for features in FEATURES:
        x = feature_vectors(clusters, features)
        assert x.max() == 21 * 63 <= 2047
    assert Digitiser(adc_bits=8).format == FixedPoint(13)


def test_profiles_are_exact_sums() -> None:
    clusters = generate(50, 3)
    counts = Digitiser().counts(clusters.charges)
    profile, early = y_profile(counts), y_profiles(counts)
    for n, y in ((0, 4), (17, 5), (49, 3)):
        assert int(profile[n, y]) == sum(int(c) for c in counts[n, 19, y])
        assert int(early[n, y, 2]) == sum(int(c) for c in counts[n, 2, y])
    charges = y_profile(clusters.charges)
    np.testing.assert_allclose(charges, clusters.charges[:, 19].sum(2))


def test_order_of_9_and_14() -> None:
    x = feature_vectors(one_pixel(0, 4, 10, 1000.0), 14)
    assert x.tolist() == [[0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 656]]
    x = feature_vectors(one_pixel(0, 4, 10, 1000.0), 9)
    assert x.tolist() == [[0, 0, 0, 5, 0, 0, 0, 0, 656]]
    assert feature_vectors(one_pixel(0, 9, 10, 1000.0), 9)[0, :8].sum() == 0


def test_order_of_105() -> None:
    x = feature_vectors(one_pixel(3, 6, 10, 1000.0, y_local=-0.0125), 105)
    assert x.shape == (1, 105)
    assert x[0, 0] == 655
    expected = np.zeros((13, 8), int)
    expected[6, 3:] = 5
    assert np.array_equal(profile_image(x)[0], expected)
    assert [int(i) for i in np.flatnonzero(x[0, 1:])] == [6 * 8 + t for t in range(3, 8)]


def test_the_view_of_the_networks_is_the_image() -> None:
    """bits.view(13, 8, T).permute(2, 0, 1) has thresholds as channels, y as rows, t as columns."""
    x = feature_vectors(generate(20, 4), 105).astype(int)
    thresholds = np.array([0.5, 3.5, 40.5])
    bits = (x[:, :, None] > thresholds).reshape(20, -1)
    image = bits[:, 3:].reshape(20, 13, 8, 3).transpose(0, 3, 1, 2)
    for t, threshold in enumerate(thresholds):
        assert np.array_equal(image[:, t], profile_image(x) > threshold)


def test_wrong_requests() -> None:
    clusters = one_pixel(0, 0, 0, 1.0)
    with pytest.raises(LgnError, match="no vector of 10 features"):
        feature_vectors(clusters, 10)
    flat = Clusters(clusters.charges[:, -1:], clusters.labels)
    assert feature_vectors(flat, 14).shape == (1, 14)
    with pytest.raises(LgnError, match="1 time slice"):
        feature_vectors(flat, 105)
    with pytest.raises(LgnError, match="the ADC has 0 bits"):
        Digitiser(adc_bits=0)
    with pytest.raises(LgnError, match="y0 has 1 rows"):
        Digitiser(y0_rows=1)
