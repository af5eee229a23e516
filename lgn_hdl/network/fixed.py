"""Fixed-point formats: the one place for rounding and overflow."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, log2

import numpy as np

from ..errors import NetworkError

__all__ = ["FixedPoint"]

_NOTATION = re.compile(
    r"(?:ap_)?(u?)fixed<\s*(\d{1,9})\s*,\s*(-?\d{1,9})\s*>(?:\*([1-9]\d*(?:/[1-9]\d*)?))?"
    r"|(u?)int(\d{1,9})|bit"
)
#: Beyond this a step is no ordinary float64.
_MAX_FRACTION = 1000


@dataclass(frozen=True)
class FixedPoint:
    """A fixed-point number format: value = integer · 2^(-fraction) · scale.

    Parameters
    ----------
    width : int
        Total bits, sign included; 1 to 62.
    fraction : int
        Fractional bits, -1000 to 1000; may be negative or exceed `width`.
    signed : bool
        Two's complement if true.
    scale : Fraction
        Rational factor beyond the binary point, such as 1/49 of an average over 7 x 7 pixels;
        it costs no hardware, since a later constant absorbs it.

    Raises
    ------
    NetworkError
        If `width` is not in 1..62, `fraction` is out of range or `scale` is not positive.
    """

    width: int
    fraction: int = 0
    signed: bool = False
    scale: Fraction = Fraction(1)

    def __post_init__(self) -> None:
        if not 1 <= self.width <= 62:
            raise NetworkError(f"fixed-point width is {self.width}, expected 1 to 62 bits")
        if abs(self.fraction) > _MAX_FRACTION:
            raise NetworkError(
                f"fixed-point number has {self.fraction} fractional bits, "
                f"expected {-_MAX_FRACTION} to {_MAX_FRACTION}"
            )
        if self.scale <= 0:
            raise NetworkError(f"fixed-point scale is {self.scale}, expected a positive rational")

    @classmethod
    def parse(cls, text: str) -> FixedPoint:
        """Read `fixed<W,I>`, `ufixed<W,I>` (I integer bits, as in HLS), `int8`, `uint8` or `bit`.

        A scale follows as `*1/49`, as in `str` of a format.

        Raises
        ------
        NetworkError
            If `text` is none of these.
        """
        match = _NOTATION.fullmatch(text.strip())
        if match is None:
            raise NetworkError(
                f"number format {text!r} is not understood",
                hint="expected fixed<W,I>, ufixed<W,I>, intW, uintW or bit",
            )
        if match[2] is not None:
            width, integer = int(match[2]), int(match[3])
            scale = Fraction(match[4] or 1)
            return cls(width, width - integer, signed=not match[1], scale=scale)
        if match[6] is not None:
            return cls(int(match[6]), 0, signed=not match[5])
        return cls(1)

    @classmethod
    def covering(cls, low: int, high: int) -> FixedPoint:
        """The narrowest integer format that holds every integer from `low` to `high`."""
        if low >= 0:
            return cls(max(1, int(high).bit_length()))
        return cls(1 + max(int(high).bit_length(), int(-low - 1).bit_length()), signed=True)

    @classmethod
    def around(cls, thresholds: np.ndarray, width: int = 16) -> FixedPoint:
        """A `width`-bit format whose range holds all `thresholds` with the finest step.

        Values beyond the range saturate, and saturation cannot change a comparison with a
        threshold inside the range: only rounding to the step can.
        """
        low, high = float(np.min(thresholds)), float(np.max(thresholds))
        signed = low < 0
        largest = max(abs(low), abs(high), 2.0**-32)
        integer = floor(log2(largest)) + 1
        form = cls(width, width - integer - signed, signed=signed)
        if form.floor_int(high) < form.max_int:
            return form
        # The largest threshold lies above the last step: no stored number would pass it.
        return cls(width, form.fraction - 1, signed=signed)

    def __str__(self) -> str:
        if self == FixedPoint(1):
            return "bit"
        prefix = "" if self.signed else "u"
        text = f"{prefix}fixed<{self.width},{self.width - self.fraction}>"
        return text if self.scale == 1 else f"{text}*{self.scale}"

    @property
    def min_int(self) -> int:
        """Smallest stored integer."""
        return -(1 << (self.width - 1)) if self.signed else 0

    @property
    def max_int(self) -> int:
        """Largest stored integer."""
        return (1 << (self.width - self.signed)) - 1

    @property
    def step(self) -> Fraction:
        """Value of one unit in the last place."""
        return Fraction(2) ** -self.fraction * self.scale

    def quantize(self, values: np.ndarray) -> np.ndarray:
        """Round real `values` to the nearest representable one (ties to even), saturating.

        Parameters
        ----------
        values : ndarray of float, any shape
            Finite or infinite; NaN is refused.

        Returns
        -------
        ndarray of int64, same shape
            The stored integers.

        Raises
        ------
        NetworkError
            If a value is NaN.
        """
        values = np.asarray(values, dtype=np.float64)
        if np.isnan(values).any():
            raise NetworkError("cannot quantise NaN to a fixed-point number")
        with np.errstate(over="ignore"):  # infinity saturates as well
            scaled = np.ldexp(values, self.fraction) / float(self.scale)
        rounded = np.clip(np.rint(scaled), float(self.min_int), float(self.max_int))
        # float(max_int) may round up to 2^width: the integer clip makes the edge exact.
        return np.clip(rounded.astype(np.int64), self.min_int, self.max_int)

    def to_real(self, integers: np.ndarray) -> np.ndarray:
        """Values of stored `integers` as float64 (exact up to 53 bits when scale is 1)."""
        integers = np.asarray(integers)
        if self.scale == 1:
            return np.ldexp(integers.astype(np.float64), -self.fraction)
        return integers.astype(np.float64) * float(self.step)

    def floor_int(self, value: float) -> int:
        """Largest integer n (unbounded) whose real value is at most `value`; exact.

        For x in this format and any real t: x > t exactly when int(x) > floor_int(t).
        """
        return floor(Fraction(value) / self.step)

    def ceil_int(self, value: float) -> int:
        """Smallest integer n (unbounded) whose real value is at least `value`; exact."""
        return ceil(Fraction(value) / self.step)
