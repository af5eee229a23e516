"""Quantisers of HGQ2: what they do to numbers, and the layer that does the same.

A quantiser has k (1 if it has a sign), i integer bits and f fractional bits, the sign not counted.
Its numbers are the multiples of 2^-f up to 2^i - 2^-f, and down to -2^i (SAT, WRAP) or to the
opposite of the largest (SAT_SYM), or to zero without a sign.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Any

import numpy as np

from ...errors import FormatError, NetworkError
from ...network import FixedPoint, Quantize

__all__ = ["Rule"]

ROUNDING = ("RND", "RND_CONV", "TRN", "TRN_ZERO", "RND_ZERO", "RND_MIN_INF", "RND_INF")
OVERFLOW = ("SAT", "SAT_SYM", "WRAP", "WRAP_SM")


@dataclass(frozen=True)
class Rule:
    """How numbers are rounded, and what becomes of those that are too large.

    Parameters
    ----------
    rounding, overflow : str
        As HGQ2 names them.
    formats : frozenset of (k, i, f)
        Those of all elements.
    """

    rounding: str
    overflow: str
    formats: frozenset[tuple[int, int, int]]

    @classmethod
    def read(cls, described: Mapping[str, Any]) -> Rule:
        """From a description: `rounding`, `overflow`, and `k`, `i`, `f` for all or each element.

        Raises
        ------
        FormatError
            If it is not one.
        """
        rounding, overflow = str(described["rounding"]), str(described["overflow"])
        # A stochastic quantiser rounds at random in training only.
        rounding = rounding.removeprefix("S_")
        if rounding not in ROUNDING or overflow not in OVERFLOW:
            raise FormatError(f"a quantiser is {rounding}, {overflow}, which HGQ2 does not have")
        kif = np.broadcast_arrays(*(np.asarray(described[name]) for name in "kif"))
        if any(a.dtype.kind not in "iu" for a in kif) or not np.isin(kif[0], (0, 1)).all():
            raise FormatError("k, i and f of a quantiser are integers, and k is 0 or 1")
        triples = np.stack([a.ravel() for a in kif]).T.tolist()
        # HGQ2 takes at least as many integer bits as leave a number.
        return cls(rounding, overflow, frozenset((k, max(i, -f), f) for k, i, f in triples))

    def layer(self, source: FixedPoint) -> Quantize | None:
        """The layer that does the same to numbers of a format, or None if nothing changes them.

        Raises
        ------
        NetworkError
            If there is no such layer, with what was found and what was expected.
        """
        if all(self._keeps(source, kif) for kif in self.formats):
            return None
        if len(self.formats) > 1:
            some = ", ".join(map(_text, sorted(self.formats)[:3]))
            more = ", ..." if len(self.formats) > 3 else ""
            raise NetworkError(
                f"its quantiser has {len(self.formats)} formats for different elements "
                f"({some}{more}), expected one",
                hint="train with heterogeneous_axis=() of that quantiser",
            )
        ((k, i, f),) = self.formats
        if k + i + f <= 0:
            raise NetworkError("its quantiser has no bits, so that all numbers become zero")
        self._check_rounding(source, f)
        self._check_overflow(source, (k, i, f))
        if k and not source.signed and i + f > 0:
            return Quantize(FixedPoint(i + f, f))  # the sign is never needed
        return Quantize(FixedPoint(k + i + f, f, signed=bool(k)))

    def _keeps(self, source: FixedPoint, kif: tuple[int, int, int]) -> bool:
        """Whether every number of a format is one of the quantiser's."""
        low, high = self._range(kif)
        on_grid = (source.step * Fraction(2) ** kif[2]).denominator == 1
        return (
            on_grid and source.min_int * source.step >= low and source.max_int * source.step <= high
        )

    def _range(self, kif: tuple[int, int, int]) -> tuple[Fraction, Fraction]:
        k, i, f = kif
        high = Fraction(2) ** i - Fraction(2) ** -f
        if k + i + f <= 0:
            return Fraction(0), Fraction(0)
        return -k * (high if self.overflow == "SAT_SYM" else Fraction(2) ** i), high

    def _check_rounding(self, source: FixedPoint, f: int) -> None:
        ratio = source.step * Fraction(2) ** f
        if ratio.denominator == 1 or self.rounding == "RND_CONV":
            return
        # Half of a step is met only where the denominator is even; to round to the nearest number
        # is then the same in every way of treating ties.
        if ratio.denominator % 2 and self.rounding not in ("TRN", "TRN_ZERO"):
            return
        raise NetworkError(
            f"its quantiser rounds {source} to {f} fractional bits by {self.rounding}, "
            "expected RND_CONV (to the nearest, ties to the even number)",
            hint=f"train with round_mode='RND_CONV', or give it numbers of at most {f} "
            "fractional bits",
        )

    def _check_overflow(self, source: FixedPoint, kif: tuple[int, int, int]) -> None:
        low, high = self._range(kif)
        step = Fraction(2) ** -kif[2]
        # What gets here is rounded to the nearest; ties at the ends count as rounded outward.
        least = -_half_up(-source.min_int * source.step / step) * step
        most = _half_up(source.max_int * source.step / step) * step
        fits = low <= least and most <= high
        symmetric = self.overflow == "SAT_SYM" and (low <= least or not kif[0])
        if not fits and self.overflow != "SAT" and not symmetric:
            raise NetworkError(
                f"numbers of {source} overflow its quantiser of {_text(kif)} by {self.overflow}, "
                "expected SAT",
                hint="train with overflow_mode='SAT', or with more integer bits",
            )


def _half_up(x: Fraction) -> int:
    return floor(x + Fraction(1, 2))


def _text(kif: tuple[int, int, int]) -> str:
    k, i, f = kif
    return f"{'' if k else 'u'}fixed<{k + i + f},{k + i}>"
