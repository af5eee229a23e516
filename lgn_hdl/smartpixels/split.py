"""Training, validation and test sets, drawn once from a seed."""

from __future__ import annotations

import numpy as np

from ..errors import LgnError

__all__ = ["split"]


def split(
    n: int, shares: tuple[float, float, float] = (0.6, 0.15, 0.25), seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Indices of training, validation and test samples: disjoint, together 0 to n - 1.

    Parameters
    ----------
    n : int
        Samples, at least 3.
    shares : three float
        Adding up to one.
    seed : int

    Returns
    -------
    three ndarray of int64, ascending, none empty

    Raises
    ------
    LgnError
        If there are too few samples or the shares do not add up.
    """
    if n < 3:
        raise LgnError(f"{n} clusters cannot be split into training, validation and test")
    if min(shares) <= 0 or abs(sum(shares) - 1) > 1e-9:
        raise LgnError(f"shares are {shares}, expected three positive numbers that add up to 1")
    if seed < 0:
        raise LgnError(f"the seed is {seed}, expected zero or more")
    order = np.random.default_rng(seed).permutation(n)
    first = min(max(1, round(shares[0] * n)), n - 2)
    second = min(max(1, round(shares[1] * n)), n - first - 1)
    parts = np.split(order, [first, first + second])
    return np.sort(parts[0]), np.sort(parts[1]), np.sort(parts[2])
