"""Bit-packed evaluation: 64 samples in every machine word."""

from __future__ import annotations

from collections.abc import Iterator
from weakref import WeakKeyDictionary

import numpy as np

from .carrysave import CarrySaveSums
from .gatesteps import GateSteps
from .inputbits import InputBits
from .packed import ONES, WORD, unpack
from .program import FIRST_INPUT, LogicProgram

__all__ = ["Evaluator", "evaluate", "evaluate_signals"]

#: Memory of a block of samples: enough for long operations, little enough for a cache.
_BLOCK_BYTES = 1 << 24
#: Words of a row at least, a line of the cache, however many rows there are.
_LEAST_WORDS = 8


class Evaluator:
    """A program prepared for evaluation; calls share no state, so threads may share it.

    Parameters
    ----------
    program : LogicProgram
    """

    def __init__(self, program: LogicProgram):
        self._inputs = InputBits(program)
        self._gates = GateSteps(program)
        self._sums = CarrySaveSums(program.sums, self._gates.row)
        self._input_rows = slice(FIRST_INPUT, program.first_gate)
        self._bits = self._gates.row[program.bits]
        self._rows = program.num_signals + len(self._sums.complemented)
        self._scratch = max([self._sums.scratch, *(step.scratch for step in self._gates.steps)])

    def __call__(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What `evaluate` gives."""
        features = self._inputs.checked(features)
        bits = np.empty((len(features), len(self._bits)), bool)
        scores = np.empty((len(features), len(self._sums.constant)), np.int64)
        for part, rows, scratch in self._blocks(features):
            samples = part.stop - part.start
            bits[part] = unpack(rows[self._bits], samples)
            self._sums.run(rows, scratch, scores[part])
        return bits, scores

    def signals(self, features: np.ndarray, signals: np.ndarray) -> np.ndarray:
        """What `evaluate_signals` gives."""
        features = self._inputs.checked(features)
        chosen = self._gates.row[signals]
        values = np.empty((len(features), len(chosen)), bool)
        for part, rows, _ in self._blocks(features):
            values[part] = unpack(rows[chosen], part.stop - part.start)
        return values

    def _blocks(self, features: np.ndarray) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
        """Yield samples, the rows of all signals for them, and scratch rows."""
        word_bytes = 8 * (self._rows + self._scratch) + 64 * self._inputs.sample_bytes
        total = -(-len(features) // 64)
        blocks = -(-total // max(_LEAST_WORDS, _BLOCK_BYTES // word_bytes))
        words = -(-total // max(1, blocks))
        rows = np.empty((self._rows, words), WORD)
        scratch = np.empty((self._scratch, words), WORD)
        rows[0], rows[1] = 0, ONES
        for first in range(0, len(features), 64 * max(1, words)):
            part = slice(first, min(first + 64 * words, len(features)))
            self._inputs.write(features[part], rows[self._input_rows])
            for step in self._gates.steps:
                step.run(rows, scratch)
            yield part, rows, scratch


_prepared: WeakKeyDictionary[LogicProgram, Evaluator] = WeakKeyDictionary()


def _prepare(program: LogicProgram) -> Evaluator:
    """The program's evaluator, made on first use and kept as long as the program."""
    if program not in _prepared:
        _prepared[program] = Evaluator(program)
    return _prepared[program]


def evaluate(program: LogicProgram, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the program sends out for integer features.

    Parameters
    ----------
    program : LogicProgram
    features : ndarray of integers or bool, shape (n, features)
        Stored integers of the program's number format.

    Returns
    -------
    bits : ndarray of bool, shape (n, B)
    scores : ndarray of int64, shape (n, C)

    Raises
    ------
    NetworkError
        If `features` has another shape or type, or a value that the format does not have.
    """
    return _prepare(program)(features)


def evaluate_signals(
    program: LogicProgram, features: np.ndarray, signals: np.ndarray
) -> np.ndarray:
    """Values of chosen signals, bool of shape (n, len(signals)), for integer features."""
    return _prepare(program).signals(features, signals)
