"""Integers as bits, the way payloads hold them."""

from __future__ import annotations

import numpy as np

__all__ = ["binary"]


def binary(values: np.ndarray, width: int) -> np.ndarray:
    """Bits of integers, least significant first.

    Parameters
    ----------
    values : ndarray of int, shape (n, m)
        Negative ones in two's complement.
    width : int

    Returns
    -------
    ndarray of uint8, shape (n, m · width)
    """
    bits = values[:, :, None] >> np.arange(width) & 1
    return bits.reshape(len(values), -1).astype(np.uint8)
