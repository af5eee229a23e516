"""Thresholds of the thermometers: quantiles of the training features, between the integers."""

from __future__ import annotations

import numpy as np

from ..errors import LgnError
from .features import FEATURES

__all__ = ["quantile_thresholds", "y0_column"]


def y0_column(features: int) -> int:
    """Where y0 stands in a vector: first of 105, else last."""
    return 0 if features == FEATURES[2] else features - 1


def _between(values: np.ndarray, bits: int, top: int) -> np.ndarray:
    """`bits` ascending thresholds k + 0.5 at quantiles, distinct where there is room."""
    places = (np.arange(bits) + 1) / (bits + 1)
    k = np.floor(np.quantile(values, places)).astype(np.int64)
    for i in range(1, bits):  # few distinct values: spread upwards
        k[i] = max(k[i], k[i - 1] + 1)
    return np.minimum(k, top) + 0.5


def quantile_thresholds(x: np.ndarray, bits: int, *, shared: bool, top: int = 2047) -> np.ndarray:
    """Thresholds for vectors of 9, 14 or 105 features.

    Only features that are not zero count, since most of a profile is empty.

    Parameters
    ----------
    x : ndarray, shape (n, features)
    bits : int
        Thresholds per feature.
    shared : bool
        One set for all features but y0.
    top : int
        Largest feature value there is.

    Returns
    -------
    ndarray of float64, shape (features, bits)
        Ascending along the second axis; integers plus one half.

    Raises
    ------
    LgnError
        If there are no vectors.
    """
    if not x.size:
        raise LgnError("there are no features to take thresholds from")
    features = x.shape[1]
    y0 = y0_column(features)
    out = np.empty((features, bits))
    if shared:
        profile = np.delete(x, y0, axis=1)
        out[:] = _between(_filled(profile), bits, top)
    else:
        for f in range(features):
            out[f] = _between(_filled(x[:, f]), bits, top)
    out[y0] = _between(x[:, y0], bits, top)
    return out


def _filled(values: np.ndarray) -> np.ndarray:
    filled = values[values > 0]
    return filled if filled.size else np.zeros(1)
