"""Merge comparisons that the input format makes equal, and fold those it decides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .program import FIRST_INPUT, LogicProgram, WeightedSums

__all__ = ["merge_thresholds"]


def merge_thresholds(program: LogicProgram) -> LogicProgram:
    """Keep one input bit for every (feature, integer threshold) that can be zero and one.

    A threshold at or above the format's largest integer never fires, one below its smallest
    always does. The kept bits are ordered by feature, then by threshold.
    """
    pairs = np.stack([program.input_feature.astype(np.int64), program.input_threshold], axis=1)
    unique, which = np.unique(pairs, axis=0, return_inverse=True)
    never = unique[:, 1] >= program.format.max_int
    always = unique[:, 1] < program.format.min_int
    open_ = ~never & ~always
    if open_.all() and np.array_equal(unique, pairs):
        return program
    signal_of_pair = np.where(always, 1, 0)
    signal_of_pair[open_] = FIRST_INPUT + np.arange(open_.sum())
    gates = FIRST_INPUT + open_.sum() + np.arange(program.num_gates)
    new = np.concatenate([[0, 1], signal_of_pair[which.ravel()], gates]).astype(np.int32)
    sums = program.sums
    return replace(
        program,
        input_feature=unique[open_, 0].astype(np.int32),
        input_threshold=unique[open_, 1],
        fanin=new[program.fanin],
        bits=new[program.bits],
        sums=WeightedSums(sums.start, new[sums.signal], sums.weight, sums.constant),
    )
