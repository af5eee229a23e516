"""Bit-packed evaluation: 64 samples in every machine word."""

from __future__ import annotations

import numpy as np

from .levels import by_level
from .program import FIRST_INPUT, LogicProgram, WeightedSums

__all__ = ["evaluate", "evaluate_signals"]

_BLOCK_BYTES = 1 << 26
U64 = np.uint64
_ONES = ~U64(0)


def evaluate(program: LogicProgram, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the program sends out for integer features.

    Parameters
    ----------
    program : LogicProgram
    features : ndarray of integers, shape (n, features)
        Stored integers of the program's number format.

    Returns
    -------
    bits : ndarray of bool, shape (n, B)
    scores : ndarray of int64, shape (n, C)
    """
    bits = np.empty((len(features), len(program.bits)), bool)
    scores = np.empty((len(features), len(program.sums)), np.int64)
    for first, values in _blocks(program, features):
        last = min(first + 64 * values.shape[1], len(features))
        bits[first:last] = _unpack(values[program.bits], last - first).T
        scores[first:last] = _sums(program.sums, values, last - first)
    return bits, scores


def evaluate_signals(
    program: LogicProgram, features: np.ndarray, signals: np.ndarray
) -> np.ndarray:
    """Values of chosen signals, bool of shape (n, len(signals)), for integer features."""
    out = np.empty((len(features), len(signals)), bool)
    for first, values in _blocks(program, features):
        last = min(first + 64 * values.shape[1], len(features))
        out[first:last] = _unpack(values[signals], last - first).T
    return out


def _blocks(program: LogicProgram, features: np.ndarray):
    """Yield (first sample, packed values of all signals of shape (signals, words))."""
    words = max(1, _BLOCK_BYTES // (8 * program.num_signals))
    groups = [
        (k, gates[program.arity[gates] == k])
        for gates in by_level(program)
        for k in np.unique(program.arity[gates])
    ]
    for first in range(0, len(features), 64 * words):
        block = features[first : first + 64 * words]
        values = np.empty((program.num_signals, -(-len(block) // 64)), U64)
        values[0], values[1] = 0, _ONES
        compared = block[:, program.input_feature] > program.input_threshold
        values[FIRST_INPUT : program.first_gate] = _pack(compared.T, values.shape[1])
        for k, gates in groups:
            values[program.first_gate + gates] = _gates(program, values, int(k), gates)
        yield first, values


def _gates(program: LogicProgram, values: np.ndarray, k: int, gates: np.ndarray) -> np.ndarray:
    """Choose among the 2^k table bits by one input after the other, from the least significant."""
    table = program.table[gates][:, None]
    rows = [(table >> U64(i) & U64(1)) * _ONES for i in range(1 << k)]
    for column in range(k - 1, -1, -1):
        x = values[program.fanin[gates, column]]
        rows = [low ^ ((low ^ high) & x) for low, high in zip(rows[::2], rows[1::2], strict=True)]
    return rows[0]


def _sums(sums: WeightedSums, values: np.ndarray, samples: int) -> np.ndarray:
    scores = np.empty((samples, len(sums)), np.int64)
    for c in range(len(sums)):
        terms = slice(sums.start[c], sums.start[c + 1])
        weight = sums.weight[terms]
        # Floats are exact here (and BLAS is fast): every partial sum is below 2^24 or 2^53.
        exact = np.float32 if np.abs(weight).sum() < 1 << 24 else np.float64
        ones = _unpack(values[sums.signal[terms]], samples).astype(exact)
        scores[:, c] = (weight.astype(exact) @ ones).astype(np.int64) + sums.constant[c]
    return scores


def _pack(bits: np.ndarray, words: int) -> np.ndarray:
    """Bool (rows, samples) to U64 (rows, words), sample 0 in the least significant bit."""
    packed = np.packbits(bits, axis=1, bitorder="little")
    whole = np.zeros((len(bits), 8 * words), np.uint8)
    whole[:, : packed.shape[1]] = packed
    return whole.view("<u8").astype(U64, copy=False)


def _unpack(words: np.ndarray, samples: int) -> np.ndarray:
    """U64 (rows, words) to uint8 zeros and ones (rows, samples)."""
    as_bytes = np.ascontiguousarray(words.astype("<u8", copy=False)).view(np.uint8)
    return np.unpackbits(as_bytes, axis=1, count=samples, bitorder="little")
