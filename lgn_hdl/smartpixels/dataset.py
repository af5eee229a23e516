"""Clusters of charge with their truth, as the public smart-pixel set describes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import FormatError

__all__ = ["COLUMNS", "LABELS", "ROWS", "SLICES", "SLICE_PS", "Clusters"]

SLICES, ROWS, COLUMNS = 20, 13, 21
#: Slice i holds the charge collected up to (i + 1) · 200 ps.
SLICE_PS = 200

#: Columns of a file of labels. The public files name the first nine, the two slopes and the two
#: midplane columns so; sets of the same group add `hit_z` and `PID` or `original_atEdge`. Lengths
#: are in µm, but for y-local and hit_z in mm; pt is in GeV.
LABELS = (
    "x-entry",
    "y-entry",
    "z-entry",
    "n_x",
    "n_y",
    "n_z",
    "number_eh_pairs",
    "y-local",
    "pt",
    "hit_z",
    "PID",
    "cotAlpha",
    "cotBeta",
    "y-midplane",
    "x-midplane",
    "original_atEdge",
)
#: Without these nothing can be trained or measured.
REQUIRED = ("y-local", "pt")


@dataclass(frozen=True, eq=False)
class Clusters:
    """A set of clusters.

    Parameters
    ----------
    charges : ndarray of float32, shape (n, slices, 13, 21)
        Electrons collected so far, axes time, y, x. Twenty slices of 200 ps, or one: the last.
    labels : mapping from str to ndarray of shape (n,)
        At least "y-local", the position of the window's centre on the sensor in mm, and "pt", in
        GeV with the sign of the charge.

    Raises
    ------
    FormatError
        If a shape or column is not as stated.
    """

    charges: np.ndarray
    labels: Mapping[str, np.ndarray]

    def __post_init__(self) -> None:
        shape = self.charges.shape
        if len(shape) != 4 or shape[1] not in (1, SLICES) or shape[2:] != (ROWS, COLUMNS):
            raise FormatError(
                f"charges have shape {shape}, expected (n, {SLICES} or 1, {ROWS}, {COLUMNS})"
            )
        if self.charges.dtype != np.float32:
            raise FormatError(f"charges are {self.charges.dtype}, expected float32")
        missing = [name for name in REQUIRED if name not in self.labels]
        if missing:
            raise FormatError(f"labels lack {', '.join(missing)}, found {sorted(self.labels)}")
        for name, column in self.labels.items():
            if np.shape(column) != (len(self),):
                raise FormatError(
                    f"label {name!r} has shape {np.shape(column)} for {len(self)} clusters"
                )

    def __len__(self) -> int:
        return len(self.charges)

    @property
    def pt(self) -> np.ndarray:
        """Transverse momentum in GeV times the sign of the charge, float64 of shape (n,)."""
        return np.asarray(self.labels["pt"], np.float64)

    @property
    def y0(self) -> np.ndarray:
        """Position of the window's centre on the sensor in mm, float64 of shape (n,)."""
        return np.asarray(self.labels["y-local"], np.float64)

    def take(self, index: np.ndarray) -> Clusters:
        """The clusters at `index`, or where it is true."""
        return Clusters(self.charges[index], {k: v[index] for k, v in self.labels.items()})

    @staticmethod
    def joined(parts: Sequence[Clusters]) -> Clusters:
        """Several sets one after another; columns that not all of them have are left out.

        Raises
        ------
        FormatError
            If there is none, or they differ in the number of slices.
        """
        if not parts:
            raise FormatError("there are no clusters")
        if len({part.charges.shape[1] for part in parts}) > 1:
            raise FormatError("some clusters have one time slice and some have twenty")
        names = [k for k in parts[0].labels if all(k in part.labels for part in parts)]
        labels = {k: np.concatenate([part.labels[k] for part in parts]) for k in names}
        return Clusters(np.concatenate([part.charges for part in parts]), labels)
