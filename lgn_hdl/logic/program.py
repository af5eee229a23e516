"""LogicProgram: the bit-level form of a logic region, as a struct of arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import NetworkError
from ..network import FixedPoint

__all__ = ["FIRST_INPUT", "LogicProgram", "WeightedSums"]

#: Signals 0 and 1 are the constants; input bits start here, gates follow the inputs.
FIRST_INPUT = 2


@dataclass(frozen=True, eq=False)
class WeightedSums:
    """Integer sums of signals: score c = constant[c] + sum of weight · signal over its terms.

    Parameters
    ----------
    start : ndarray of int64, shape (C + 1,)
        Terms of sum c are start[c] to start[c + 1].
    signal : ndarray of int32, shape (M,)
    weight : ndarray of int64, shape (M,)
    constant : ndarray of int64, shape (C,)
    """

    start: np.ndarray
    signal: np.ndarray
    weight: np.ndarray
    constant: np.ndarray

    def __len__(self) -> int:
        return len(self.constant)

    @property
    def owner(self) -> np.ndarray:
        """Sum that each term belongs to, shape (M,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.start))

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Smallest and largest value of each sum if its signals were independent."""
        negative = np.bincount(self.owner, np.minimum(self.weight, 0), len(self))
        positive = np.bincount(self.owner, np.maximum(self.weight, 0), len(self))
        low, high = self.constant + negative.astype(np.int64), positive.astype(np.int64)
        return low, self.constant + high


@dataclass(frozen=True, eq=False)
class LogicProgram:
    """Input comparisons, gates in topological order, and what leaves: bits, and weighted sums.

    Parameters
    ----------
    format : FixedPoint
        Number format of every feature; a one-bit feature is `FixedPoint(1)`.
    features : int
        Number of features.
    input_feature : ndarray of int32, shape (I,)
    input_threshold : ndarray of int64, shape (I,)
        Input bit i is int(x[input_feature[i]]) > input_threshold[i].
    fanin : ndarray of int32, shape (G, K)
        Signals each gate reads, most significant first; unused columns at the end are 0.
    arity : ndarray of uint8, shape (G,)
        Number of inputs each gate reads, 1 to K.
    table : ndarray of uint64, shape (G,)
        Bit i is the output at index i.
    bits : ndarray of int32, shape (B,)
        Signals that leave as bits.
    sums : WeightedSums
        What leaves as scores; of length zero if there are none.
    """

    format: FixedPoint
    features: int
    input_feature: np.ndarray
    input_threshold: np.ndarray
    fanin: np.ndarray
    arity: np.ndarray
    table: np.ndarray
    bits: np.ndarray
    sums: WeightedSums

    @property
    def num_inputs(self) -> int:
        """Number of input bits."""
        return len(self.input_feature)

    @property
    def num_gates(self) -> int:
        """Number of gates."""
        return len(self.arity)

    @property
    def first_gate(self) -> int:
        """Signal id of gate 0."""
        return FIRST_INPUT + self.num_inputs

    @property
    def num_signals(self) -> int:
        """Constants, inputs and gates together."""
        return self.first_gate + self.num_gates

    @property
    def roots(self) -> np.ndarray:
        """Signals that leave, each once, ascending; constants excluded."""
        leaving = np.unique(np.concatenate([self.bits, self.sums.signal]))
        return leaving[leaving >= FIRST_INPUT].astype(np.int32)

    def columns_from_lsb(self) -> np.ndarray:
        """Fanin with column p holding variable p (the least significant first), shape (G, K)."""
        width = self.fanin.shape[1]
        column = self.arity[:, None].astype(np.int64) - 1 - np.arange(width)
        gathered = np.take_along_axis(self.fanin, np.maximum(column, 0), axis=1)
        return np.where(column >= 0, gathered, 0).astype(np.int32)

    def check(self) -> LogicProgram:
        """Check the order and the ranges; return the program.

        Raises
        ------
        NetworkError
            If a gate reads a signal that is not before it, or an output does not exist.
        """
        own = self.first_gate + np.arange(self.num_gates)[:, None]
        if self.num_gates and ((self.fanin < 0) | (self.fanin >= own)).any():
            gate = int(np.argwhere((self.fanin < 0) | (self.fanin >= own))[0, 0])
            raise NetworkError(f"gate {gate} reads a signal that is not defined before it")
        leaving = np.concatenate([self.bits, self.sums.signal])
        if leaving.size and not 0 <= leaving.min() <= leaving.max() < self.num_signals:
            raise NetworkError("an output of the logic program is not one of its signals")
        return self
