"""Compressor trees: weighted bits into a binary number by full adders and 6:3 counters.

Every counter keeps the weighted sum of its bits, so the tree is right if each counter is: its
identity (weighted sum in = weighted sum out) is a handful of rows to check. Bits are numbered
within a tree: 0 and 1 are the constants, then the leaves, then the outputs of the counters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .timing import DelayModel, StageClock

__all__ = ["FIRST_LEAF", "CompressorTree", "Counter", "Style", "compress"]

FIRST_LEAF = 2
Kind = Literal["half_adder", "full_adder", "counter63"]
#: "full-adders": 3:2 everywhere. "counters": 6:3 as long as a column has six bits.
Style = Literal["full-adders", "counters"]


@dataclass(frozen=True)
class Counter:
    """Counts the ones among `inputs`, all of weight 2^column; output j has weight 2^(column+j)."""

    kind: Kind
    column: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    arrival: int


@dataclass(frozen=True, eq=False)
class CompressorTree:
    """A sum of weighted leaves plus a constant, as counters in topological order.

    Parameters
    ----------
    weights : ndarray of int64, shape (n,)
        Positive weight of each leaf.
    constant : int
        Not negative.
    counters : tuple of Counter
    result : tuple of int
        Bits of the sum, least significant first.
    arrival : ndarray of int64, shape (bits,)
        When each bit of the tree is ready.
    """

    weights: np.ndarray
    constant: int
    counters: tuple[Counter, ...]
    result: tuple[int, ...]
    arrival: np.ndarray

    def evaluate(self, leaves: np.ndarray) -> np.ndarray:
        """The sum as the counters compute it, for leaves of shape (samples, n)."""
        bits = np.zeros((len(self.arrival), len(leaves)), np.int64)
        bits[1] = 1
        bits[FIRST_LEAF : FIRST_LEAF + leaves.shape[1]] = leaves.T
        for counter in self.counters:
            ones = bits[list(counter.inputs)].sum(axis=0)
            for j, output in enumerate(counter.outputs):
                bits[output] = ones >> j & 1
        shift = np.arange(len(self.result))[:, None]
        return (bits[list(self.result)] << shift).sum(axis=0)


def compress(
    weights: np.ndarray,
    constant: int,
    ready: np.ndarray,
    *,
    style: Style,
    model: DelayModel,
    clock: StageClock,
) -> CompressorTree:
    """Build the tree column by column, always from the bits that are ready first.

    Parameters
    ----------
    weights : ndarray of int64, shape (n,)
        Positive.
    constant : int
        Not negative.
    ready : ndarray of int64, shape (n,)
        Arrival of each leaf.
    style : Style
    model, clock
        Delays of the counters, and where registers fall.
    """
    if constant < 0 or (weights < 0).any():
        raise ValueError("weights and constant of a compressor tree must not be negative")
    builder = _Builder(weights, constant, ready, model, clock)
    for column in range(builder.width):
        if style == "counters":
            builder.count("counter63", column, 6)
        builder.count("full_adder", column, 3)
        builder.count("half_adder", column, 2)
    return builder.tree()


class _Builder:
    def __init__(
        self,
        weights: np.ndarray,
        constant: int,
        ready: np.ndarray,
        model: DelayModel,
        clock: StageClock,
    ):
        self.weights, self.constant = weights, constant
        self.width = max(1, int(weights.sum() + constant).bit_length())
        self.arrival = [0, 0, *ready.tolist()]
        #: Of each column, the bits that wait in it by their arrival, each list ascending.
        self.columns: list[dict[int, list[int]]] = [{} for _ in range(self.width)]
        self.counters: list[Counter] = []
        self.clock = clock
        self.delay = {
            "half_adder": model.full_adder,
            "full_adder": model.full_adder,
            "counter63": model.counter63,
        }
        self._spread(1, constant)
        for leaf, weight in enumerate(weights.tolist()):
            self._spread(leaf + FIRST_LEAF, weight)

    def _spread(self, bit: int, weight: int) -> None:
        for column in range(weight.bit_length()):
            if weight >> column & 1:
                self.columns[column].setdefault(self.arrival[bit], []).append(bit)

    def count(self, kind: Kind, column: int, inputs: int) -> None:
        """Count the bits of a column that are ready first, as long as there are enough of them."""
        waiting = self.columns[column]
        while sum(map(len, waiting.values())) >= inputs:
            first = min(waiting)
            bits = waiting.pop(first)
            counters = len(bits) // inputs
            if counters:
                # Counter j takes bits j, j + counters, j + 2·counters and so on: bits that stand
                # side by side go to counters side by side, which hdl writes as one slice.
                used, left = np.split(np.array(bits), [counters * inputs])
                if left.size:
                    waiting[first] = left.tolist()
                groups = used.reshape(inputs, counters).T.tolist()
            else:
                groups = [bits + self._next_ready(waiting, inputs - len(bits))]
            self._add(kind, column, groups)

    @staticmethod
    def _next_ready(waiting: dict[int, list[int]], count: int) -> list[int]:
        """Take the `count` bits that are ready first."""
        taken: list[int] = []
        while len(taken) < count:
            first = min(waiting)
            bits = waiting.pop(first)
            room = count - len(taken)
            taken += bits[:room]
            if bits[room:]:
                waiting[first] = bits[room:]
        return taken

    def _add(self, kind: Kind, column: int, groups: list[list[int]]) -> None:
        """Counters side by side, whose last inputs are ready at the same time."""
        ready = max(self.arrival[bit] for bit in groups[0])
        arrival = int(self.clock.after(ready, self.delay[kind]))
        # Beyond the largest possible sum every carry is zero: it has no output to go to.
        room = min(len(groups[0]).bit_length(), self.width - column)
        first = len(self.arrival)
        end = first + room * len(groups)
        self.arrival += [arrival] * (end - first)
        for j in range(room):
            self.columns[column + j].setdefault(arrival, []).extend(range(first + j, end, room))
        for number, inputs in enumerate(groups):
            outputs = tuple(range(first + room * number, first + room * (number + 1)))
            self.counters.append(Counter(kind, column, tuple(inputs), outputs, arrival))

    def tree(self) -> CompressorTree:
        result = tuple(next(iter(column.values()))[0] if column else 0 for column in self.columns)
        return CompressorTree(
            self.weights,
            self.constant,
            tuple(self.counters),
            result,
            np.array(self.arrival, np.int64),
        )
