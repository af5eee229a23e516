"""Synthetic clusters: charged pions through a planar pixel sensor in a magnetic field.

A simplified simulation with the geometry, fields and label columns of the public smart-pixel set
(docs/smartpixels.md states the physics and what is left out). Axes: y is the bend direction with
the fine pitch, x runs along the beam, z is the depth; the collecting electrodes are at
z = thickness, and tracks enter there, going towards z = 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..errors import LgnError
from .dataset import COLUMNS, ROWS, SLICE_PS, SLICES, Clusters
from .energyloss import charge_along
from .tracks import Tracks, draw_tracks

__all__ = ["Sensor", "generate", "generate_chunks", "simulate_tracks"]

_CHUNK = 1000
_THERMAL_VOLTS = 0.0259


@dataclass(frozen=True)
class Sensor:
    """Everything the generator assumes. Lengths in µm unless the name says mm.

    Parameters
    ----------
    pitch_x, pitch_y, thickness : float
        Of a pixel and of the sensor.
    bias_volts : float
        Gives the field that diffusion is calculated with; the field is uniform.
    lorentz : float
        Tangent of the Lorentz angle: sideways drift in y per depth drifted.
    electrons_um_ns, holes_um_ns : float
        Drift velocities.
    weighting_um : float
        Reach of the weighting potential of a pixel.
    steps : int
        Equal pieces of depth that a track's charge is put on.
    noise : float
        Electrons rms in each pixel and slice, before the threshold.
    threshold : float
        A pixel whose last slice holds fewer electrons reads zero in all slices.
    radius_mm, field_tesla, half_width_mm, half_length_mm : float
        Of the barrel layer: distance from the beam, solenoidal field, half the sensor's size in y,
        half the layer's length along the beam.
    pt_min, pt_knee, pt_max, knee_fraction : float
        |pT| in GeV is drawn log-uniform, with `knee_fraction` of the tracks between `pt_min` and
        `pt_knee`, the rest up to `pt_max`.

    Raises
    ------
    LgnError
        If a number is out of range.
    """

    pitch_x: float = 50.0
    pitch_y: float = 12.5
    thickness: float = 100.0
    bias_volts: float = 100.0
    lorentz: float = 0.30
    electrons_um_ns: float = 70.0
    holes_um_ns: float = 45.0
    weighting_um: float = 15.0
    steps: int = 20
    noise: float = 80.0
    threshold: float = 400.0
    radius_mm: float = 30.0
    field_tesla: float = 3.8
    half_width_mm: float = 8.0
    half_length_mm: float = 300.0
    pt_min: float = 0.05
    pt_knee: float = 0.4
    pt_max: float = 10.0
    knee_fraction: float = 0.6

    def __post_init__(self) -> None:
        positive = ("pitch_x", "pitch_y", "thickness", "bias_volts", "electrons_um_ns")
        positive += (
            "holes_um_ns",
            "weighting_um",
            "steps",
            "radius_mm",
            "half_length_mm",
            "pt_min",
        )
        for name in positive:
            if not getattr(self, name) > 0:
                raise LgnError(f"{name} is {getattr(self, name)}, expected a positive number")
        for name in ("noise", "threshold", "field_tesla", "half_width_mm"):
            if not getattr(self, name) >= 0:
                raise LgnError(f"{name} is {getattr(self, name)}, expected zero or more")
        if not self.pt_min < self.pt_knee < self.pt_max:
            raise LgnError(
                f"pT ranges from {self.pt_min} over {self.pt_knee} to {self.pt_max} GeV, "
                "expected three ascending numbers"
            )
        if not 0 <= self.knee_fraction <= 1:
            raise LgnError(f"knee_fraction is {self.knee_fraction}, expected 0 to 1")
        reach = np.hypot(self.radius_mm, self.half_width_mm) * 1e-3
        if 0.3 * self.field_tesla * reach / (2 * self.pt_min) >= 1:
            raise LgnError(f"tracks of {self.pt_min} GeV curl up before they reach the sensor")

    def depths(self) -> np.ndarray:
        """Distance to the electrodes of the middle of each step, float64 of shape (steps,)."""
        return (np.arange(self.steps) + 0.5) * self.thickness / self.steps

    def collected(self) -> np.ndarray:
        """Share of a step's charge that its pixel has by the end of each slice, (steps, slices).

        By Shockley and Ramo: the electron moves to the electrode and the hole away from it, and
        each induces the difference of the weighting potential along its way.
        """
        depth = self.depths()[:, None]
        time = (np.arange(SLICES) + 1) * SLICE_PS * 1e-3
        electron = np.maximum(depth - self.electrons_um_ns * time, 0)
        hole = np.minimum(depth + self.holes_um_ns * time, self.thickness)
        return self._weighting(electron) - self._weighting(hole)

    def _weighting(self, depth: np.ndarray) -> np.ndarray:
        return (1 - depth / self.thickness) * np.exp(-depth / self.weighting_um)


def generate(n: int, seed: int = 0, sensor: Sensor | None = None) -> Clusters:
    """`n` clusters (22 kB each); see `generate_chunks`."""
    return Clusters.joined(list(generate_chunks(n, seed, sensor)))


def generate_chunks(n: int, seed: int = 0, sensor: Sensor | None = None) -> Iterator[Clusters]:
    """Clusters in sets of at most 1,000. The same seed gives the same first clusters for every `n`
    that is a multiple of 1,000.

    Raises
    ------
    LgnError
        If `n` or the seed is not in range.
    """
    if n < 1:
        raise LgnError(f"the number of clusters is {n}, expected at least 1")
    if seed < 0:
        raise LgnError(f"the seed is {seed}, expected zero or more")
    sensor = sensor or Sensor()
    for start in range(0, n, _CHUNK):
        rng = np.random.default_rng([seed, start])
        tracks = draw_tracks(min(_CHUNK, n - start), sensor, rng)
        yield simulate_tracks(tracks, sensor, rng)


def simulate_tracks(tracks: Tracks, sensor: Sensor, rng: np.random.Generator) -> Clusters:
    """The clusters of given tracks."""
    depth = sensor.depths()
    charge = charge_along(tracks, sensor.thickness / sensor.steps, sensor.steps, rng)
    # Where the charge of a step arrives: along the track, then drifting sideways in y.
    y = tracks.y_entry[:, None] - (tracks.cot_beta[:, None] + sensor.lorentz) * depth
    x = tracks.x_entry[:, None] - tracks.cot_alpha[:, None] * depth
    spread = 1 + 2 * _THERMAL_VOLTS / sensor.bias_volts * sensor.thickness * depth
    piece = sensor.thickness / sensor.steps
    shares_y = _shares(y, spread, (tracks.cot_beta + sensor.lorentz) * piece, sensor.pitch_y, ROWS)
    shares_x = _shares(x, spread, tracks.cot_alpha * piece, sensor.pitch_x, COLUMNS)
    shares_y *= charge[..., None].astype(np.float32)
    pixels = np.einsum("nky,nkx->nyxk", shares_y, shares_x, optimize=True)
    final = pixels @ sensor.collected().astype(np.float32)  # (n, y, x, slices)
    charges = np.ascontiguousarray(np.moveaxis(final, 3, 1))
    _read_out(charges, sensor, rng)
    labels = tracks.labels(sensor, charge.sum(1))
    edge = np.ones((ROWS, COLUMNS), bool)
    edge[1:-1, 1:-1] = False
    labels["original_atEdge"] = np.asarray((charges[:, -1][:, edge] > 0).any(1), np.float64)
    return Clusters(charges, labels)


def _shares(
    place: np.ndarray, spread: np.ndarray, extent: np.ndarray, pitch: float, pixels: int
) -> np.ndarray:
    """Shares of each step's charge in each pixel along one axis, float32 (n, steps, pixels).

    A Gaussian of the given variance, widened by the step's own extent along the axis. Charge that
    falls outside the window is lost.
    """
    sigma = np.sqrt(spread + (extent[:, None] ** 2) / 12)
    borders = (np.arange(pixels + 1) - pixels / 2) * pitch
    z = (borders - place[..., None]) / sigma[..., None]
    return np.diff(_normal_cdf(z.astype(np.float32)), axis=-1)


def _normal_cdf(z: np.ndarray) -> np.ndarray:
    """Gaussian distribution function to 2e-4, monotone and cheap: a logistic of a cubic."""
    z = np.clip(z, -8, 8)
    return 1 / (1 + np.exp(-z * (1.5976 + 0.07056 * z * z)))


def _read_out(charges: np.ndarray, sensor: Sensor, rng: np.random.Generator) -> None:
    """Add noise and set pixels below the threshold to zero, in place."""
    last = charges[:, -1]
    if sensor.noise:
        last += np.float32(sensor.noise) * rng.standard_normal(last.shape, np.float32)
    silent = last < sensor.threshold
    if sensor.noise:
        n, y, x = np.nonzero(~silent)
        noise = rng.standard_normal((len(n), SLICES - 1), np.float32)
        charges[n, :-1, y, x] += np.float32(sensor.noise) * noise
    np.copyto(charges, 0, where=silent[:, None])
