"""EngineCode: a logic program folded in time, as the contents of a few memories."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...network import FixedPoint

__all__ = ["DISTANCE", "OVERHEAD", "EngineCode", "Runs"]

#: A word may read what the word this many places before it wrote, and what older ones wrote: the
#: stages between are fetch, read, look up, write.
DISTANCE = 3

#: Clocks of a sample beside those of its steps and words and the stages before the first row of
#: input bits: one to begin, three on the way to a result, three to count it and compare scores.
OVERHEAD = 7


@dataclass(frozen=True, eq=False)
class Runs:
    """What is done with the results of the words, a run of words at a time.

    Parameters
    ----------
    end : ndarray of int64, shape (R,)
        Last word of each run; a run begins where the one before it ends.
    store, bit, close : ndarray of bool, shape (R,)
        The results are written to the state; they leave as bits; the class ends with this run.
        A class has two words or more.
    weight : ndarray of int64, shape (R,)
        What each result that is one adds to the score of the class; 0 outside the sums.
    """

    end: np.ndarray
    store: np.ndarray
    bit: np.ndarray
    close: np.ndarray
    weight: np.ndarray

    def __len__(self) -> int:
        return len(self.end)

    @property
    def start(self) -> np.ndarray:
        """First word of each run."""
        return np.concatenate([[0], self.end[:-1] + 1])


@dataclass(frozen=True, eq=False)
class EngineCode:
    """A program for the gate engine.

    For each sample the engine takes `steps` steps, each of which writes `lanes` input bits into
    the state as one row, and then one word per clock. A word holds `lanes` gates; it reads their
    inputs from the state, looks their results up, and its run says what becomes of them: they are
    written as the next row (after the last row comes row 0), they are counted with a weight, or
    they leave as bits.

    Slot a of the state is lane `a % lanes` of row `a // lanes`.

    Parameters
    ----------
    format : FixedPoint
    features : int
        Number format and number of the features of a sample.
    lanes : int
        Gates per word, a power of two.
    inputs : int
        Inputs of a gate of the engine.
    address_bits : int
        The state has 2^address_bits slots.
    tables : tuple of int
        What the table number of a gate stands for; empty if each gate holds its table.
    feature : ndarray of int32, shape (F,)
        Features that are read, ascending.
    thresholds : ndarray of int64, shape (steps, lanes)
        Step s compares one feature with them, strictly. No rows for one-bit features, which are
        copied `lanes` at a time.
    advance : ndarray of bool, shape (steps,)
        Whether the step after it reads the next feature.
    words : tuple of int
        `lanes` gates each, lane 0 lowest; of a gate, from the lowest bit: the address of each
        input, variable 0 (the least significant bit of the table's index) first, then its table
        number or table.
    runs : Runs
    constants : ndarray of int64, shape (C,)
        What the score of each class starts with.
    score_bits : int
        Width of a score; sums are taken modulo 2^score_bits.
    bits : int
        Outgoing bits.
    """

    format: FixedPoint
    features: int
    lanes: int
    inputs: int
    address_bits: int
    tables: tuple[int, ...]
    feature: np.ndarray
    thresholds: np.ndarray
    advance: np.ndarray
    words: tuple[int, ...]
    runs: Runs
    constants: np.ndarray
    score_bits: int
    bits: int

    @property
    def classes(self) -> int:
        """Number of scores."""
        return len(self.constants)

    @property
    def plain(self) -> bool:
        """Whether the features are bits, which are copied and not compared."""
        return self.format.width == 1 and not self.format.signed

    @property
    def steps(self) -> int:
        """Rows of input bits."""
        return -(-len(self.feature) // self.lanes) if self.plain else len(self.thresholds)

    @property
    def rows(self) -> int:
        """Rows of the state."""
        return (1 << self.address_bits) // self.lanes

    @property
    def table_bits(self) -> int:
        """Bits of a gate's table number, or of its table."""
        return (len(self.tables) - 1).bit_length() if self.tables else 1 << self.inputs

    @property
    def gate_bits(self) -> int:
        """Bits of a gate in a word."""
        return self.inputs * self.address_bits + self.table_bits

    @property
    def word_bits(self) -> int:
        """Bits of a word."""
        return self.lanes * self.gate_bits

    @property
    def step_bits(self) -> int:
        """Bits of a step: `lanes` thresholds, lane 0 lowest, and above them whether to advance."""
        return self.lanes * self.format.width + 1

    @property
    def weight_bits(self) -> int:
        """Bits of a weight in two's complement."""
        low, high = (int(f(self.runs.weight, initial=0)) for f in (np.min, np.max))
        return 1 + max(high.bit_length(), (-low - 1).bit_length() if low < 0 else 0)

    @property
    def select_stages(self) -> int:
        """Registers in the multiplexer that picks a feature: 16 to 1 each."""
        choices = self.steps if self.plain else len(self.feature)
        return max(1, -(-(choices - 1).bit_length() // 4)) if choices else 0

    @property
    def read_stages(self) -> int:
        """Clocks from a step to its row: the multiplexer, and a memory of thresholds before it."""
        return self.select_stages + (not self.plain and self.steps > 0)

    @property
    def clocks(self) -> int:
        """Clocks of a sample, from offered to done, and to the next one; the same for all."""
        return self.steps + self.read_stages + len(self.words) + OVERHEAD

    @cached_property
    def addresses(self) -> np.ndarray:
        """Slot that each gate reads for each variable, decoded: int64 of (words, lanes, inputs)."""
        return self._field(0, self.address_bits, self.inputs)

    @cached_property
    def gate_tables(self) -> np.ndarray:
        """Table of each gate, decoded: uint64 of shape (words, lanes)."""
        at = self.inputs * self.address_bits
        number = self._field(at, self.table_bits, 1)[:, :, 0]
        if not self.tables:
            return number.astype(np.uint64)
        return np.array(self.tables, np.uint64)[number.astype(np.int64)]

    def _field(self, at: int, width: int, count: int) -> np.ndarray:
        mask = (1 << width) - 1
        offsets = [
            [lane * self.gate_bits + at + j * width for j in range(count)]
            for lane in range(self.lanes)
        ]
        values = [
            [[word >> offset & mask for offset in gate] for gate in offsets] for word in self.words
        ]
        return np.array(values, np.uint64).reshape(-1, self.lanes, count)
