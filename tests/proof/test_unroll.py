"""Netlists clock by clock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from truth import every_pattern, number, values

from lgn_hdl.errors import VerifyError
from lgn_hdl.hdl import to_rtlil
from lgn_hdl.proof.aig import FALSE, TRUE, Aig
from lgn_hdl.proof.netlist import gate_netlist
from lgn_hdl.proof.unroll import Unrolled


class Counter(wiring.Component):
    """Counts while `go` is high, from 2 after a reset."""

    go: Any
    o: Any

    def __init__(self) -> None:
        super().__init__({"go": In(1), "o": Out(3)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        count = Signal(3, init=2)
        with m.If(self.go):
            m.d.sync += count.eq(count + 1)
        m.d.comb += self.o.eq(count)
        return m


def unrolled(folder: Path, text: str, inputs: int) -> Unrolled:
    (folder / "top.il").write_text(text)
    return Unrolled(Aig(inputs), gate_netlist(folder / "top.il", folder / "work", plain=True))


def test_a_counter(tmp_path: Path) -> None:
    """From any state, over three clocks in which it may stand still."""
    found = unrolled(tmp_path, to_rtlil(Counter()), 6)
    *state, a, b, c = found.aig.inputs
    order = [found.netlist.ports["o"].index(r.output) for r in found.netlist.registers]
    start, now = state, [state[place] for place in order]
    for go in (a, b, c):
        now = found.clock(now, {"go": [go], "rst": [FALSE]}).following
    last = found.clock(now, {"go": [FALSE], "rst": [FALSE]})
    patterns = every_pattern(6)
    expected = (number(patterns[:, :3]) + patterns[:, 3:].sum(axis=1)) % 8
    assert np.array_equal(number(values(found.aig, found.port(last, "o"))), expected)
    assert found.port(last, "no such port") == []
    reset = found.clock(start, {"go": [a], "rst": [TRUE]}).following
    after = found.clock(reset, {"go": [a], "rst": [FALSE]})
    assert found.port(after, "o") == [FALSE, TRUE, FALSE]


def test_a_loop_without_a_register_is_an_error(tmp_path: Path) -> None:
    text = """\
module \\top
  wire input 0 \\a
  wire output 1 \\y
  cell $_AND_ $1
    connect \\A \\a
    connect \\B \\y
    connect \\Y \\y
  end
end
"""
    with pytest.raises(VerifyError, match="has a loop"):
        unrolled(tmp_path, text, 1).clock([], {"a": [2]})
