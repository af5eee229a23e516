"""CRC-16/IBM-3740 four bits at a time: one LUT with its flip-flop per bit of the register."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Value

__all__ = ["START", "after_nibble", "before_sync"]

_POLYNOMIAL = 0x1021
START = 0xFFFF


def after_nibble(register: Value, nibble: Value) -> tuple[Value, Value]:
    """The register after four more bits, and the bits in which they differ from the expected.

    Parameters
    ----------
    register : Value, 16 bits
    nibble : Value, 4 bits
        The upper half of a byte comes first.
    """
    x = register[12:] ^ nibble
    # x · (x^16 mod P) = x · (x^12 + x^5 + 1), and nothing of it overflows.
    spread = x ^ Cat(Const(0, 5), x) ^ Cat(Const(0, 12), x)
    return (Cat(Const(0, 4), register[:12]) ^ spread)[:16], x


def before_sync(sync: int, start: int = START) -> int:
    """The register that a sync byte turns into the start value, which does not cover it."""
    register = start
    for bit in range(8):
        # One step backwards: the lowest bit tells whether the polynomial was added.
        fed_back = register & 1
        register = (register ^ (_POLYNOMIAL * fed_back)) >> 1
        register |= (fed_back ^ (sync >> bit & 1)) << 15
    return register
