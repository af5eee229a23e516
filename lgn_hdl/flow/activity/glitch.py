"""Transitions within a clock, with delays counted in steps: an estimate of glitches.

After an edge of the clock the registers and ports take their new values, and the logic settles
step by step. All clocks of a block settle together, a bit for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import VerifyError
from .nodes import Node
from .order import Step, combinational_levels, steps_of
from .stream import count_ones

__all__ = ["Settling"]


@dataclass(frozen=True, eq=False)
class _Timed:
    """A step, and when the inputs of each of its nodes may change."""

    step: Step
    delay: int
    first: np.ndarray
    last: np.ndarray


class Settling:
    """The combinational nodes of a netlist, prepared.

    Parameters
    ----------
    nodes : sequence of Node
    rows : int
    delays : sequence of int
        Of every node, in steps; at least 1.
    """

    def __init__(self, nodes: Sequence[Node], rows: int, delays: Sequence[int]):
        delay_of = {node.row: delay for node, delay in zip(nodes, delays, strict=True)}
        first, last = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
        logic: list[Node] = []
        for level in combinational_levels(nodes):
            for node in level:
                reads, delay = list(node.reads), delay_of[node.row]
                first[node.row] = first[reads].min() + delay
                last[node.row] = last[reads].max() + delay
            logic += level
        self._rows = np.array([node.row for node in logic], np.intp)
        self._timed = []
        for delay in sorted({delay_of[node.row] for node in logic}):
            for step in steps_of(node for node in logic if delay_of[node.row] == delay):
                timed = _Timed(step, delay, first[step.rows] - delay, last[step.rows] - delay)
                self._timed.append(timed)
        self._end = int(last.max(initial=0))

    def transitions(self, before: np.ndarray, after: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Count transitions of every row while it settles.

        Parameters
        ----------
        before, after : ndarray of WORD, shape (rows, words)
            Settled values of a clock and of the next one.
        mask : ndarray of WORD, shape (words,)
            Which bits are counted.

        Returns
        -------
        ndarray of int64, shape (rows,)
            Of registers and ports the one transition that they make.

        Raises
        ------
        VerifyError
            If the logic does not settle to `after`, which would be a fault of this program.
        """
        now = after.copy()
        now[self._rows] = before[self._rows]
        counts = count_ones((before ^ now) & mask)
        pending: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}
        for time in range(self._end + 1):
            for rows, values in pending.pop(time, ()):
                counts[rows] += count_ones((now[rows] ^ values) & mask)
                now[rows] = values
            for timed in self._timed:
                active = np.flatnonzero((timed.first <= time) & (time <= timed.last))
                if len(active):
                    step = timed.step
                    part = Step(step.table, step.rows[active], step.reads[:, active], False)
                    pending.setdefault(time + timed.delay, []).append((part.rows, part.run(now)))
        if ((now ^ after) & mask).any():
            raise VerifyError("logic settles to other values with delays than without")
        return counts
