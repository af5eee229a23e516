"""A sample in shift registers that give it element after element."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from ..bank import FIRST_BIT, Bank, chunks
from ..wide import port_vectors, wide_port

__all__ = ["Loader"]


class Loader(wiring.Component):
    """Registers for all elements; enabled, they load a sample or move on by one element.

    Parameters
    ----------
    words : ndarray of int64, shape (N, S)
        Which word of the sample is word s of element n.
    word_bits : int
        Width of a word.
    count : int
        Words of a sample.

    Members
    -------
    i : In(count · word_bits)
        Word 0 lowest; split beyond 32,768 bits.
    load : In(1)
        Load, instead of moving on.
    o : Out(S · word_bits)
        The element that is first in line.
    """

    load: Signal
    latency = 1

    def __init__(self, *, words: np.ndarray, word_bits: int, count: int):
        self._words, self._word_bits, self._count = words, word_bits, count
        super().__init__(
            {
                **wide_port("i", count * word_bits),
                "load": In(1),
                **wide_port("o", words.shape[1] * word_bits, output=True),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        elements, size = self._words.shape
        width = self._word_bits
        samples = Bank.over(m, port_vectors(self, "i", self._count * width))
        places = self._words[:, :, None] * width + np.arange(width)
        bits = FIRST_BIT + places.reshape(elements, -1)
        following: list[Signal] = []
        for element in reversed(range(elements)):
            registers = []
            for number, part in enumerate(chunks(bits[element])):
                name = f"element{element}" + (f"_{number}" if number else "")
                register = Signal(len(part), name=name, reset_less=True)
                moved = following[number] if following else Const(0, len(part))
                m.d.sync += register.eq(Mux(self.load, samples.gather(part), moved))
                registers.append(register)
            following = registers
        first = Bank.over(m, following)
        outputs = port_vectors(self, "o", size * width)
        ends = np.cumsum([0, *map(len, outputs)]).tolist()
        for vector, (start, end) in zip(outputs, pairwise(ends), strict=True):
            m.d.comb += vector.eq(first.gather(FIRST_BIT + np.arange(start, end)))
        return m
