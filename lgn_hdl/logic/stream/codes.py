"""Bits of an element that compare one feature: not all patterns of them can occur.

A layer's gates are a program of bits without a meaning. Those of the first layer know more: bits of
a place that compare the same feature in every element, with thresholds in the same order in every
element, are a thermometer code, and a padding zero is one as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...network import FixedPoint
from ..program import LogicProgram

__all__ = ["Codes"]


@dataclass(frozen=True, eq=False)
class Codes:
    """Thermometer codes among the bits of an element.

    Parameters
    ----------
    group : ndarray of int64, shape (B,)
        Bits of one group are a code.
    rank : ndarray of int64, shape (B,)
        Place in the code; bits of one rank are equal, a lower one is set wherever a higher one is.
    """

    group: np.ndarray
    rank: np.ndarray

    @classmethod
    def of(cls, feature: np.ndarray, threshold: np.ndarray) -> Codes:
        """Those of elements whose bit b is int(x[feature[n, b]]) > threshold[n, b], both (N, B)."""
        group = np.unique(feature, axis=1, return_inverse=True)[1].ravel().astype(np.int64)
        order = np.lexsort((*threshold[::-1], group))
        new = np.diff(group[order]) != 0
        step = np.diff(threshold[:, order], axis=1)
        broken = (step < 0).any(axis=0) & ~new
        # Where the order is another in some element, a new code begins; less is known then.
        groups = np.concatenate([[0], np.cumsum(new | broken)])
        ranks = np.concatenate([[0], np.cumsum((step > 0).any(axis=0))])
        found = np.empty((2, len(group)), np.int64)
        found[:, order] = groups, ranks
        starts = np.full(groups[-1] + 1, len(group))
        np.minimum.at(starts, found[0], found[1])
        return cls(found[0], found[1] - starts[found[0]])

    def put_into(self, program: LogicProgram, feature: np.ndarray) -> LogicProgram:
        """A program whose features are codes instead of bits.

        Parameters
        ----------
        program : LogicProgram
            As it was lowered: input bit i is feature i, one bit.
        feature : ndarray of int64, shape (P, B)
            Which of its features is bit b, for each place of a window.
        """
        groups = int(self.group.max(initial=-1)) + 1
        coded = np.empty(program.num_inputs, np.int32)
        ranks = np.empty(program.num_inputs, np.int64)
        coded[feature] = np.arange(len(feature))[:, None] * groups + self.group
        ranks[feature] = self.rank
        return replace(
            program,
            format=FixedPoint(int(ranks.max(initial=0) + 1).bit_length()),
            features=len(feature) * groups,
            input_feature=coded,
            input_threshold=ranks,
        ).check()

    def taken_from(self, program: LogicProgram, feature: np.ndarray) -> LogicProgram:
        """The program with bits as features again, the first of those that are equal."""
        groups = int(self.group.max(initial=-1)) + 1
        levels = int(self.rank.max(initial=0)) + 1
        codes = (np.arange(len(feature))[:, None] * groups + self.group) * levels + self.rank
        known, first = np.unique(codes, return_index=True)
        own = program.input_feature.astype(np.int64) * levels + program.input_threshold
        return replace(
            program,
            format=FixedPoint(1),
            features=feature.size,
            input_feature=feature.ravel()[first[np.searchsorted(known, own)]].astype(np.int32),
            input_threshold=np.zeros(program.num_inputs, np.int64),
        ).check()
