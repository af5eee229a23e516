"""Moving active pixels together without a search: ranks, a shift network, and appending.

An active pixel moves down by the number of inactive ones before it. Taken digit by digit from the
lowest, these moves never lead two pixels to one lane: two neighbours among the active pixels are
at least as far apart as their moves differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from ..lookup import lookup

__all__ = ["GROUP", "Lane", "append", "compact", "count_before", "group_counts", "scan_levels"]

#: Positions that one lookup table counts.
GROUP = 6


@dataclass(frozen=True)
class Lane:
    """What may be at one position.

    Parameters
    ----------
    used : Value
        Or else the data are anything.
    data : Value
    """

    used: Value
    data: Value


def scan_levels(width: int) -> int:
    """Levels of additions that `count_before` makes over the groups of `width` positions."""
    return (-(-width // GROUP) - 1).bit_length()


def group_counts(m: Module, bits: Value, name: str) -> list[Value]:
    """Ones in each group of bits."""
    return [
        _popcount(m, [bits[p] for p in range(at, min(at + GROUP, len(bits)))], f"{name}_{at}")
        for at in range(0, len(bits), GROUP)
    ]


def count_before(m: Module, sums: Sequence[Value], levels: range, name: str) -> list[Value]:
    """Some levels of an inclusive prefix sum, the longest path of which is logarithmic."""
    sums = list(sums)
    for level in levels:
        nodes = list(sums)
        for k in range(len(sums)):
            if k >> level & 1:
                total = sums[k] + sums[(k >> level << level) - 1]
                nodes[k] = Signal(total.shape(), name=f"{name}_{level}_{k}")
                m.d.comb += nodes[k].eq(total)
        sums = nodes
    return sums


def local_counts(m: Module, bits: Value, name: str) -> list[Value]:
    """Ones before each position within its group."""
    return [
        _popcount(m, [bits[p] for p in range(at - at % GROUP, at)], f"{name}_{at}")
        for at in range(len(bits))
    ]


def _popcount(m: Module, bits: Sequence[Value], name: str) -> Value:
    if not bits:
        return Const(0, 1)
    indices = range(1 << len(bits))
    tables = [
        sum((index.bit_count() >> place & 1) << index for index in indices)
        for place in range(len(bits).bit_length())
    ]
    count = Signal(len(tables), name=f"{name}_count")
    found = [lookup(m, table, bits, f"{name}_{k}") for k, table in enumerate(tables)]
    m.d.comb += count.eq(Cat(found))
    return count


def compact(
    m: Module, lanes: Sequence[Lane], moves: Sequence[Value], keep: int, name: str
) -> list[Lane]:
    """The used ones of `lanes` side by side, the first `keep` of them.

    Parameters
    ----------
    m : Module
    lanes : sequence of Lane
    moves : sequence of Value
        How many lanes before each are not used, all of one width; anything where a lane is not
        used itself.
    keep : int
    name : str
        Prefix of signals.

    Returns
    -------
    list of Lane
        Their data have the number of lanes moved above the data that came.
    """
    size = len(moves[0])
    lanes = [Lane(lane.used, Cat(move, lane.data)) for lane, move in zip(lanes, moves, strict=True)]
    # Two bits at once: four data and two shared selects make one LUT6.
    for low in range(0, size, 2):
        high = min(low + 2, size)
        ends = keep if high == size else len(lanes)
        lanes = [
            _moved(m, lanes, at, low, high, f"{name}_{low}_{at}")
            for at in range(min(ends, len(lanes)))
        ]
    return [Lane(lane.used, Cat(lane.data[size:], lane.data[:size])) for lane in lanes]


def _moved(m: Module, lanes: Sequence[Lane], at: int, low: int, high: int, name: str) -> Lane:
    """What lane `at` holds when all have moved by the digit from bit `low` up to `high`."""
    own = lanes[at]
    data: list[Value] = [own.data] * 4
    hits: list[Value] = [Const(0)] * 4
    for digit in range(1 << (high - low)):
        source = at + (digit << low)
        if source < len(lanes):
            data[digit] = lanes[source].data
            hits[digit] = lanes[source].used & (lanes[source].data[low:high] == digit)
    select, used = Signal(2, name=f"{name}_select"), Signal(name=f"{name}_used")
    out = Signal(len(own.data), name=name)
    m.d.comb += [
        select.eq(Cat(hits[1] | hits[3], hits[2] | hits[3])),
        used.eq(hits[0] | select.any()),
        out.eq(Mux(select[1], Mux(select[0], data[3], data[2]), Mux(select[0], data[1], data[0]))),
    ]
    return Lane(used, out)


def append(
    m: Module, kept: Sequence[Lane], count: Value, lanes: Sequence[Lane], keep: int, name: str
) -> list[Lane]:
    """`lanes` behind the first `count` ones of `kept`; the first `keep` of all.

    Parameters
    ----------
    m : Module
    kept : sequence of Lane
        The first `count` of them are used, and no others.
    count : Value
    lanes : sequence of Lane
        The used ones first.
    keep : int
    name : str
        Prefix of signals.

    Returns
    -------
    list of Lane
        The data of lanes that are not used are zero if they were in `kept`.
    """
    size = len(lanes[0].data)
    nothing = Const(0, size + 1)
    moved: list[Value] = []
    moved += [Cat(lane.data, lane.used) for lane in lanes[:keep]]
    moved += [nothing] * (keep - len(moved))
    for low in range(0, len(count), 2):
        digit = count[low : low + 2]
        shifted = []
        for at in range(keep):
            sources = [at - (k << low) for k in range(1 << len(digit))]
            values = [moved[s] if s >= 0 else nothing for s in sources]
            out = Signal(size + 1, name=f"{name}_shift{low}_{at}")
            while len(values) > 1:
                bit = digit[len(digit) - len(values).bit_length() + 1]
                values = [Mux(bit, b, a) for a, b in zip(values[::2], values[1::2], strict=True)]
            m.d.comb += out.eq(values[0])
            shifted.append(out)
        moved = shifted
    result = []
    for at, new in enumerate(moved):
        old = kept[at] if at < len(kept) else Lane(Const(0), Const(0, size))
        out = Signal(size, name=f"{name}_{at}")
        m.d.comb += out.eq(Mux(new[-1], new[:-1], old.data))
        result.append(Lane(new[-1] | old.used, out))
    return result
