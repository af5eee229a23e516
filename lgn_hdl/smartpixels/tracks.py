"""Tracks: from transverse momentum and place to the angles at which the sensor is crossed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .generator import Sensor

__all__ = ["PION_MASS", "Tracks", "draw_tracks", "slope_y"]

PION_MASS = 0.13957
_PION = 211


@dataclass(frozen=True, eq=False)
class Tracks:
    """Tracks at the sensor, every field float64 of shape (n,).

    Parameters
    ----------
    pt : ndarray
        GeV times the sign of the charge.
    y_local : ndarray
        Position of the window's centre on the sensor, mm, a multiple of the pitch.
    cot_alpha, cot_beta : ndarray
        Slopes dx/dz and dy/dz.
    x_entry, y_entry : ndarray
        Where the track enters, µm from the window's centre.
    """

    pt: np.ndarray
    y_local: np.ndarray
    cot_alpha: np.ndarray
    cot_beta: np.ndarray
    x_entry: np.ndarray
    y_entry: np.ndarray

    @property
    def path(self) -> np.ndarray:
        """Length travelled per depth, at least 1."""
        return np.sqrt(1 + self.cot_alpha**2 + self.cot_beta**2)

    @property
    def beta_gamma(self) -> np.ndarray:
        """p/m, taking every particle for a pion; p follows from pT and the slope along the beam."""
        across = np.sqrt(1 + self.cot_beta**2)
        return np.abs(self.pt) * self.path / across / PION_MASS

    def labels(self, sensor: Sensor, pairs: np.ndarray) -> dict[str, np.ndarray]:
        """Columns of the public set; `pairs` is the charge set free by each track."""
        n_z = -1 / self.path
        half = sensor.thickness / 2
        return {
            "x-entry": self.x_entry,
            "y-entry": self.y_entry,
            "z-entry": np.full_like(self.pt, sensor.thickness),
            "n_x": self.cot_alpha * n_z,
            "n_y": self.cot_beta * n_z,
            "n_z": n_z,
            "number_eh_pairs": np.round(pairs),
            "y-local": self.y_local,
            "pt": self.pt,
            "hit_z": -self.cot_alpha * np.hypot(sensor.radius_mm, self.y_local),
            "PID": np.sign(self.pt) * _PION,
            "cotAlpha": self.cot_alpha,
            "cotBeta": self.cot_beta,
            "y-midplane": self.y_entry - self.cot_beta * half,
            "x-midplane": self.x_entry - self.cot_alpha * half,
        }


def slope_y(pt: np.ndarray, y_local: np.ndarray, sensor: Sensor) -> np.ndarray:
    """Slope dy/dz (cotBeta) of a track from the beam line.

    The sensor is flat, its middle at `radius_mm`. A straight track crosses it at the angle
    -atan(y/R); the field turns the track by asin(0.3 B r / 2 pT) on its way, to positive angles for
    positive charge.
    """
    r = np.hypot(sensor.radius_mm, y_local) * 1e-3
    turn = np.arcsin(0.3 * sensor.field_tesla * r / (2 * pt))
    return np.tan(turn - np.arctan(y_local / sensor.radius_mm))


def draw_tracks(n: int, sensor: Sensor, rng: np.random.Generator) -> Tracks:
    """Random tracks: both charges alike, flat in pseudorapidity and in the place on the sensor."""
    low = rng.random(n) < sensor.knee_fraction
    u = rng.random(n)
    first = np.where(low, sensor.pt_min, sensor.pt_knee)
    last = np.where(low, sensor.pt_knee, sensor.pt_max)
    pt = first * (last / first) ** u * rng.choice([-1.0, 1.0], n)
    rows = int(sensor.half_width_mm * 1e3 / sensor.pitch_y)
    y_local = rng.integers(-rows, rows + 1, n) * sensor.pitch_y * 1e-3
    cot_beta = slope_y(pt, y_local, sensor)
    eta = np.arcsinh(sensor.half_length_mm / sensor.radius_mm)
    cot_alpha = np.sinh(rng.uniform(-eta, eta, n))
    x_mid = rng.uniform(-1.5, 1.5, n) * sensor.pitch_x
    y_mid = rng.uniform(-1.5, 1.5, n) * sensor.pitch_y
    half = sensor.thickness / 2
    return Tracks(
        pt, y_local, cot_alpha, cot_beta, x_mid + half * cot_alpha, y_mid + half * cot_beta
    )
