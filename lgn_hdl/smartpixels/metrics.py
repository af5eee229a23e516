"""Figures of merit of a filter on tracks, as counts with their binomial errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import LgnError
from .labels import EFFICIENCY_PT, HIGH_PT, TRAINING_PT, class_index

__all__ = ["PT_EDGES", "Y0_EDGES", "Curve", "Scores", "acceptance", "accuracy_by_y0", "scores"]

#: Bins of |pT| in GeV; the one at 0.2 divides the classes.
PT_EDGES = np.array([0.05, 0.075, 0.1, 0.125, 0.15, 0.175, 0.2, 0.225, 0.25, 0.3, 0.4, 0.6])
PT_EDGES = np.append(PT_EDGES, [0.8, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0])
#: Bins of y0 in mm, over a sensor 16 mm wide.
Y0_EDGES = np.linspace(-8.0, 8.0, 17)


@dataclass(frozen=True, eq=False)
class Curve:
    """A share per bin: `passed` of `total`, in bins between `edges`.

    The errors are Wilson's interval of one standard deviation, which stays inside 0 and 1 and does
    not vanish where all or none pass; empty bins give nan.
    """

    edges: np.ndarray
    passed: np.ndarray
    total: np.ndarray

    @property
    def share(self) -> np.ndarray:
        """passed / total, float64 of shape (bins,)."""
        with np.errstate(invalid="ignore"):
            return self.passed / self.total

    @property
    def interval(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper end of Wilson's interval of one standard deviation."""
        n = self.total.astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            p = self.passed / n
            middle = (p + 0.5 / n) / (1 + 1 / n)
            half = np.sqrt(p * (1 - p) / n + 0.25 / n**2) / (1 + 1 / n)
        return middle - half, middle + half


def _counted(values: np.ndarray, passed: np.ndarray, edges: np.ndarray) -> Curve:
    edges = np.asarray(edges, np.float64)
    if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all():
        raise LgnError("bin edges must be at least two ascending numbers")
    return Curve(edges, np.histogram(values[passed], edges)[0], np.histogram(values, edges)[0])


def acceptance(predicted: np.ndarray, pt: np.ndarray, edges: np.ndarray = PT_EDGES) -> Curve:
    """Share of the tracks in each bin of |pT| that are predicted "high pT".

    Parameters
    ----------
    predicted : ndarray of int, shape (n,)
        Classes, as places in `labels.CLASSES`.
    pt : ndarray, shape (n,)
        GeV, the sign does not count.
    """
    return _counted(np.abs(pt), np.asarray(predicted) == HIGH_PT, edges)


def accuracy_by_y0(
    predicted: np.ndarray, truth: np.ndarray, y0: np.ndarray, edges: np.ndarray = Y0_EDGES
) -> Curve:
    """Share of right classes in each bin of the position on the sensor, in mm."""
    return _counted(np.asarray(y0), np.asarray(predicted) == np.asarray(truth), edges)


@dataclass(frozen=True)
class Scores:
    """Numbers of one filter on one set of tracks.

    Parameters
    ----------
    accuracy : float
        Share of right classes of the three.
    efficiency : float
        Share of the tracks with |pT| above 2 GeV that are predicted "high pT".
    rejection : float
        Share of the tracks with |pT| up to 2 GeV that are not.
    low_rejection : float
        Share of the tracks of the two "low pT" classes that are not.
    tracks : int
    """

    accuracy: float
    efficiency: float
    rejection: float
    low_rejection: float
    tracks: int


def scores(predicted: np.ndarray, pt: np.ndarray, boundary: float = TRAINING_PT) -> Scores:
    """Figures of merit; nan where no track counts.

    Parameters
    ----------
    predicted : ndarray of int, shape (n,)
    pt : ndarray, shape (n,)
        GeV, with the sign of the charge.
    boundary : float
        Between the classes.
    """
    predicted, pt = np.asarray(predicted), np.asarray(pt)
    if predicted.shape != pt.shape or predicted.ndim != 1 or not len(pt):
        raise LgnError(f"{predicted.shape} decisions do not fit {pt.shape} momenta")
    high, size = predicted == HIGH_PT, np.abs(pt)

    def share(passed: np.ndarray, among: np.ndarray) -> float:
        return float(passed[among].mean()) if among.any() else float("nan")

    return Scores(
        accuracy=float((predicted == class_index(pt, boundary)).mean()),
        efficiency=share(high, size > EFFICIENCY_PT),
        rejection=share(~high, size <= EFFICIENCY_PT),
        low_rejection=share(~high, size <= boundary),
        tracks=len(pt),
    )
