"""Charge set free along a track: a restricted Bethe loss that fluctuates, and delta rays.

Collisions below a cut are many and small; their sum has the mean of the restricted Bethe formula
and the variance of the 1/E² spectrum up to the cut, and is drawn from a gamma distribution. The few
above the cut are drawn one by one from the 1/E² spectrum, at most one in a step. Together they make
the long tail of Landau's distribution.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .tracks import Tracks

__all__ = ["charge_along", "restricted_loss"]

_PAIR_EV = 3.62
#: 0.1535 MeV cm²/g · Z/A · density of silicon, in electrons per µm at beta = 1.
_XI = 0.1535 * 0.4985 * 2.329 * 100 / _PAIR_EV
_EXCITATION_EV = 173.0
_CUT_EV, _MAX_EV = 1e4, 1e5


def _density(beta_gamma: np.ndarray) -> np.ndarray:
    """Sternheimer's density correction for silicon."""
    x = np.log10(beta_gamma)
    delta = 2 * np.log(10) * x - 4.435
    delta = delta + np.where(x < 2.872, 0.1492 * np.maximum(2.872 - x, 0) ** 3.255, 0)
    return np.where(x < 0.2014, 0.0, delta)


def restricted_loss(beta_gamma: np.ndarray) -> np.ndarray:
    """Mean number of electrons per µm from collisions below the cut (Bethe), same shape."""
    beta2 = beta_gamma**2 / (1 + beta_gamma**2)
    log = np.log(1.022e6 * beta_gamma**2 * _CUT_EV / _EXCITATION_EV**2)
    return _XI / beta2 * (log - beta2 - _density(beta_gamma))


def charge_along(tracks: Tracks, step: float, steps: int, rng: np.random.Generator) -> np.ndarray:
    """Electrons set free in each of `steps` steps of depth `step` µm, float64 (n, steps)."""
    beta_gamma = tracks.beta_gamma
    length = tracks.path * step
    beta2 = beta_gamma**2 / (1 + beta_gamma**2)
    mean = restricted_loss(beta_gamma) * length
    variance = _XI / beta2 * length * (_CUT_EV / _PAIR_EV)
    shape = (len(length), steps)
    soft = rng.standard_gamma((mean**2 / variance)[:, None], shape) * (variance / mean)[:, None]
    expected = _XI / beta2 * length * _PAIR_EV * (1 / _CUT_EV - 1 / _MAX_EV)
    hit = rng.random(shape) < -np.expm1(-expected)[:, None]
    energy = _CUT_EV / (1 - rng.random(shape) * (1 - _CUT_EV / _MAX_EV))
    return soft + np.where(hit, energy / _PAIR_EV, 0)
