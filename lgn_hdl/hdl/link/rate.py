"""A few ticks per bit of the line, from any clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from ...errors import BuildError

__all__ = ["Rate", "Ticks", "choose_rate", "next_count"]

#: Ticks per bit. With n of them a byte is sampled up to 1/n of a bit late.
_PER_BIT = (8, 4)
#: Relative error that is good enough to look no further.
_GOOD = 0.005
#: Relative error beyond which a line does not work reliably.
_WORST = 0.02
_MAX_WIDTH = 24


@dataclass(frozen=True)
class Rate:
    """How ticks are made: a counter adds `step` on every clock, and gives a tick at `modulus`.

    Either `step` is 1, or `modulus` is a power of two and the ticks are even on average only.

    Parameters
    ----------
    clock_hz : float
    per_bit : int
        Ticks per bit, a power of two.
    step, modulus : int
    """

    clock_hz: float
    per_bit: int
    step: int
    modulus: int

    @property
    def baud(self) -> float:
        """Bits per second that this makes."""
        return self.clock_hz * self.step / self.modulus / self.per_bit


def choose_rate(clock_hz: float, baud: int) -> Rate:
    """The smallest counter within 0.5 % of a baud rate, else the nearest within 2 %.

    Raises
    ------
    BuildError
        If the clock is too slow: a bit needs about four clocks.
    """
    if not (clock_hz > 0 and baud > 0):
        raise BuildError(f"clock {clock_hz} Hz and {baud} baud, expected positive numbers")

    def error(rate: Rate) -> float:
        return abs(rate.baud / baud - 1)

    best = None
    for rate in _rates(clock_hz, baud):
        if best is None or error(rate) < error(best):
            best = rate
        if error(best) <= _GOOD:
            return best
    assert best is not None
    if error(best) > _WORST:
        raise BuildError(
            f"{baud} baud cannot be made from a clock of {clock_hz / 1e6:g} MHz: the nearest is "
            f"{best.baud:.0f}, {100 * error(best):.1f} % off, and {100 * _WORST:.0f} % are allowed",
            hint=f"at most {int(clock_hz / _PER_BIT[-1])} baud, or a faster clock",
        )
    return best


def _rates(clock_hz: float, baud: int) -> Iterator[Rate]:
    """Candidates, the smaller first: plain dividers, then accumulators."""
    for per_bit in _PER_BIT:
        yield Rate(clock_hz, per_bit, 1, max(1, round(clock_hz / baud / per_bit)))
    for per_bit in _PER_BIT:
        for width in range(1, _MAX_WIDTH + 1):
            modulus = 1 << width
            step = round(modulus * per_bit * baud / clock_hz)
            yield Rate(clock_hz, per_bit, min(max(step, 1), modulus), modulus)


class Ticks(wiring.Component):
    """High for one clock, `rate.per_bit` times per bit on average.

    Parameters
    ----------
    rate : Rate

    Members
    -------
    o : Out(1)
    """

    o: Signal

    def __init__(self, *, rate: Rate):
        self._rate = rate
        super().__init__({"o": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        step, modulus = self._rate.step, self._rate.modulus
        if step == modulus:
            m.d.comb += self.o.eq(1)
            return m
        width = (modulus - 1).bit_length()
        count = Signal(width, reset_less=True)
        if step == 1 and width <= 4:
            m.d.sync += [count.eq(next_count(count, modulus)), self.o.eq(count == 0)]
            return m
        after = Signal(width + 1)
        m.d.comb += after.eq(count + step)
        m.d.sync += [count.eq(after), self.o.eq(after[-1])]
        # It overflows after `modulus` steps, whatever its width.
        short = (1 << width) - modulus
        if short:
            with m.If(after[-1]):
                m.d.sync += count.eq(short)
        return m


def next_count(count: Signal, modulus: int) -> Value:
    """One more, as sums of products: up to four bits are a LUT each, without a carry chain."""
    follower = [(number + 1) % modulus for number in range(modulus)]
    return Cat(
        Cat(count == number for number in range(modulus) if follower[number] >> bit & 1).any()
        for bit in range(len(count))
    )
