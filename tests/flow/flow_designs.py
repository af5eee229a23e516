"""Small designs for the outside tools."""

from pathlib import Path

from amaranth.back import rtlil
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Popcount(wiring.Component):
    """Counts eight bits, one clock later, if enabled."""

    i: In(8)
    enable: In(1)
    o: Out(4)

    def elaborate(self, platform):
        m = Module()
        with m.If(self.enable):
            m.d.sync += self.o.eq(sum(self.i))
        return m


class Held(wiring.Component):
    """Registers with an enable that read themselves; the count is cleared by the reset."""

    i: In(8)
    enable: In(1)
    o: Out(8)
    count: Out(3)

    def elaborate(self, platform):
        m = Module()
        held = Signal(8, reset_less=True)
        m.d.comb += self.o.eq(held)
        with m.If(self.enable):
            m.d.sync += [held.eq(self.i ^ (held + 1)), self.count.eq(self.count + 1)]
        return m


class Kept(wiring.Component):
    """A register that no reset clears and that never leaves its start, seen through a gate."""

    i: In(1)
    o: Out(1)

    def __init__(self, start):
        self.start = start
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        kept = Signal(init=self.start, reset_less=True)
        seen = Signal(reset_less=True)
        m.d.sync += [kept.eq(kept & (self.i | 1)), seen.eq(self.i ^ kept)]
        m.d.comb += self.o.eq(seen)
        return m


class Comparator(wiring.Component):
    """Tells whether a is greater than b; `strict` off gives another function."""

    a: In(8)
    b: In(8)
    o: Out(1)

    def __init__(self, strict=True):
        self.strict = strict
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.o.eq(self.a > self.b if self.strict else self.a >= self.b)
        return m


class Logic(wiring.Component):
    """A parity, by a tree or by a chain."""

    i: In(8)
    o: Out(1)

    def __init__(self, chain=False):
        self.chain = chain
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        parity = self.i.xor()
        if self.chain:
            parity = self.i[0]
            for bit in list(self.i)[1:]:
                parity = ~(parity ^ ~bit)
        m.d.comb += self.o.eq(parity)
        return m


class Hierarchy(wiring.Component):
    """Two blocks and a register of its own."""

    i: In(8)
    limit: In(8)
    enable: In(1)
    o: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.submodules.groupsum = groupsum = Popcount()
        m.submodules.argmax = argmax = Comparator()
        m.d.comb += [
            groupsum.i.eq(self.i),
            groupsum.enable.eq(self.enable),
            argmax.a.eq(groupsum.o),
            argmax.b.eq(self.limit),
        ]
        m.d.sync += self.o.eq(argmax.o)
        return m


def write_rtlil(design: wiring.Component, folder: Path, name: str = "top") -> Path:
    path = folder / f"{name}.il"
    path.write_text(rtlil.convert(design, name="top", emit_src=False))
    return path
