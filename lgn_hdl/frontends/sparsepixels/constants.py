"""Trained constants as integers, and what quantisers of HGQ2 make of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...errors import FormatError, NetworkError
from ...network import FixedPoint

__all__ = ["constants", "integers_of", "quantized"]

#: Fractional bits that a float32 can have.
FRACTIONS = range(-127, 150)


def constants(described: Mapping[str, Any], axes: int) -> tuple[np.ndarray, FixedPoint]:
    """Stored integers and their format, of `integers` and `fraction` of trained constants.

    Raises
    ------
    FormatError
        If they are not integers, or not in as many axes.
    """
    values, fraction = np.asarray(described["integers"]), described["fraction"]
    if values.dtype.kind not in "iu" or values.ndim != axes or not isinstance(fraction, int):
        raise FormatError(f"constants are {values.dtype} in {values.ndim} axes, expected integers")
    values = values.astype(np.int64)
    number = FixedPoint.covering(int(values.min(initial=0)), int(values.max(initial=0)))
    return values, FixedPoint(number.width, fraction, number.signed)


def integers_of(values: np.ndarray) -> dict[str, Any]:
    """Exact integers of constants in float32, with the fewest fractional bits, for a description.

    Raises
    ------
    NetworkError
        If a constant is not finite.
    """
    real = np.asarray(values, np.float64)
    if not np.isfinite(real).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(real))[0])
        raise NetworkError(f"a constant is not finite at {place}: {real[place]}")
    fraction = 0
    if real.any():
        scaled = ((n, np.ldexp(real, n)) for n in FRACTIONS)
        fraction = next(n for n, x in scaled if (x == np.rint(x)).all())
    return {"integers": np.ldexp(real, fraction).astype(np.int64).tolist(), "fraction": fraction}


def quantized(values: np.ndarray, rule: Mapping[str, Any], *, wraps: bool = True) -> np.ndarray:
    """What a quantiser of HGQ2 makes of constants, step by step in float32 as there.

    Parameters
    ----------
    values : ndarray of float32
    rule : mapping
        `rounding`, `overflow`, and arrays `k`, `i`, `f` that broadcast to the values.
    wraps : bool
        False for constants whose range follows them, which do not wrap.

    Raises
    ------
    NetworkError
        If the rounding or the overflow is none that is known.
    """
    one = np.float32(1)
    rounding, overflow = rule["rounding"].removeprefix("S_"), rule["overflow"]
    if rounding not in _ROUND or overflow not in ("SAT", "SAT_SYM", "WRAP"):
        raise NetworkError(f"its constants are quantised by {rounding}, {overflow}")
    k, i, f = (np.broadcast_to(rule[name], values.shape) for name in "kif")
    none = k + i + f <= 0
    i = np.maximum(i, -f)
    x = np.asarray(values, np.float32)
    if overflow != "WRAP":
        high = np.ldexp(one, i) - np.ldexp(one, -f)
        low = -k.astype(np.float32) * (high if overflow == "SAT_SYM" else np.ldexp(one, i))
        x = np.where(x > high, high, np.where(x < low, low, x))
    x = np.ldexp(_ROUND[rounding](np.ldexp(x, f)), -f)
    if overflow == "WRAP":
        if not wraps:
            return x
        bias = k * np.ldexp(one, i + k - 1)
        x = (x + bias) % np.ldexp(one, i + k) - bias
    return np.where(none, np.float32(0), x).astype(np.float32)


_HALF = np.float32(0.5)
#: Rounding as HGQ2 does it; half is added in float32.
_ROUND: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "TRN": np.floor,
    "RND": lambda x: np.floor(x + _HALF),
    "RND_CONV": np.rint,
    "TRN_ZERO": np.trunc,
    "RND_MIN_INF": lambda x: -np.floor(-x + _HALF),
    "RND_INF": lambda x: np.floor(np.abs(x) + _HALF) * np.sign(x),
    "RND_ZERO": lambda x: -np.floor(-np.abs(x) + _HALF) * np.sign(x),
}
