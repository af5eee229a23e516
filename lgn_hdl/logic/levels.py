"""Topological levels of a program, in time linear in its wires."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np

from .program import LogicProgram

__all__ = ["by_level", "levels"]


#: Levels of programs that are in use: every pass, the evaluation and the hardware ask for them.
_known: WeakKeyDictionary[LogicProgram, np.ndarray] = WeakKeyDictionary()


def levels(program: LogicProgram) -> np.ndarray:
    """Level of each gate: 1 + the largest level it reads; inputs and constants are level 0.

    Returns
    -------
    ndarray of int32, shape (G,)
        Not to be written to.
    """
    level = _known.get(program)
    if level is None:
        level = _known[program] = _levels(program)
        level.flags.writeable = False
    return level


def _levels(program: LogicProgram) -> np.ndarray:
    level = _if_ordered(program)
    return _in_any_order(program) if level is None else level


def _if_ordered(program: LogicProgram) -> np.ndarray | None:
    """Levels of a program whose gates are numbered level by level, as most are; None for others."""
    last_read = program.fanin.max(axis=1, initial=0) - program.first_gate
    so_far = np.maximum.accumulate(last_read)
    starts = [0]  # of the levels: where a gate first reads one of the level before
    while (start := int(np.searchsorted(so_far, starts[-1]))) < len(so_far):
        starts.append(start)
    counts = np.diff([*starts, len(so_far)])
    level = np.repeat(np.arange(1, len(starts) + 1, dtype=np.int32), counts)
    must_read = np.repeat([np.iinfo(np.int32).min, *starts[:-1]], counts)
    return level if (last_read >= must_read).all() else None


def _in_any_order(program: LogicProgram) -> np.ndarray:
    gates, width = program.fanin.shape
    source = program.fanin.ravel() - program.first_gate
    reader = np.repeat(np.arange(gates, dtype=np.int32), width)
    wire = source >= 0
    source, reader = source[wire], reader[wire]
    order = np.argsort(source, kind="stable")
    fanout = reader[order]
    start = np.searchsorted(source[order], np.arange(gates + 1, dtype=np.int32))
    waiting = np.bincount(reader, minlength=gates)
    level = np.zeros(gates, np.int32)
    front, depth = np.flatnonzero(waiting == 0), 0
    while front.size:
        depth += 1
        level[front] = depth
        readers, times = np.unique(_gather(fanout, start, front), return_counts=True)
        waiting[readers] -= times
        front = readers[waiting[readers] == 0]
    return level


def _gather(values: np.ndarray, start: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Concatenate values[start[r] : start[r + 1]] over `rows`."""
    counts = start[rows + 1] - start[rows]
    first = np.repeat(start[rows] - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
    return values[first + np.arange(counts.sum())]


def by_level(program: LogicProgram) -> list[np.ndarray]:
    """Gate numbers of level 1, 2, ..., each ascending."""
    level = levels(program)
    order = np.argsort(level, kind="stable")
    ends = np.searchsorted(level[order], np.arange(1, level.max(initial=0) + 1), side="right")
    return [part for part in np.split(order, ends[:-1]) if part.size] if len(ends) else []
