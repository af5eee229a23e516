"""The memories of an engine, and how many block RAMs of a device they take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...errors import BuildError
from .code import EngineCode

__all__ = ["RAMS", "BlockRam", "Memory", "blocks", "check_fits", "memories", "memory_bits"]

#: What a block is worth in LUTs, where a two-way multiplexer is worth half a LUT: this chooses the
#: shapes that Yosys chooses.
_BLOCK_COST = 64


@dataclass(frozen=True)
class BlockRam:
    """A kind of block RAM with one port to read and one to write.

    Parameters
    ----------
    title : str
    bits : int
        Bits of one block.
    shapes : tuple of (depth, width)
    """

    title: str
    bits: int
    shapes: tuple[tuple[int, int], ...]

    def blocks(self, depth: int, width: int) -> int:
        """Blocks for a memory as Yosys builds it.

        All have one shape. A memory that is deeper than the shape is several memories side by side,
        which may share a block, with a multiplexer behind them. The multiplexer costs LUTs, so
        the shape with the fewest blocks is not always the cheapest.
        """
        found = []
        for d, w in self.shapes:
            deep = -(-depth // d)
            number = -(-deep * width // w)
            found.append((2 * _BLOCK_COST * number + (deep - 1) * width, number))
        return min(found)[1]


_18K = ((16384, 1), (8192, 2), (4096, 4), (2048, 9), (1024, 18), (512, 36))

#: By target; the kinds of block RAM whose contents the bitstream sets.
RAMS: Mapping[str, BlockRam] = {
    "ice40": BlockRam("iCE40 EBR", 4096, ((2048, 2), (1024, 4), (512, 8), (256, 16))),
    "ecp5": BlockRam("ECP5 EBR", 18432, _18K),
    "gowin": BlockRam("Gowin BSRAM", 18432, _18K),
    "xilinx": BlockRam("RAMB18", 18432, _18K),
    "xcup": BlockRam("RAMB18", 18432, _18K),
}


@dataclass(frozen=True)
class Memory:
    """A memory of the engine.

    Parameters
    ----------
    name : str
    depth, width, copies : int
        Words, bits of a word, and how often it is there.
    """

    name: str
    depth: int
    width: int
    copies: int = 1

    @property
    def bits(self) -> int:
        """Bits of all copies."""
        return self.copies * self.depth * self.width


def memories(code: EngineCode) -> tuple[Memory, ...]:
    """The memories of an engine that are kept in block RAM; the table of runs is in LUTs."""
    found = [
        Memory("words", len(code.words), code.word_bits),
        Memory("state", code.rows, code.lanes, code.lanes * code.inputs),
    ]
    if code.steps and not code.plain:
        found.append(Memory("thresholds", code.steps, code.step_bits))
    return tuple(found)


def memory_bits(code: EngineCode) -> int:
    """Bits of all memories of an engine."""
    return sum(memory.bits for memory in memories(code))


def blocks(code: EngineCode, ram: BlockRam) -> int:
    """Block RAMs that an engine takes at most: small memories may end up in LUTs instead."""
    return sum(m.copies * ram.blocks(m.depth, m.width) for m in memories(code))


def check_fits(code: EngineCode, ram: BlockRam, available: int) -> None:
    """Refuse an engine that does not fit.

    Parameters
    ----------
    code : EngineCode
    ram : BlockRam
    available : int
        Block RAMs of the device.

    Raises
    ------
    BuildError
        If it needs more block RAMs than there are.
    """
    needed = blocks(code, ram)
    if needed > available:
        raise BuildError(
            f"the gate engine with {code.lanes} gates per clock needs {needed} block RAMs "
            f"({memory_bits(code):,} bits of program and state), the device has {available} "
            f"({available * ram.bits:,} bits)",
            hint="fewer gates per clock, or a larger device"
            if code.lanes > 1
            else "a larger device",
        )
