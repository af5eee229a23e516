"""The fastest gate engine that a device has the memory for."""

from __future__ import annotations

from ..program import LogicProgram
from .assemble import assemble
from .code import EngineCode
from .memory import BlockRam, blocks, check_fits

__all__ = ["fit"]


def fit(
    program: LogicProgram, *, ram: BlockRam, available: int, most_lanes: int = 64
) -> EngineCode:
    """Give the engine as many gates per clock as fit the block RAMs.

    Parameters
    ----------
    program : LogicProgram
    ram : BlockRam
    available : int
        Block RAMs of the device that the engine may have.
    most_lanes : int

    Returns
    -------
    EngineCode

    Raises
    ------
    BuildError
        If even one gate per clock needs more than there are; and as `assemble` does.
    """
    best = assemble(program, ram=ram)
    check_fits(best, ram, available)
    while 2 * best.lanes <= most_lanes:
        wider = assemble(program, lanes=2 * best.lanes, ram=ram)
        if blocks(wider, ram) > available or wider.clocks >= best.clocks:
            break
        best = wider
    return best
