"""The classes of a cluster, by name, and the transverse momenta that divide them."""

from __future__ import annotations

import numpy as np

from ..errors import LgnError

__all__ = ["CLASSES", "EFFICIENCY_PT", "HIGH_PT", "TRAINING_PT", "class_index", "class_names"]

#: In the order of the scores of every network here.
CLASSES = ("high pT", "low pT-", "low pT+")
HIGH_PT = CLASSES.index("high pT")
#: |pT| in GeV above which a track is "high pT" in training.
TRAINING_PT = 0.2
#: |pT| in GeV of the tracks that must be kept, the ones the efficiency counts.
EFFICIENCY_PT = 2.0


def class_index(pt: np.ndarray, boundary: float = TRAINING_PT) -> np.ndarray:
    """Place of each track's class in `CLASSES`.

    Parameters
    ----------
    pt : array_like, shape (n,)
        Transverse momentum in GeV times the sign of the charge.
    boundary : float
        |pT| above it is "high pT".

    Returns
    -------
    ndarray of int64, shape (n,)

    Raises
    ------
    LgnError
        If the boundary is not positive, or a momentum is zero or not finite: it has no charge.
    """
    pt = np.asarray(pt, np.float64)
    if not (np.isfinite(boundary) and boundary > 0):
        raise LgnError(f"the pT boundary is {boundary}, expected a positive number of GeV")
    wrong = ~np.isfinite(pt) | (pt == 0)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise LgnError(f"cluster {row} has pT {pt[row]}, expected a finite number with a sign")
    low = np.where(pt < 0, CLASSES.index("low pT-"), CLASSES.index("low pT+"))
    return np.where(np.abs(pt) > boundary, HIGH_PT, low)


def class_names(index: np.ndarray) -> np.ndarray:
    """Names of classes given by their place in `CLASSES`."""
    return np.array(CLASSES)[np.asarray(index)]
