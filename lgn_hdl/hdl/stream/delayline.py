"""The last elements of a stream in shift registers: a layer's window and its line buffers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from ...logic.stream import Taps
from ..bank import FIRST_BIT, Bank, chunks
from ..wide import port_vectors, wide_port

__all__ = ["DelayLine"]


class DelayLine(wiring.Component):
    """Shift registers for the bits of an element, each as long as its last tap needs.

    They move when the block is enabled, which is when an element comes.

    Parameters
    ----------
    taps : Taps
        What is read.
    bits : int
        Width of an element.
    zeros : bool
        Whether some elements are zeros, which the bits at `i` then do not matter for.

    Members
    -------
    i : In(bits)
        The next element; split beyond 32,768 bits.
    zero : In(1)
        Whether it is zero instead; with `zeros` only.
    o : Out(taps)
        The taps, in their order.
    """

    zero: Signal
    latency = 1

    def __init__(self, *, taps: Taps, bits: int, zeros: bool):
        self._taps, self._bits, self._zeros = taps, bits, zeros
        super().__init__(
            {
                **wide_port("i", bits),
                **({"zero": In(1)} if zeros else {}),
                **wide_port("o", len(taps), output=True),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        taps, depths = self._taps, self._taps.depths(self._bits)
        # The longest first, so that what moves on is the beginning of a vector.
        order = np.argsort(-depths, kind="stable")
        first = np.cumsum([FIRST_BIT + self._bits, *depths])[:-1]
        bank = Bank(m, np.full(FIRST_BIT + self._bits + int(depths.sum()), -1, np.int64))
        inputs = port_vectors(self, "i", self._bits)
        ends = np.cumsum([FIRST_BIT, *map(len, inputs)]).tolist()
        for vector, (start, end) in zip(inputs, pairwise(ends), strict=True):
            bank.define(np.arange(start, end), vector)
        for delay in range(int(depths.max())):
            moving = order[: np.count_nonzero(depths > delay)]
            for number, part in enumerate(chunks(moving)):
                name = f"delay{delay}" + (f"_{number}" if number else "")
                register = Signal(len(part), name=name, reset_less=True)
                before = FIRST_BIT + part if delay == 0 else first[part] + delay - 1
                value: Value = bank.gather(before)
                if delay == 0 and self._zeros:
                    value = Mux(self.zero, Const(0, len(part)), value)
                m.d.sync += register.eq(value)
                bank.define(first[part] + delay, register)
        read = first[taps.bit] + taps.delay
        outputs = port_vectors(self, "o", len(taps))
        ends = np.cumsum([0, *map(len, outputs)]).tolist()
        for vector, (start, end) in zip(outputs, pairwise(ends), strict=True):
            if end > start:
                m.d.comb += vector.eq(bank.gather(read[start:end]))
        return m
