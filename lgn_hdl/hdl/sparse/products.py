"""Small tables of constants, products with what they hold, and trees."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value

from ...network import FixedPoint
from ..lookup import lookup

__all__ = ["added", "apart", "product", "table", "tree", "tree_registers", "weight_bits"]

#: Levels of additions between two registers of a tree.
TREE_LEVELS = 3


def table(m: Module, index: Value, words: Sequence[int], width: int, name: str) -> Value:
    """The word of a table at an index; zero beyond the end of the table.

    Parameters
    ----------
    m : Module
    index : Value
    words : sequence of int
        Not negative, of at most `width` bits.
    width : int
    name : str
        Prefix of signals.
    """
    if isinstance(index, Const):
        return Const(words[index.value] if index.value < len(words) else 0, width)
    inputs = len(index)
    words = [*words, *[0] * ((1 << inputs) - len(words))]
    index_bits = Signal(inputs, name=f"{name}_index")
    m.d.comb += index_bits.eq(index)
    out = Signal(width, name=name)
    low = min(inputs, 6)
    operands = [index_bits[k] for k in reversed(range(low))]
    for bit in range(width):
        parts: list[Value] = []
        for at in range(0, 1 << inputs, 1 << low):
            rows = sum((words[at + k] >> bit & 1) << k for k in range(1 << low))
            parts.append(lookup(m, rows, operands, f"{name}_{bit}_{at}"))
        for k in range(low, inputs):
            parts = [Mux(index_bits[k], b, a) for a, b in zip(parts[::2], parts[1::2], strict=True)]
        m.d.comb += out[bit].eq(parts[0])
    return out


def weight_bits(low: int, high: int) -> int:
    """Bits of the constants from `low` to `high` in a table, as `product` takes them: even."""
    width = FixedPoint.covering(min(low, -1), max(high, 0)).width
    return width + width % 2


def product(m: Module, x: Value, weight: Value, name: str) -> Signal:
    """The product of a number and a signed constant of an even number of bits.

    Two bits of the constant and the one below select -2 to 2 times the number. That and the
    addition to what the bits below made are one function of six inputs for each bit of the sum: one
    LUT with a carry.
    """
    size = len(x) + 2
    wide = Signal(size, name=f"{name}_x")  # sign or zeros in front
    m.d.comb += wide.eq(x)
    done: list[Value] = []
    above: Value = Const(0, 1)
    for k in range(0, len(weight), 2):
        low, middle, negative = (weight[k - 1] if k else Const(0)), weight[k], weight[k + 1]
        one, two = low ^ middle, (negative ^ middle) & ~(low ^ middle)
        multiple = Signal(size, name=f"{name}_digit{k // 2}")
        plain = (wide & one.replicate(size)) | (Cat(0, wide[:-1]) & two.replicate(size))
        m.d.comb += multiple.eq(plain ^ negative.replicate(size))
        # The one that makes the complement a negative is the carry that comes in.
        total = Signal(size + 1, name=f"{name}_sum{k // 2}")
        # Of one width and unsigned, so that the one is taken for the carry into the chain.
        terms = [Cat(v, v[-1].replicate(size + 1 - len(v))) for v in (above, multiple)]
        m.d.comb += total.eq(terms[0] + terms[1] + negative)
        done.append(total[:2])
        above = total[2:]
    out = Signal(len(x) + len(weight), name=name)
    m.d.comb += out.eq(Cat(*done, above))
    return out


def apart(total: Value) -> Value:
    """A sum that enters another addition, as it is.

    Yosys merges such additions and makes them of compressors: two LUTs a bit and operand, where a
    carry chain takes one. It does so only where it finds all bits of the sum; the highest one said
    in another way prevents that, and is the same to every mapper of gates.
    """
    if len(total) == 1:
        return total
    bits = Cat(total[:-1], total[-1] & (total[-1] | total[-2]))
    return bits.as_signed() if total.shape().signed else bits


def added(a: Value, b: Value) -> Value:
    """The sum of two numbers that may be sums themselves, by a carry chain."""
    return apart(a) + apart(b)


def tree_registers(terms: int, levels: int = TREE_LEVELS) -> int:
    """Registers on every path through `tree` with one behind every so many levels."""
    return max(0, (terms - 1).bit_length() - 1) // levels


def tree(
    m: Module,
    terms: Sequence[Value],
    combine: Callable[[Value, Value], Value],
    name: str,
    *,
    levels: int = TREE_LEVELS,
    width: int | None = None,
) -> Value:
    """Terms combined in pairs, with a register behind every few levels but not behind the last.

    Parameters
    ----------
    m : Module
    terms : sequence of Value
    combine : function of two Values
    name : str
        Prefix of signals.
    levels : int
        Levels between two registers.
    width : int, optional
        The result is modulo 2^width.
    """
    level, all_levels = 0, (len(terms) - 1).bit_length()
    terms = list(terms)
    while len(terms) > 1:
        level += 1
        cut = level % levels == 0 and level < all_levels
        after: list[Value] = []
        for k in range(0, len(terms), 2):
            total = combine(terms[k], terms[k + 1]) if k + 1 < len(terms) else terms[k]
            shape = total.shape()
            size = shape.width if width is None else min(shape.width, width)
            part = Signal(Shape(size, shape.signed), name=f"{name}_{level}_{k}", reset_less=cut)
            m.d["sync" if cut else "comb"] += part.eq(total)
            after.append(part)
        terms = after
    return terms[0]
