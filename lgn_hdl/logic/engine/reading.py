"""The steps that bring the features of a sample into the state, a row of input bits each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..program import LogicProgram

__all__ = ["Reading"]


@dataclass(frozen=True, eq=False)
class Reading:
    """Which features are compared with what in each step.

    Parameters
    ----------
    feature, thresholds, advance
        As in `EngineCode`.
    slot : ndarray of int64, shape (I,)
        Where each input bit of the program is written.
    steps : int
    """

    feature: np.ndarray
    thresholds: np.ndarray
    advance: np.ndarray
    slot: np.ndarray
    steps: int

    @classmethod
    def of(cls, program: LogicProgram, lanes: int) -> Reading:
        """The steps of a program whose input bits are sorted by feature, each possible."""
        if program.format.width == 1 and not program.format.signed:
            slot = np.arange(program.num_inputs)
            none = np.zeros((0, lanes), np.int64)
            steps = -(-program.num_inputs // lanes)
            return cls(program.input_feature, none, np.zeros(0, bool), slot, steps)
        feature, first, count = np.unique(
            program.input_feature, return_index=True, return_counts=True
        )
        place = np.arange(program.num_inputs) - np.repeat(first, count)  # within its feature
        per_feature = -(-count // lanes)
        first_step = np.cumsum(per_feature) - per_feature
        step = np.repeat(first_step, count) + place // lanes
        steps = int(per_feature.sum())
        thresholds = np.full((steps, lanes), program.format.min_int, np.int64)
        thresholds[step, place % lanes] = program.input_threshold
        advance = np.zeros(steps, bool)
        advance[first_step + per_feature - 1] = True
        slot = step * lanes + place % lanes
        return cls(feature.astype(np.int32), thresholds, advance, slot, steps)
