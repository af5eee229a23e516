"""Topological levels of a program, in time linear in its wires."""

from __future__ import annotations

import numpy as np

from .program import LogicProgram

__all__ = ["by_level", "levels"]


def levels(program: LogicProgram) -> np.ndarray:
    """Level of each gate: 1 + the largest level it reads; inputs and constants are level 0.

    Returns
    -------
    ndarray of int32, shape (G,)
    """
    gates, width = program.fanin.shape
    source = program.fanin.astype(np.int64).ravel() - program.first_gate
    reader = np.repeat(np.arange(gates), width)
    wire = source >= 0
    source, reader = source[wire], reader[wire]
    order = np.argsort(source, kind="stable")
    fanout = reader[order]
    start = np.searchsorted(source[order], np.arange(gates + 1))
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
