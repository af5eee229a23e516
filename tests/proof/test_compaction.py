# amaranth: UnusedElaboratable=no
"""The compactor of any width up to 64, by composition: counts, moves, and one lane at a time.

A pixel at p with m inactive ones before it moves by the digits of m to the base four. If no two
pixels are ever due at one lane, each lane has at most one source, and what it does then is a claim
about one lane, proved for every one there is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lgn_hdl.flow.equivalence import never_true
from lgn_hdl.hdl import to_rtlil
from lgn_hdl.hdl.sparse import compact
from lgn_hdl.proof.aig import FALSE, Aig
from lgn_hdl.proof.netlist import gate_netlist, literals

#: Bits of a move, and of the data that move along.
MOVE, DATA = 6, 2


class Block(wiring.Component):
    """Logic from a vector to a vector."""

    def __init__(self, inputs: int, outputs: int, build: Callable[[Module, Signal], Sequence]):
        super().__init__({"a": In(inputs), "y": Out(outputs)})
        self._build = build

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.y.eq(Cat(*self._build(m, self.a)))  # pyright: ignore
        return m


def read(folder: Path, block: Block, inputs: int) -> tuple[Aig, list[int]]:
    """The graph of a block, and the literals of its output."""
    (folder / "top.il").write_text(to_rtlil(block))
    netlist = gate_netlist(folder / "top.il", folder)
    aig = Aig(inputs)
    values = literals(aig, netlist, {"a": aig.inputs})
    return aig, [values[net] for net in netlist.ports["y"]]


def proved(folder: Path, aig: Aig, wrong: int) -> bool | None:
    if wrong == FALSE:
        return True
    aig.write(folder / "claim.aig", wrong)
    return never_true(folder / "claim.aig", 100).proved


def lane_proved(folder: Path, low: int, sources: int) -> bool | None:
    """Whether a lane that at most one of its sources moves to is what this one brings."""
    spread, size = 1 << low, MOVE + DATA
    lanes = (sources - 1) * spread + 1

    def build(m: Module, a: Signal) -> Sequence:
        each = [a[k * (size + 1) : (k + 1) * (size + 1)] for k in range(lanes)]
        found = compact._moved(
            m, [compact.Lane(e[-1], e[:-1]) for e in each], 0, low, low + 2, "lane"
        )
        return found.data, found.used

    inputs = lanes * (size + 1)
    aig, (*data, used) = read(folder, Block(inputs, size + 1, build), inputs)
    each = [aig.inputs[k * (size + 1) :][: size + 1] for k in range(0, lanes, spread)]
    hits, several, wrong = [], FALSE, []
    for digit, (*bits, there) in enumerate(each):
        match = [bits[low] ^ (digit & 1 ^ 1), bits[low + 1] ^ (digit >> 1 ^ 1)]
        hit = aig.conjunction(there, aig.conjunction(*match))
        several = aig.disjunction(several, aig.conjunction(aig.any(hits), hit))
        hits.append(hit)
        differ = aig.any(aig.exclusive(x, y) for x, y in zip(bits, data, strict=True))
        wrong.append(aig.conjunction(hit, differ))
    wrong.append(aig.exclusive(used, aig.any(hits)))
    return proved(folder, aig, aig.conjunction(several ^ 1, aig.any(wrong)))


@pytest.mark.parametrize("low", [0, 2, 4])
@pytest.mark.parametrize("sources", [1, 2, 3, 4])
def test_a_lane_takes_what_its_only_source_brings(low: int, sources: int, tmp_path: Path) -> None:
    """Fewer than four sources at the end of a row."""
    assert lane_proved(tmp_path, low, sources) is True


def test_a_lane_that_forgets_a_source_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = compact._moved
    monkeypatch.setattr(compact, "_moved", lambda m, lanes, *rest: original(m, lanes[:-1], *rest))
    assert lane_proved(tmp_path, 2, 4) is False


def test_no_two_pixels_are_ever_due_at_one_lane() -> None:
    """For any two of up to 64 pixels: q behind p, and fewer inactive between them than places."""
    moves = np.arange(64)[:, None, None]  # of p
    apart, between = np.arange(1, 64)[:, None], np.arange(63)
    for digits in range(4):  # already taken
        mask = (1 << 2 * digits) - 1
        distance = apart - ((moves + between) & mask) + (moves & mask)
        assert (distance > 0)[np.broadcast_to(between < apart, distance.shape)].all()


def counts_proved(folder: Path, width: int, levels: int) -> bool | None:
    """Whether the prefix sum, as `RowSearch` puts it together, counts as one does one by one."""
    size = (width - 1).bit_length()

    def build(m: Module, a: Signal) -> Sequence:
        sums = compact.group_counts(m, a, "count")
        sums = compact.count_before(m, sums, range(levels), "sum")
        out = []
        for x, within in enumerate(compact.local_counts(m, a, "local")):
            group, move = x // compact.GROUP, Signal(size, name=f"move{x}")
            m.d.comb += move.eq(within + sums[group - 1] if group else within)
            out.append(move)
        return out

    aig, found = read(folder, Block(width, width * size, build), width)
    wrong, count = [], [FALSE] * size
    for x, bit in enumerate(aig.inputs):
        own = found[x * size : (x + 1) * size]
        wrong += [aig.exclusive(a, b) for a, b in zip(count, own, strict=True)]
        carry = bit
        for place, old in enumerate(count):
            count[place], carry = aig.exclusive(old, carry), aig.conjunction(old, carry)
    return proved(folder, aig, aig.any(wrong))


@pytest.mark.parametrize("width", [5, 6, 7, 36, 63])
def test_counts_of_inactive_pixels_before_each(width: int, tmp_path: Path) -> None:
    assert counts_proved(tmp_path, width, compact.scan_levels(width)) is True


def test_a_sum_that_lacks_a_level_is_found(tmp_path: Path) -> None:
    assert counts_proved(tmp_path, 36, compact.scan_levels(36) - 1) is False
