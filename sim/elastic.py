"""A stream between two blocks, looked at in every clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .vectors import Block

__all__ = ["Watch"]


class Watch:
    """What leaves a block.

    Parameters
    ----------
    dut
        The top.
    block : Block
        Its path names the wires.

    Attributes
    ----------
    taken : int
        Samples that have left it.
    first : int or None
        The clock in which its first result was seen.
    arrived : bool
        Whether in this clock a result was seen for the first time.
    waiting : bool
        Whether it was not taken.
    """

    def __init__(self, dut: Any, block: Block):
        self.block = block
        self.taken, self.arrived, self.waiting = 0, False, False
        self.first: int | None = None
        self._payload, self._valid, self._ready = (
            getattr(dut, f"{block.path}__{wire}") for wire in ("payload", "valid", "ready")
        )

    def look(self, clock: int, progress: Any, compare: Callable[..., None]) -> None:
        """Compare a result, in every clock in which it waits."""
        valid = bool(self._valid.value)
        if valid and self.taken == len(self.block.expected):
            raise AssertionError(f"{self.block.name} gives more results than there were samples")
        assert valid or not self.waiting, f"{self.block.name} withdraws a result"
        self.arrived = valid and not self.waiting
        if valid and self.first is None:
            self.first = clock
        if valid:
            compare(self.block, self._payload, self.taken, progress)
        moves = valid and bool(self._ready.value)
        self.taken += moves
        self.waiting = valid and not moves
