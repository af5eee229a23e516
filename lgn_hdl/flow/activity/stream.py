"""Runs a netlist over a stream of clocks, 64 of them in every machine word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ...errors import BuildError
from ...logic.packed import ONES, WORD, pack, unpack
from .netlist import GateNetlist
from .nodes import cell_nodes, without_constants
from .order import Loop, LoopError, Step, order

__all__ = ["Stimulus", "Stream", "count_ones", "delayed"]

#: What a port gets: a bit for every clock and bit of the port, or the same number at every clock.
Stimulus = Mapping[str, np.ndarray | int]

#: Words of a row that are computed together: 4,096 clocks.
_WORDS = 64
_ONE, _LAST = np.uint64(1), np.uint64(63)
_COUNTS = np.array([bin(value).count("1") for value in range(1 << 16)], np.uint8)


class Stream:
    """A netlist that is prepared for a stimulus.

    Parameters
    ----------
    netlist : GateNetlist
    stimulus : mapping
        Of every input port but clocks.

    Attributes
    ----------
    clocks : int
        Length of the stimulus.
    depth : int
        Registers on the longest way through the netlist: as many clocks pass until all rows show
        the stimulus. A loop counts as one.
    rows : int
    nodes : list of Node
        Without those that are constant.
    constants : dict of int to int
    clock_nets : frozenset of int
        Nets of ports that are clocks.
    gated : mapping of int to tuple of int
        Net of a gated clock → rows of its enables.
    """

    def __init__(self, netlist: GateNetlist, stimulus: Stimulus):
        found = cell_nodes(netlist)
        self.netlist = netlist
        self.clock_nets, self.gated, self.rows = found.clocks, found.gated, found.rows
        self._inputs, self.clocks, constants = _inputs(netlist, stimulus, found.clocks)
        self.nodes, self.constants = without_constants(found, constants)
        try:
            self._steps = order(self.nodes)
        except LoopError as error:
            where = f"{netlist.top}, net {netlist.nets[error.row]}"
            raise BuildError(error.what, where=where) from None
        self.depth = _depth(self._steps, self.rows)

    def blocks(self, words: int = _WORDS) -> Iterator[tuple[int, int, np.ndarray]]:
        """Yield the first clock, the number of clocks, and WORD (rows, words) of their values.

        The array is used again for the next block. Registers start at 0, but those that keep a
        constant from their second clock on have it from the first.
        """
        values = np.zeros((self.rows, words), WORD)
        values[[row for row, value in self.constants.items() if value]] = ONES
        carry = np.zeros(self.rows, WORD)
        state = np.zeros(self.rows, np.uint8)
        state[[row for row, value in self.constants.items() if value]] = 0xFF
        for first in range(0, self.clocks, 64 * words):
            part = slice(first, min(first + 64 * words, self.clocks))
            count = part.stop - part.start
            for rows, bits in self._inputs:
                values[rows] = pack(bits[part], words)
            for step in self._steps:
                if isinstance(step, Loop):
                    _run_loop(step, values, state, count)
                elif step.register:
                    following = step.run(values)
                    values[step.rows] = delayed(following, carry[step.rows])
                    carry[step.rows] = following[:, -1] >> _LAST
                else:
                    values[step.rows] = step.run(values)
            yield first, count, values


def delayed(rows: np.ndarray, carry: np.ndarray) -> np.ndarray:
    """Every row one clock later; `carry` is what came before its first bit."""
    result = rows << _ONE
    result[:, 1:] |= rows[:, :-1] >> _LAST
    result[:, 0] |= carry
    return result


def count_ones(rows: np.ndarray) -> np.ndarray:
    """Number of ones of each row of words, int64 of shape (rows,)."""
    return _COUNTS[np.ascontiguousarray(rows).view(np.uint16)].sum(axis=1, dtype=np.int64)


def _run_loop(loop: Loop, values: np.ndarray, state: np.ndarray, count: int) -> None:
    """Compute the rows of a loop clock by clock; `state` holds a byte of 0 or 255 for each row."""
    reads = np.ascontiguousarray(unpack(values[loop.reads], count).astype(np.uint8) * 0xFF)
    seen = np.zeros((count, len(loop.rows)), np.uint8)
    for clock in range(count):
        state[loop.reads] = reads[clock]
        following = []
        for step in loop.steps:
            if step.register:
                following.append((step.rows, step.run(state)))
            else:
                state[step.rows] = step.run(state)
        seen[clock] = state[loop.rows]
        for rows, result in following:
            state[rows] = result
    values[loop.rows] = pack(seen.astype(bool), values.shape[1])


def _inputs(
    netlist: GateNetlist, stimulus: Stimulus, clocks: frozenset[int]
) -> tuple[list[tuple[np.ndarray, np.ndarray]], int, dict[int, int]]:
    """Rows and bits of the ports that change, the number of clocks, and the constants."""
    ports = {name: nets for name, nets in netlist.inputs.items() if not clocks & set(nets)}
    for name in stimulus:
        if name not in ports:
            what = "is a clock" if name in netlist.inputs else "is no input"
            raise BuildError(f"port {name} {what}", where="stimulus")
    missing = sorted(ports.keys() - stimulus.keys())
    if missing:
        raise BuildError(f"nothing is given for port {missing[0]}", where="stimulus")
    constants, changing, length = {0: 0, 1: 1}, [], None
    for name, nets in ports.items():
        given = stimulus[name]
        if isinstance(given, int):
            constants |= {net: given >> place & 1 for place, net in enumerate(nets)}
            continue
        bits = np.asarray(given).astype(bool)
        bits = bits[:, None] if bits.ndim == 1 else bits
        if bits.ndim != 2 or bits.shape[1] != len(nets):
            raise BuildError(
                f"has shape {np.shape(given)}, expected (clocks, {len(nets)})",
                where=f"stimulus, port {name}",
            )
        if length not in (None, len(bits)):
            raise BuildError(
                f"has {len(bits)} clocks, another port {length}", where=f"stimulus, port {name}"
            )
        length = len(bits)
        same = (bits == bits[:1]).all(axis=0) if length else np.ones(len(nets), bool)
        rows = np.array(nets, np.intp)
        constants |= {int(rows[i]): int(bits[0, i]) for i in np.flatnonzero(same) if length}
        if not same.all():
            changing.append((rows[~same], bits[:, ~same]))
    if not length:
        raise BuildError("has no clock", where="stimulus", hint="give an array for some port")
    return changing, length, constants


def _depth(steps: Sequence[Step | Loop], rows: int) -> int:
    depth = np.zeros(rows, np.int64)
    for step in steps:
        if isinstance(step, Loop):
            depth[step.rows] = depth[step.reads].max(initial=0) + 1
        else:
            depth[step.rows] = depth[step.reads].max(axis=0, initial=0) + step.register
    return int(depth.max(initial=0))
