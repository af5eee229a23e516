"""Switching activity of a mapped netlist on real samples: toggle rates and static probabilities.

The netlist is simulated clock after clock with the samples that a user has, 64 clocks in every
machine word. Without delays a net changes at most once in a clock; what it changes more often on
the way, its glitches, is estimated with delays in whole steps on a part of the samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...errors import BuildError
from ...logic.packed import ONES, WORD, unpack
from .glitch import Settling
from .netlist import GateNetlist
from .stream import Stimulus, Stream, count_ones, delayed

__all__ = ["Activity", "simulate_activity"]

#: Words of a block that settles with delays.
_SETTLING_WORDS = 16


@dataclass(frozen=True, eq=False)
class Activity:
    """What the nets of a netlist do.

    Parameters
    ----------
    netlist : GateNetlist
    toggles : ndarray of float64, shape (nets,)
        Transitions in a clock, without glitches. A clock has two.
    ones : ndarray of float64, shape (nets,)
        How much of the time a net is 1.
    clocks : int
        Over how many clocks the means are.
    clock_nets : frozenset of int
        Ports of clocks, and what clock gates and buffers make of them.
    outputs : mapping of str to ndarray of bool, shape (all clocks, width)
        What the output ports show; their first clocks, until the registers are full, mean nothing.
    glitching : ndarray of float64, shape (nets,), optional
        Transitions in a clock with delays, if they were asked for: `toggles` and glitches.
    glitch_clocks : int
        Over how many clocks the mean of the glitches is.
    """

    netlist: GateNetlist
    toggles: np.ndarray
    ones: np.ndarray
    clocks: int
    clock_nets: frozenset[int]
    outputs: Mapping[str, np.ndarray]
    glitching: np.ndarray | None = None
    glitch_clocks: int = 0

    @property
    def glitch_factor(self) -> float | None:
        """Transitions of the logic with delays for each one without, weighted by load."""
        if self.glitching is None:
            return None
        loads = np.where(self.netlist.drivers() >= 0, self.netlist.loads(), 0.0)
        loads[list(self.clock_nets)] = 0.0
        plain = float(loads @ self.toggles)
        return float(loads @ self.glitching) / plain if plain else 1.0


def simulate_activity(
    netlist: GateNetlist,
    stimulus: Stimulus,
    *,
    warmup: int | None = None,
    glitch_clocks: int = 0,
    delays: Mapping[str, int] | None = None,
) -> Activity:
    """Simulate a netlist and count what its nets do.

    Parameters
    ----------
    netlist : GateNetlist
    stimulus : mapping of str to ndarray or int
        For every input port that is no clock: bits of shape (clocks, width), the least significant
        first, or (clocks,) for a single bit; or a number that it has at every clock. A pipeline
        takes a sample in every clock.
    warmup : int, optional
        Clocks at the beginning that do not count, by default as many as the longest way through
        registers has. All registers start at 0.
    glitch_clocks : int
        Estimate glitches with this many of the clocks; 0: do not.
    delays : mapping of str to int, optional
        Delay of cell types in steps, by default 1. Pulses of any length pass (transport delay).

    Returns
    -------
    Activity

    Raises
    ------
    BuildError
        If the netlist holds what cannot be simulated, the stimulus does not fit its ports, or has
        fewer clocks than the netlist needs to fill.
    """
    stream = Stream(netlist, stimulus)
    start = stream.depth if warmup is None else warmup
    if stream.clocks < start + 2:
        raise BuildError(
            f"has {stream.clocks} clocks, expected {start + 2} or more: {start} fill the registers",
            where="stimulus",
        )
    counter = _Counter(stream, start, glitch_clocks, _delays(stream, delays))
    shown: dict[str, list[np.ndarray]] = {name: [] for name in netlist.outputs}
    words = _SETTLING_WORDS if glitch_clocks else 64
    for first, count, values in stream.blocks(words):
        counter.add(first, count, values)
        for name, nets in netlist.outputs.items():
            shown[name].append(unpack(values[list(nets)], count))
    outputs = {name: np.concatenate(parts) for name, parts in shown.items()}
    return counter.result(netlist, outputs)


def _delays(stream: Stream, delays: Mapping[str, int] | None) -> list[int]:
    """Delay of every node."""
    instances = stream.netlist.instances
    given = delays or {}
    for name, delay in given.items():
        if delay < 1:
            raise BuildError(f"is {delay}, expected 1 or more", where=f"delay of {name}")
    return [given.get(instances[node.instance].type, 1) for node in stream.nodes]


class _Counter:
    """Sums over the blocks of a stream."""

    def __init__(self, stream: Stream, start: int, glitch_clocks: int, delays: list[int]):
        self._stream, self._start = stream, start
        self._toggles, self._ones = np.zeros((2, stream.rows), np.int64)
        self._gated = dict.fromkeys(stream.gated, 0)
        self._last = np.zeros(stream.rows, WORD)
        # Transitions into these clocks are counted with delays.
        self._glitch_end = min(start + 1 + glitch_clocks, stream.clocks) if glitch_clocks else 0
        self._settling = Settling(stream.nodes, stream.rows, delays) if glitch_clocks else None
        self._extra = np.zeros(stream.rows, np.int64)

    def add(self, first: int, count: int, values: np.ndarray) -> None:
        words = values.shape[1]
        inside = _mask(words, self._start - first, count)
        moved = _mask(words, self._start + 1 - first, count)
        before = delayed(values, self._last)
        self._ones += count_ones(values & inside)
        self._toggles += count_ones((values ^ before) & moved)
        for net, enables in self._stream.gated.items():
            both = np.bitwise_and.reduce(values[np.array(enables, np.intp)], axis=0, initial=ONES)
            self._gated[net] += int(count_ones((both & inside)[None])[0])
        settled = _mask(words, self._start + 1 - first, min(count, self._glitch_end - first))
        if self._settling is not None and settled.any():
            self._extra += self._settling.transitions(before, values, settled)
            self._extra -= count_ones((values ^ before) & settled)
        self._last = values[:, -1] >> np.uint64(63)

    def result(self, netlist: GateNetlist, outputs: Mapping[str, np.ndarray]) -> Activity:
        nets, clocks = len(netlist.nets), self._stream.clocks - self._start
        toggles, ones = self._toggles[:nets] / (clocks - 1), self._ones[:nets] / clocks
        glitching, counted = None, 0
        if self._settling is not None:
            counted = self._glitch_end - self._start - 1
            glitching = toggles + self._extra[:nets] / counted
        enabled = dict.fromkeys(self._stream.clock_nets, 1.0)
        enabled |= {net: count / clocks for net, count in self._gated.items()}
        for net, part in enabled.items():
            toggles[net], ones[net] = 2 * part, part / 2
            if glitching is not None:
                glitching[net] = 2 * part
        return Activity(
            netlist,
            toggles,
            ones,
            clocks - 1,
            frozenset(enabled),
            outputs,
            glitching,
            counted,
        )


def _mask(words: int, start: int, stop: int) -> np.ndarray:
    """Words in which the bits from `start` to `stop` - 1 are set."""
    bits = np.zeros(64 * words, bool)
    bits[max(start, 0) : max(stop, 0)] = True
    return np.packbits(bits, bitorder="little").view(WORD)
