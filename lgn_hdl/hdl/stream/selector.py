"""A sample that is kept, and the comparisons of one element after the other, looked up."""

from __future__ import annotations

import numpy as np
from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from ...logic.stream import SelectedFeatures
from ..bank import FIRST_BIT, Bank
from ..wide import port_vectors, wide_port

__all__ = ["Selector"]


class Selector(wiring.Component):
    """The features of a sample, and a comparison with a threshold of its own for each element.

    Enabled, it loads a sample and begins with its first element, or moves on to the next one.

    Parameters
    ----------
    source : SelectedFeatures
    features : int
        Features of a sample.

    Members
    -------
    i : In(features · width)
        The sample, feature 0 lowest; split beyond 32,768 bits.
    load : In(1)
        Load, instead of moving on.
    o : Out(comparisons)
        Those of the element at hand.
    """

    load: Signal
    latency = 1

    def __init__(self, *, source: SelectedFeatures, features: int):
        self._source, self._features = source, features
        super().__init__(
            {
                **wide_port("i", features * source.number.width),
                "load": In(1),
                **wide_port("o", len(source.word), output=True),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        source = self._source
        width, kept = source.number.width, source.features
        sample = Bank.over(m, port_vectors(self, "i", self._features * width))
        held = Signal(len(kept) * width, reset_less=True)
        ahead = Signal(range(len(source.words) + 1), reset_less=True)
        words = Signal(source.words.shape[1] * width, reset_less=True)
        limits = Signal(len(source.word) * (width + 1), reset_less=True)
        row = self._limits()
        with m.If(self.load):
            m.d.sync += [
                held.eq(sample.gather(_places(kept, width))),
                words.eq(sample.gather(_places(source.words[0], width))),
                limits.eq(Const(row[0], len(limits))),
                ahead.eq(1),
            ]
        with m.Else():
            m.d.sync += [words.eq(self._following(m, held, ahead)), ahead.eq(ahead + 1)]
            with m.Switch(ahead):
                for element in range(1, len(row)):
                    with m.Case(element):
                        m.d.sync += limits.eq(Const(row[element], len(limits)))
        above = self._above(m, words, limits)
        low = 0
        for vector in port_vectors(self, "o", len(source.word)):
            m.d.comb += vector.eq(above[low : low + len(vector)])
            low += len(vector)
        return m

    def _limits(self) -> list[int]:
        """For each element the numbers that words must reach, bit 0 of all, bit 1 of all, ...

        They count from the smallest number of the format, so they are 0 to 2 ** width.
        """
        source = self._source
        limit = source.threshold + 1 - source.number.min_int
        planes = limit[:, None] >> np.arange(source.number.width + 1)[:, None] & 1
        packed = np.packbits(planes.reshape(len(limit), -1).astype(bool), 1, bitorder="little")
        return [int.from_bytes(bits.tobytes(), "little") for bits in packed]

    def _following(self, m: Module, held: Signal, ahead: Signal) -> Value:
        """The words of the element `ahead`."""
        source, width = self._source, self._source.number.width
        place = {feature: n for n, feature in enumerate(source.features.tolist())}
        words = []
        for number, column in enumerate(source.words.T):
            word = Signal(width, name=f"word{number}")
            with m.Switch(ahead):
                for feature in np.unique(column[1:]).tolist():
                    with m.Case(*(1 + np.flatnonzero(column[1:] == feature)).tolist()):
                        first = place[feature] * width
                        m.d.comb += word.eq(held[first : first + width])
            words.append(word)
        return Cat(words)

    def _above(self, m: Module, words: Signal, limits: Signal) -> Signal:
        """Whether each word reaches its limit, from the least significant bit up."""
        source, width, count = self._source, self._source.number.width, len(self._source.word)
        bits = Bank.over(m, [words])
        reached: Value = Const(-1, count)
        for plane in range(width):
            value, limit = Signal(count, name=f"value{plane}"), limits[plane * count :][:count]
            m.d.comb += value.eq(bits.gather(FIRST_BIT + source.word * width + plane))
            if source.number.signed and plane == width - 1:
                value = ~value
            now = Signal(count, name=f"reached{plane}")
            m.d.comb += now.eq((value & ~limit) | (~(value ^ limit) & reached))
            reached = now
        found = Signal(count, name="above")
        m.d.comb += found.eq(reached & ~limits[width * count :])
        return found


def _places(features: np.ndarray, width: int) -> np.ndarray:
    """Bits of features in a bank over the sample."""
    return (FIRST_BIT + features[:, None] * width + np.arange(width)).ravel()
