"""Clocks that the crystal of a board does not give: the settings of each family's PLL.

The ranges are those of the data sheets, as the families' own calculators have them (icepll,
ecppll, gowin_pll). Among settings that come equally near, the one with the highest frequency at
the phase detector is taken, since it has the least jitter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from ..errors import BuildError

__all__ = ["Clock", "Pll", "choose_clock"]

#: How far from what was asked for a clock may be.
TOLERANCE = Fraction(1, 100)
_MHZ = 1_000_000


@dataclass(frozen=True)
class Pll:
    """A PLL and its settings.

    Parameters
    ----------
    family : str
        Name of the target whose PLL it is.
    hz : Fraction
        What it gives.
    detector_hz : Fraction
        At the phase detector.
    parameters : mapping of str to int
        Of the family's primitive.
    """

    family: str
    hz: Fraction
    detector_hz: Fraction
    parameters: Mapping[str, int]


@dataclass(frozen=True)
class Clock:
    """The clock of a design.

    Parameters
    ----------
    hz : Fraction
        As exact as the crystal is.
    pll : Pll or None
        None if the crystal gives it as it is.
    """

    hz: Fraction
    pll: Pll | None = None

    @property
    def mhz(self) -> float:
        """The frequency in MHz."""
        return float(self.hz / _MHZ)


def choose_clock(family: str, crystal_hz: int, mhz: float | None, *, where: str) -> Clock:
    """Return the clock nearest to what is wanted.

    Parameters
    ----------
    family : str
        A target with a PLL that is known here: `ice40`, `ecp5`, `gowin` or `xilinx`.
    crystal_hz : int
    mhz : float or None
        None for the crystal's own.
    where : str
        What an error names: the board.

    Raises
    ------
    BuildError
        If no setting comes within 1 %.
    """
    crystal = Fraction(crystal_hz)
    if mhz is not None and not 0 < mhz < math.inf:
        raise BuildError(f"there is no clock of {mhz:g} MHz", where=where)
    wanted = crystal if mhz is None else Fraction(mhz).limit_denominator(_MHZ) * _MHZ
    if wanted == crystal:
        return Clock(crystal)
    if family not in _RANGES:
        only = f"has no PLL, only its clock of {float(crystal) / _MHZ:g} MHz"
        raise BuildError(only, where=where)
    limits = _RANGES[family]
    within = min(max(wanted, Fraction(limits.low_hz)), Fraction(limits.high_hz))
    best = min(
        limits.settings(crystal, within),
        key=lambda pll: (abs(pll.hz - wanted), -pll.detector_hz),
        default=None,
    )
    clocks = [Clock(crystal), *([] if best is None else [Clock(best.hz, best)])]
    nearest = min(clocks, key=lambda clock: abs(clock.hz - wanted))
    if abs(nearest.hz - wanted) > TOLERANCE * wanted:
        raise BuildError(
            f"cannot make a clock of {mhz:g} MHz from {float(crystal) / _MHZ:g} MHz",
            where=where,
            hint=f"the nearest is {nearest.mhz:.3f} MHz",
        )
    return nearest


def _around(value: Fraction, low: int, high: int) -> Iterator[int]:
    """The two whole numbers beside a value, as far as they lie in a range (borders included)."""
    below = value.numerator // value.denominator
    yield from sorted({min(max(n, low), high) for n in (below, below + 1)})


def _ice40(crystal: Fraction, wanted: Fraction) -> Iterator[Pll]:
    """SB_PLL40, feedback path SIMPLE."""
    for divr in range(16):
        detector = crystal / (divr + 1)
        if not 10 * _MHZ <= detector <= 133 * _MHZ:
            continue
        # The range of the loop filter goes with the frequency at the phase detector.
        filter_range = 1 + sum(detector >= top * _MHZ for top in (17, 26, 44, 66, 101))
        for divq in range(1, 7):
            for factor in _around(wanted * 2**divq / detector, 1, 128):
                vco = detector * factor
                hz = vco / 2**divq
                if 533 * _MHZ <= vco <= 1066 * _MHZ and 16 * _MHZ <= hz <= 275 * _MHZ:
                    settings = {"DIVR": divr, "DIVF": factor - 1, "DIVQ": divq}
                    yield Pll("ice40", hz, detector, settings | {"FILTER_RANGE": filter_range})


def _ecp5(crystal: Fraction, wanted: Fraction) -> Iterator[Pll]:
    """EHXPLLL: CLKOP is fed back, CLKOS is the clock, so it need not be a multiple of the other."""
    for clki in range(1, 129):
        detector = crystal / clki
        if not Fraction(3_125_000) <= detector <= 400 * _MHZ:
            continue
        for factor in range(1, 257):
            vco = detector * factor
            # The feedback has two dividers in a row: one at the output, one at the detector.
            clkop = next((n for n in (2, 3, 4, 5, 7) if factor % n == 0), 1)
            clkfb = factor // clkop
            if not 400 * _MHZ <= vco <= 800 * _MHZ or vco / clkop > 400 * _MHZ or clkfb > 80:
                continue
            for clkos in _around(vco / wanted, 1, 128):
                if 3_125_000 <= vco / clkos <= 400 * _MHZ:
                    settings = {"CLKI_DIV": clki, "CLKFB_DIV": clkfb, "CLKOP_DIV": clkop}
                    yield Pll("ecp5", vco / clkos, detector, settings | {"CLKOS_DIV": clkos})


def _gowin(crystal: Fraction, wanted: Fraction) -> Iterator[Pll]:
    """The rPLL of the GW1N family at its usual speed, C6/I5."""
    for idiv in range(64):
        detector = crystal / (idiv + 1)
        if not 3 * _MHZ <= detector <= 400 * _MHZ:
            continue
        for factor in _around(wanted / detector, 1, 64):
            hz = detector * factor
            if not Fraction(3_125_000) <= hz <= 600 * _MHZ:
                continue
            for odiv in (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128):
                if 400 * _MHZ <= hz * odiv <= 1200 * _MHZ:
                    settings = {"IDIV_SEL": idiv, "FBDIV_SEL": factor - 1, "ODIV_SEL": odiv}
                    yield Pll("gowin", hz, detector, settings)
                    break


def _xilinx(crystal: Fraction, wanted: Fraction) -> Iterator[Pll]:
    """PLLE2 of the 7 series, in the slowest speed grade."""
    for divclk in range(1, 57):
        detector = crystal / divclk
        if not 19 * _MHZ <= detector <= 450 * _MHZ:
            continue
        for mult in range(2, 65):
            vco = detector * mult
            if not 800 * _MHZ <= vco <= 1600 * _MHZ:
                continue
            for divide in _around(vco / wanted, 1, 128):
                settings = {
                    "DIVCLK_DIVIDE": divclk,
                    "CLKFBOUT_MULT": mult,
                    "CLKOUT0_DIVIDE": divide,
                }
                yield Pll("xilinx", vco / divide, detector, settings)


@dataclass(frozen=True)
class _Range:
    """Settings of a family near a wanted frequency, and the frequencies there are any for."""

    settings: Callable[[Fraction, Fraction], Iterator[Pll]]
    low_hz: int
    high_hz: int


_RANGES: Mapping[str, _Range] = {
    "ice40": _Range(_ice40, 16 * _MHZ, 275 * _MHZ),
    "ecp5": _Range(_ecp5, 3_125_000, 400 * _MHZ),
    "gowin": _Range(_gowin, 3_125_000, 600 * _MHZ),
    "xilinx": _Range(_xilinx, 6_250_000, 800 * _MHZ),
}
