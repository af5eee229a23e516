"""The gates of the engine: words from a memory, operands from the state, results by tables."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from ...logic.engine import EngineCode
from .select import choose

__all__ = ["Lanes"]


class Lanes(wiring.Component):
    """Looks up the gates of a word.

    The state has a copy for every input of every lane, since a block RAM is read at one place per
    clock. Reading and writing the same row in one clock never happens for a value that counts:
    `EngineCode` keeps them apart.

    Parameters
    ----------
    code : EngineCode

    Members
    -------
    pc : In
        Word to be looked up.
    o : Out(lanes)
        Its results, three clocks later.
    row, data, write : In
        Row of the state to be written in this clock.
    """

    pc: Signal
    o: Signal
    row: Signal
    data: Signal
    write: Signal

    def __init__(self, *, code: EngineCode):
        self._code = code
        super().__init__(
            {
                "pc": In(range(len(code.words))),
                "o": Out(code.lanes),
                "row": In(range(code.rows)),
                "data": In(code.lanes),
                "write": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        code = self._code
        m.submodules.words = words = memory.Memory(
            shape=code.word_bits, depth=len(code.words), init=list(code.words)
        )
        fetch = words.read_port()
        word = Signal(code.word_bits)
        m.d.comb += [fetch.addr.eq(self.pc), fetch.en.eq(1), word.eq(fetch.data)]
        results = []
        for lane in range(code.lanes):
            gate = word[lane * code.gate_bits : (lane + 1) * code.gate_bits]
            operands = [self._operand(m, gate, lane, j) for j in range(code.inputs)]
            table = Signal(code.table_bits, name=f"lane{lane}_table", reset_less=True)
            m.d.sync += table.eq(gate[code.inputs * code.address_bits :])
            results.append(self._looked_up(operands, table))
        m.d.sync += self.o.eq(Cat(results))
        return m

    def _operand(self, m: Module, gate: Value, lane: int, variable: int) -> Value:
        """The slot that a gate's variable names, one clock after the word."""
        code, name = self._code, f"lane{lane}_input{variable}"
        at = variable * code.address_bits
        slot = gate[at : at + code.address_bits]
        inside = (code.lanes - 1).bit_length()
        state = memory.Memory(  # pyright: ignore[reportCallIssue]
            shape=code.lanes,
            depth=code.rows,
            init=[],
            attrs={"no_rw_check": 1},  # pyright: ignore[reportArgumentType]
        )
        m.submodules[f"state_{name}"] = state
        # Old or new does not matter where a row is written while it is read. Yosys believes this
        # attribute only where it makes the read port synchronous itself; for a port that is so
        # already it would add a bypass, for what no block RAM promises.
        write, read = state.write_port(), state.read_port(domain="comb")
        values = Signal(code.lanes, name=f"{name}_values", reset_less=True)
        which = Signal(inside, name=f"{name}_lane", reset_less=True)
        m.d.sync += which.eq(slot[:inside])
        m.d.comb += [
            write.addr.eq(self.row),
            write.data.eq(self.data),
            write.en.eq(self.write),
            read.addr.eq(slot[inside:]),
        ]
        m.d.sync += values.eq(read.data)
        return choose(list(values), which)

    def _looked_up(self, operands: list[Value], table: Signal) -> Value:
        code = self._code
        if not code.tables:
            return choose(list(table), Cat(operands))
        bits = [Const(t >> i & 1, 1) for t in code.tables for i in range(1 << code.inputs)]
        return choose(bits, Cat(operands, table))
