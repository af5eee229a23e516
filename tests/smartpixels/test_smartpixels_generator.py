"""Physics of the synthetic clusters: bending, drift, charge, time, threshold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lgn_hdl.errors import LgnError
from lgn_hdl.smartpixels import Sensor, generate
from lgn_hdl.smartpixels.energyloss import charge_along, restricted_loss
from lgn_hdl.smartpixels.generator import simulate_tracks
from lgn_hdl.smartpixels.tracks import Tracks, slope_y

QUIET = replace(Sensor(), noise=0.0, threshold=0.0)


def tracks(n: int, pt: float = 2.0, cot_alpha: float = 0.0, cot_beta: float = 0.0) -> Tracks:
    """`n` alike tracks through the middle of the window."""
    full = np.full(n, 1.0)
    entry = 50.0 * cot_alpha, 50.0 * cot_beta
    return Tracks(
        pt * full, 0 * full, cot_alpha * full, cot_beta * full, *(e * full for e in entry)
    )


def centre(profile: np.ndarray) -> float:
    """Mean row of the charge of all clusters."""
    return float((profile * np.arange(profile.shape[-1])).sum() / profile.sum())


def test_the_field_bends_by_charge_and_momentum() -> None:
    sensor, y0 = Sensor(), np.zeros(2)
    turn = np.arctan(slope_y(np.array([0.2, -0.2]), y0, sensor))
    assert turn[0] > 0 > turn[1]
    assert turn[0] == pytest.approx(-turn[1])
    assert turn[0] == pytest.approx(np.arcsin(0.3 * 3.8 * 0.030 / 0.4))
    assert slope_y(np.array([1e6]), np.array([6.0]), sensor)[0] == pytest.approx(-6 / 30, rel=1e-4)


def test_slopes_agree_with_the_true_momentum_of_every_cluster() -> None:
    labels = generate(1000, 5).labels
    curvature = np.arctan(labels["cotBeta"]) + np.arctan(labels["y-local"] / 30.0)
    assert (np.sign(curvature) == np.sign(labels["pt"])).all()
    assert (np.sign(labels["PID"]) == np.sign(labels["pt"])).all()
    np.testing.assert_allclose(
        labels["y-midplane"], labels["y-entry"] + labels["cotBeta"] * (50 - labels["z-entry"])
    )
    assert np.abs(labels["y-midplane"]).max() <= 18.75


def test_no_charge_is_lost_or_made() -> None:
    rng = np.random.default_rng(1)
    clusters = simulate_tracks(tracks(200, cot_beta=0.1), QUIET, rng)
    collected = clusters.charges[:, -1].sum((1, 2))
    np.testing.assert_allclose(collected, clusters.labels["number_eh_pairs"], rtol=2e-3)


def test_drift_moves_the_charge_by_the_lorentz_angle() -> None:
    rng = np.random.default_rng(2)
    with_drift = simulate_tracks(tracks(400), QUIET, rng).charges[:, -1].sum(2)
    without = replace(QUIET, lorentz=0.0)
    straight = simulate_tracks(tracks(400), without, rng).charges[:, -1].sum(2)
    assert centre(straight) == pytest.approx(6, abs=0.02)
    # Half the thickness on average, times the tangent, in rows.
    assert centre(with_drift) == pytest.approx(6 - 0.3 * 50 / 12.5, abs=0.05)


def test_a_track_against_the_drift_is_narrow_and_one_along_it_wide() -> None:
    rng = np.random.default_rng(3)

    def width(cot_beta: float) -> float:
        charges = simulate_tracks(tracks(200, cot_beta=cot_beta), QUIET, rng).charges[:, -1]
        return float((charges.sum(2) > 400).sum(1).mean())

    assert width(-0.3) < width(0.0) < width(0.3)


def test_the_time_of_arrival_tells_the_slope() -> None:
    """Charge near the electrodes comes first: early rows lie where the track enters."""
    rng = np.random.default_rng(4)
    for cot_beta in (-0.5, 0.5):
        charges = simulate_tracks(tracks(300, cot_beta=cot_beta), QUIET, rng).charges.sum(3)
        early, late = centre(charges[:, 0]), centre(charges[:, -1])
        assert np.sign(early - late) == np.sign(cot_beta + 0.3)


def test_charge_grows_with_time_and_is_complete() -> None:
    collected = Sensor().collected()
    assert (np.diff(collected, axis=1) >= -1e-12).all()
    np.testing.assert_allclose(collected[:, -1], 1)
    assert collected[0, 0] > collected[-1, 0]


def test_energy_loss() -> None:
    """About 80 electrons per µm at the minimum, more when slow, with a tail to large losses."""
    assert 70 < restricted_loss(np.array([3.5]))[0] < 80
    assert restricted_loss(np.array([0.5]))[0] > 2 * restricted_loss(np.array([3.5]))[0]
    total = charge_along(tracks(20_000, pt=0.5), 5.0, 20, np.random.default_rng(5)).sum(1)
    low, middle, high = np.quantile(total, [0.05, 0.5, 0.95])
    assert 7000 < middle < 8500
    assert high - middle > 1.5 * (middle - low)


def test_threshold_silences_a_pixel_in_all_slices() -> None:
    charges = generate(300, 6).charges
    last = charges[:, -1]
    assert ((last == 0) | (last >= 400)).all()
    quiet = np.broadcast_to((last == 0)[:, None], charges.shape)
    assert (charges[quiet] == 0).all()
    assert (last > 0).any((1, 2)).mean() > 0.99


def test_noise_without_charge() -> None:
    sensor = replace(Sensor(), noise=100.0, threshold=0.0, pt_min=5.0, pt_knee=6.0)
    last = simulate_tracks(tracks(200), sensor, np.random.default_rng(7)).charges[:, -1]
    empty = last[:, 10:, :5]  # far from the track, noise below zero cut away
    assert empty.max() < 700
    assert np.sqrt((empty**2).mean() * 2) == pytest.approx(100, rel=0.05)


def test_the_seed_decides() -> None:
    first, second, other = generate(60, 8), generate(60, 8), generate(60, 9)
    np.testing.assert_array_equal(first.charges, second.charges)
    assert not np.array_equal(first.charges, other.charges)
    np.testing.assert_array_equal(generate(1200, 8).pt[:1000], generate(1000, 8).pt)


def test_momenta_and_places_cover_their_ranges() -> None:
    clusters = generate(2000, 10)
    size = np.abs(clusters.pt)
    assert 0.05 <= size.min() < 0.06
    assert 8 < size.max() <= 10
    assert 0.35 < (size < 0.2).mean() < 0.45
    assert (clusters.pt > 0).mean() == pytest.approx(0.5, abs=0.05)
    assert np.abs(clusters.y0).max() <= 8
    rows = clusters.y0 / 0.0125
    np.testing.assert_allclose(rows, np.rint(rows), atol=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pitch_y": 0.0}, "pitch_y is 0.0"),
        ({"noise": -1.0}, "noise is -1.0"),
        ({"pt_min": 1.0}, "three ascending"),
        ({"pt_min": 0.01}, "curl up"),
        ({"knee_fraction": 1.5}, "knee_fraction"),
    ],
)
def test_wrong_parameters(change: dict, message: str) -> None:
    with pytest.raises(LgnError, match=message):
        replace(Sensor(), **change)


def test_wrong_numbers() -> None:
    with pytest.raises(LgnError, match="number of clusters is 0"):
        generate(0)
    with pytest.raises(LgnError, match="seed is -1"):
        generate(5, -1)
