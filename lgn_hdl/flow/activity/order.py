"""In which order the rows of a netlist can be computed, each for all clocks at once.

A pipeline has such an order, registers included: theirs is the row of their input, one clock later.
Where registers depend on themselves there is none; the nodes of such a loop are computed together,
clock by clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import BuildError
from .nodes import Node

__all__ = ["Loop", "LoopError", "Step", "combinational_levels", "order", "steps_of"]


class LoopError(BuildError):
    """Logic that reads itself.

    Parameters
    ----------
    row : int
        One of the rows in the loop.
    """

    def __init__(self, row: int):
        self.row = row
        super().__init__("is part of a loop without a register", where=f"net {row}")


@dataclass(frozen=True, eq=False)
class Step:
    """Nodes of one function that do not read each other.

    Parameters
    ----------
    table : int
    rows : ndarray of intp, shape (n,)
    reads : ndarray of intp, shape (k, n)
    register : bool
    """

    table: int
    rows: np.ndarray
    reads: np.ndarray
    register: bool

    def run(self, values: np.ndarray) -> np.ndarray:
        """Return the function of rows of packed bits, any unsigned type, shape (n, ...)."""
        return _evaluate(self.table, [values[row] for row in self.reads])


@dataclass(frozen=True, eq=False)
class Loop:
    """Nodes that depend on each other through registers.

    Parameters
    ----------
    steps : tuple of Step
        Combinational nodes in order, then the registers.
    rows : ndarray of intp
        What the steps compute.
    reads : ndarray of intp
        What they read from outside.
    """

    steps: tuple[Step, ...]
    rows: np.ndarray
    reads: np.ndarray


def order(nodes: Sequence[Node]) -> list[Step | Loop]:
    """Return steps in an order in which each reads only what is known by then.

    Raises
    ------
    LoopError
        If there is a loop without a register.
    """
    place = {node.row: number for number, node in enumerate(nodes)}
    depends = [[place[row] for row in dict.fromkeys(node.reads) if row in place] for node in nodes]
    level = [0] * len(nodes)
    plain: dict[int, list[Node]] = {}
    loops: dict[int, list[Node]] = {}
    for component in _components(depends):
        inside = set(component)
        before = [level[d] for c in component for d in depends[c] if d not in inside]
        height = 1 + max(before, default=0)
        for number in component:
            level[number] = height
        looped = len(component) > 1 or component[0] in depends[component[0]]
        (loops if looped else plain).setdefault(height, []).extend(nodes[c] for c in component)
    found: list[Step | Loop] = []
    for height in sorted(plain.keys() | loops.keys()):
        found += steps_of(plain.get(height, []))
        if height in loops:
            found.append(_loop(loops[height]))
    return found


def steps_of(nodes: Iterable[Node]) -> list[Step]:
    """Group nodes by function."""
    groups: dict[tuple[bool, int, int], list[Node]] = {}
    for node in nodes:
        groups.setdefault((node.register, len(node.reads), node.table), []).append(node)
    return [
        Step(
            table,
            np.array([node.row for node in group], np.intp),
            np.array([node.reads for node in group], np.intp).reshape(len(group), inputs).T,
            register,
        )
        for (register, inputs, table), group in groups.items()
    ]


def combinational_levels(nodes: Sequence[Node]) -> list[list[Node]]:
    """Return the combinational nodes by level; registers and all else are read at level 0.

    Raises
    ------
    LoopError
        If there is a loop without a register.
    """
    logic = {node.row: node for node in nodes if not node.register}
    readers: dict[int, list[int]] = {}
    waits = {}
    for row, node in logic.items():
        inside = [read for read in set(node.reads) if read in logic]
        waits[row] = len(inside)
        for read in inside:
            readers.setdefault(read, []).append(row)
    found: list[list[Node]] = []
    ready = [row for row, count in waits.items() if count == 0]
    while ready:
        found.append([logic[row] for row in ready])
        following = []
        for row in ready:
            for reader in readers.get(row, ()):
                waits[reader] -= 1
                if waits[reader] == 0:
                    following.append(reader)
        ready = following
    if sum(map(len, found)) < len(logic):
        left = next(row for row, count in waits.items() if count)
        raise LoopError(left)
    return found


def _loop(nodes: list[Node]) -> Loop:
    steps = [step for level in combinational_levels(nodes) for step in steps_of(level)]
    steps += steps_of(node for node in nodes if node.register)
    rows = np.array([node.row for node in nodes], np.intp)
    outside = {read for node in nodes for read in node.reads} - set(rows.tolist())
    return Loop(tuple(steps), rows, np.array(sorted(outside), np.intp))


def _components(depends: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Strongly connected components, those that others depend on first (Tarjan, without calls)."""
    index, low = [-1] * len(depends), [0] * len(depends)
    on_stack, stack, count = bytearray(len(depends)), [], 0
    for root in range(len(depends)):
        if index[root] >= 0:
            continue
        work = [(root, iter(depends[root]))]
        index[root] = low[root] = count
        count += 1
        stack.append(root)
        on_stack[root] = 1
        while work:
            node, rest = work[-1]
            for other in rest:
                if index[other] < 0:
                    index[other] = low[other] = count
                    count += 1
                    stack.append(other)
                    on_stack[other] = 1
                    work.append((other, iter(depends[other])))
                    break
                if on_stack[other]:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[node])
                if low[node] == index[node]:
                    component = []
                    while not component or component[-1] != node:
                        component.append(stack.pop())
                        on_stack[component[-1]] = 0
                    yield component


def _evaluate(table: int, reads: list[np.ndarray]) -> np.ndarray:
    """The function of packed bits, by Shannon's expansion; equal parts are computed once."""
    known: dict[tuple[int, int], np.ndarray] = {}

    def part(table: int, depth: int) -> np.ndarray:
        if (table, depth) not in known:
            known[table, depth] = expand(table, depth)
        return known[table, depth]

    def expand(table: int, depth: int) -> np.ndarray:
        half = 1 << len(reads) - depth - 1
        ones = (1 << half) - 1
        low, high, a = table & ones, table >> half, reads[depth]
        if low == high:
            return part(low, depth + 1)
        if low == 0:
            return a if high == ones else a & part(high, depth + 1)
        if low == ones:
            return ~a if high == 0 else ~a | part(high, depth + 1)
        if high == 0:
            return ~a & part(low, depth + 1)
        if high == ones:
            return a | part(low, depth + 1)
        zero = part(low, depth + 1)
        if high == low ^ ones:
            return a ^ zero
        return zero ^ (a & (zero ^ part(high, depth + 1)))

    # A function of nothing was taken out as a constant, so that there is an array to begin with.
    return part(table, 0)
