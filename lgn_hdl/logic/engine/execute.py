"""What an engine does, word by word, in numpy: the meaning of an EngineCode."""

from __future__ import annotations

import numpy as np

from ...errors import NetworkError, VerifyError
from .code import DISTANCE, EngineCode

__all__ = ["check_distances", "execute"]


def execute(code: EngineCode, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the engine sends out for integer features.

    Everything is taken from the encoded words, so that their encoding is checked too.

    Parameters
    ----------
    code : EngineCode
    features : ndarray of integers or bool, shape (n, features)

    Returns
    -------
    bits : ndarray of bool, shape (n, B)
    scores : ndarray of int64, shape (n, C)

    Raises
    ------
    NetworkError
        If `features` has another shape or type.
    """
    features = np.asarray(features)
    if features.ndim != 2 or features.shape[1] != code.features:
        raise NetworkError(f"features have shape {features.shape}, expected (n, {code.features})")
    if features.dtype.kind not in "biu":
        raise NetworkError(f"features are of type {features.dtype}, expected integers")
    n = len(features)
    state = np.zeros((code.rows, code.lanes, n), bool)
    _read(code, features.astype(np.int64), state)
    slots = state.reshape(-1, n)
    bits: list[np.ndarray] = []
    scores = np.repeat(code.constants[:, None], n, axis=1)
    now, row = 0, code.steps % code.rows
    runs = code.runs
    for r, (first, end) in enumerate(zip(runs.start.tolist(), runs.end.tolist(), strict=True)):
        if runs.store[r]:
            for word in range(first, end + 1):
                state[row] = _look_up(code, slice(word, word + 1), slots)[0]
                row = (row + 1) % code.rows
            continue
        results = _look_up(code, slice(first, end + 1), slots)
        if runs.bit[r]:
            bits.append(results.reshape(-1, n))
        if now < code.classes:
            scores[now] += runs.weight[r] * results.sum(axis=(0, 1))
        now += int(runs.close[r])
    none = np.zeros((0, n), bool)
    return np.concatenate([none, *bits])[: code.bits].T, scores.T % (1 << code.score_bits)


def _read(code: EngineCode, features: np.ndarray, state: np.ndarray) -> None:
    """Write the input bits."""
    if code.plain:
        flat = state.reshape(-1, len(features))
        flat[: len(code.feature)] = features.T[code.feature]
        return
    at = 0
    for step in range(code.steps):
        state[step] = features[:, code.feature[at]] > code.thresholds[step][:, None]
        at += int(code.advance[step])


def _look_up(code: EngineCode, words: slice, slots: np.ndarray) -> np.ndarray:
    """Results of words, bool of shape (words, lanes, n)."""
    values = slots[code.addresses[words].astype(np.int64)]
    index = np.zeros(values.shape[:2] + values.shape[3:], np.uint64)
    for variable in range(code.inputs):
        index |= values[:, :, variable].astype(np.uint64) << np.uint64(variable)
    return (code.gate_tables[words][:, :, None] >> index & np.uint64(1)).astype(bool)


def check_distances(code: EngineCode) -> None:
    """No word reads a slot that a word shortly before it writes, and no class is one word only.

    Raises
    ------
    VerifyError
        If it is not so.
    """
    writes = np.zeros(len(code.words), bool)
    runs = code.runs
    for first, end in zip(runs.start[runs.store], runs.end[runs.store], strict=True):
        writes[first : end + 1] = True
    row = (code.steps + np.cumsum(writes) - 1) % code.rows
    read = code.addresses.astype(np.int64).reshape(len(code.words), -1) // code.lanes
    for distance in range(1, DISTANCE):
        clash = (read[distance:] == row[:-distance, None]) & writes[:-distance, None]
        if clash.any():
            word = int(np.argwhere(clash.any(axis=1))[0, 0]) + distance
            raise VerifyError(f"word {word} reads a slot that word {word - distance} writes")
    if (np.diff(runs.end[runs.close]) < 2).any():
        raise VerifyError("a class has fewer than two words")
