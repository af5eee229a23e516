"""Tells what becomes of the results of each word."""

from __future__ import annotations

from amaranth.hdl import Module, Shape, Signal, Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from ...logic.engine import EngineCode

__all__ = ["Sequencer", "run_layout"]


def run_layout(code: EngineCode) -> data.StructLayout:
    """A row of the table of runs."""
    return data.StructLayout(
        {
            "end": Shape.cast(range(len(code.words))),
            "store": 1,
            "bit": 1,
            "close": 1,
            "weight": Shape(code.weight_bits, True),
        }
    )


class Sequencer(wiring.Component):
    """Goes through the runs along with the words.

    Parameters
    ----------
    code : EngineCode

    Members
    -------
    valid : In(1)
        The results of the next word are there.
    run : Out(run_layout)
        What is done with them.
    last, finished : Out(1)
        They are the last ones of the run; of the sample.
    """

    valid: Signal
    run: data.View
    last: Signal
    finished: Signal

    def __init__(self, *, code: EngineCode):
        self._code = code
        super().__init__(
            {
                "valid": In(1),
                "run": Out(run_layout(code)),
                "last": Out(1),
                "finished": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        runs = self._code.runs
        rows, width = _rows(self._code), run_layout(self._code).size
        # A few dozen rows, read without a clock: block RAM is scarcer than LUTs. The row that
        # comes next is looked up while the one before it is at work, which may be for one clock.
        m.submodules.runs = table = memory.Memory(
            shape=width, depth=len(runs), init=rows, attrs={"rom_style": "logic"}
        )
        port = table.read_port(domain="comb")
        word, number = Signal(range(len(self._code.words))), Signal(range(len(runs) + 1))
        m.d.comb += [
            port.addr.eq(number),
            self.last.eq(self.valid & (word == self.run.end)),
            self.finished.eq(self.last & (number == len(runs))),
        ]
        run = Value.cast(self.run)
        with m.If(~self.valid | self.finished):
            m.d.sync += [word.eq(0), number.eq(1), run.eq(rows[0])]
        with m.Else():
            m.d.sync += word.eq(word + 1)
            with m.If(self.last):
                m.d.sync += [number.eq(number + 1), run.eq(port.data)]
        return m


def _rows(code: EngineCode) -> list[int]:
    """The table of runs."""
    layout, runs = run_layout(code), code.runs
    columns = {
        "end": runs.end,
        "store": runs.store,
        "bit": runs.bit,
        "close": runs.close,
        "weight": runs.weight & (1 << code.weight_bits) - 1,
    }
    return [
        sum(int(column[r]) << layout[name].offset for name, column in columns.items())
        for r in range(len(runs))
    ]
