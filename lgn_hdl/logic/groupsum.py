"""Merge equal and complementary signals of a class into integer weights and a constant."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .program import LogicProgram, WeightedSums
from .simplify import without_dead

__all__ = ["merge_sum_terms"]


def merge_sum_terms(program: LogicProgram) -> LogicProgram:
    """Give every signal at most one term per class, with the total of its weights.

    A complement is a negative weight already (w · not x = w - w · x), so x + not x cancels here
    and leaves the constant 1. Gates that lose their last reader are dropped.
    """
    sums = program.sums
    owner = sums.owner.astype(np.int64)
    key, which = np.unique(owner * program.num_signals + sums.signal, return_inverse=True)
    weight = np.bincount(which, sums.weight, len(key)).astype(np.int64)
    key, weight = key[weight != 0], weight[weight != 0]
    counts = np.bincount(key // program.num_signals, minlength=len(sums))
    merged = WeightedSums(
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        (key % program.num_signals).astype(np.int32),
        weight,
        sums.constant,
    )
    return without_dead(replace(program, sums=merged))
