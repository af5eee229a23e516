"""What the networks see: integers, as the readout makes them from a cluster.

Each pixel's charge is digitised in every slice, and profiles are exact sums of these counts, so
hardware gives the same numbers. All features share one unsigned format. Orders of the vectors:

- 9 features: rows 1 to 8 of the y-profile, then y0. The Lorentz drift moves the charge one row
  below the middle; these eight rows hold 99.6 % of it.
- 14 features: rows 0 to 12 of the y-profile, then y0.
- 105 features: y0, then the profiles of the first eight slices, row-major over (y, t): feature
  1 + 8·y + t is row y in slice t.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import LgnError
from ..network import FixedPoint
from .dataset import COLUMNS, ROWS, Clusters

__all__ = [
    "CENTRAL_ROWS",
    "EARLY_SLICES",
    "FEATURES",
    "Digitiser",
    "feature_vectors",
    "profile_image",
    "y_profile",
    "y_profiles",
]

CENTRAL_ROWS = slice(1, 9)
EARLY_SLICES = 8
#: Lengths of the vectors there are.
FEATURES = (9, 14, 1 + ROWS * EARLY_SLICES)


@dataclass(frozen=True)
class Digitiser:
    """How charge and position become integers.

    Parameters
    ----------
    adc_step : float
        Electrons per count.
    adc_bits : int
        Bits of a count; larger charges read as the largest count.
    y0_pitch_mm, y0_rows : float, int
        y0 is a row address: position over pitch, counted from the lower edge of the sensor.

    Raises
    ------
    LgnError
        If a number is not in range.
    """

    adc_step: float = 200.0
    adc_bits: int = 6
    y0_pitch_mm: float = 0.0125
    y0_rows: int = 1312

    def __post_init__(self) -> None:
        if not self.adc_step > 0 or not 1 <= self.adc_bits <= 12:
            raise LgnError(
                f"the ADC has {self.adc_bits} bits of {self.adc_step} electrons, "
                "expected 1 to 12 bits and a positive step"
            )
        if not self.y0_pitch_mm > 0 or self.y0_rows < 2:
            raise LgnError(
                f"y0 has {self.y0_rows} rows of {self.y0_pitch_mm} mm, "
                "expected at least 2 of positive pitch"
            )

    @property
    def format(self) -> FixedPoint:
        """The one format of all features: unsigned, wide enough for a profile and for y0."""
        largest = max(COLUMNS * (2**self.adc_bits - 1), self.y0_rows - 1)
        return FixedPoint.covering(0, largest)

    def counts(self, charges: np.ndarray) -> np.ndarray:
        """ADC counts of charges in electrons, uint16 of the same shape; negative ones read zero."""
        top = 2**self.adc_bits - 1
        return np.clip(np.floor(charges / self.adc_step), 0, top).astype(np.uint16)

    def y0(self, y_local: np.ndarray) -> np.ndarray:
        """Row addresses of positions in mm, uint16 of the same shape, limited to the sensor."""
        # Positions are multiples of the pitch up to rounding, so the nearest row is the exact one.
        rows = np.rint(np.asarray(y_local, np.float64) / self.y0_pitch_mm) + self.y0_rows // 2
        return np.clip(rows, 0, self.y0_rows - 1).astype(np.uint16)


def y_profile(counts: np.ndarray) -> np.ndarray:
    """Sums over x of the last slice.

    Parameters
    ----------
    counts : ndarray, shape (n, slices, 13, 21)
        Counts, or charges.

    Returns
    -------
    ndarray, shape (n, 13)
        Unsigned integers for counts, exact; floats for charges.
    """
    return counts[:, -1].sum(axis=-1)


def y_profiles(counts: np.ndarray, slices: int = EARLY_SLICES) -> np.ndarray:
    """Sums over x of the first slices, shape (n, 13, slices): row, then slice.

    Raises
    ------
    LgnError
        If there are fewer slices.
    """
    if counts.shape[1] < slices:
        raise LgnError(
            f"the clusters have {counts.shape[1]} time slice(s), {slices} are needed",
            hint="the 105 features need 3D data",
        )
    return np.swapaxes(counts[:, :slices].sum(axis=-1), 1, 2)


def feature_vectors(
    clusters: Clusters, features: int = 9, digitiser: Digitiser | None = None
) -> np.ndarray:
    """The vectors of a set of clusters.

    Parameters
    ----------
    features : int
        9, 14 or 105; the module states what they are and their order.

    Returns
    -------
    ndarray of uint16, shape (n, features)

    Raises
    ------
    LgnError
        If there is no such vector, or the clusters lack time slices.
    """
    digitiser = digitiser or Digitiser()
    y0 = digitiser.y0(clusters.y0)[:, None]
    if features == 9:
        profile = y_profile(digitiser.counts(clusters.charges[:, -1:]))[:, CENTRAL_ROWS]
        parts = [profile, y0]
    elif features == 14:
        parts = [y_profile(digitiser.counts(clusters.charges[:, -1:])), y0]
    elif features == FEATURES[2]:
        counts = digitiser.counts(clusters.charges[:, :EARLY_SLICES])
        parts = [y0, y_profiles(counts).reshape(len(clusters), -1)]
    else:
        raise LgnError(f"there is no vector of {features} features, expected one of {FEATURES}")
    return np.concatenate(parts, axis=1).astype(np.uint16)


def profile_image(x: np.ndarray) -> np.ndarray:
    """The image (n, 13, 8) of vectors (n, 105), rows y and columns t."""
    return x[:, 1:].reshape(len(x), ROWS, EARLY_SLICES)
