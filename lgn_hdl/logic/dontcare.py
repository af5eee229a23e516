"""Impossible thermometer codes: x > 3 implies x > 2, so a gate need not care about 1, 0.

For every gate that reads two comparisons of one feature the index pattern "higher threshold
passed, lower one not" cannot occur. An input that makes no difference on the patterns that can
occur is dropped; a two-input gate that still needs both becomes an AND rather than an XOR.
"""

from __future__ import annotations

import numpy as np

from .program import FIRST_INPUT, LogicProgram
from .simplify import simplify
from .tables import VARIABLES, cofactors

__all__ = ["thermometer_dont_cares"]

U64 = np.uint64


def thermometer_dont_cares(program: LogicProgram) -> LogicProgram:
    """Simplify once more, free to choose the outputs of gates for impossible codes."""
    codes = _Codes(program)
    return simplify(program, codes.refine) if codes.any else program


class _Codes:
    def __init__(self, program: LogicProgram):
        self.feature = np.full(program.num_signals, -1, np.int64)
        self.threshold = np.zeros(program.num_signals, np.int64)
        inputs = slice(FIRST_INPUT, program.first_gate)
        self.feature[inputs] = program.input_feature
        self.threshold[inputs] = program.input_threshold
        self.any = np.unique(program.input_feature).size < program.num_inputs

    def possible(self, inputs: np.ndarray) -> np.ndarray:
        """Spread table of the patterns that can occur at each row of inputs."""
        care = np.full(len(inputs), ~U64(0))
        feature, threshold = self.feature[inputs], self.threshold[inputs]
        for p in range(inputs.shape[1]):
            for q in range(inputs.shape[1]):
                implies = (feature[:, p] == feature[:, q]) & (feature[:, p] >= 0)
                implies &= threshold[:, p] > threshold[:, q]
                care = np.where(implies, care & ~(VARIABLES[p] & ~VARIABLES[q]), care)
        return care

    def refine(self, tables: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        """Tables that agree on possible patterns and depend on fewer inputs."""
        if inputs.shape[1] < 2:
            return tables
        care = self.possible(inputs)
        rows = np.flatnonzero(care != ~U64(0))
        if not rows.size:
            return tables
        tables = tables.copy()
        tables[rows] = _fewer_inputs(tables[rows], care[rows], inputs.shape[1])
        return tables


def _fewer_inputs(tables: np.ndarray, care: np.ndarray, width: int) -> np.ndarray:
    for p in range(width):
        low, high = cofactors(tables, p)
        care_low, care_high = cofactors(care, p)
        drop = ((low ^ high) & care_low & care_high) == 0
        merged = (low & care_low) | (high & ~care_low)
        tables = np.where(drop, merged, tables)
        care = np.where(drop, care_low | care_high, care)
    # What is left free: copy the output of the pattern with one bit less, which turns x XOR y
    # with an impossible (1, 0) into an AND.
    for p in range(width):
        low, _ = cofactors(tables, p)
        care_low, _ = cofactors(care, p)
        free = ~care & VARIABLES[p] & care_low
        tables = (tables & ~free) | (low & free)
        care |= free
    return tables
