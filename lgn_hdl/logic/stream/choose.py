"""Choose how the bits of the first image are made, and how those set aside."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..program import FIRST_INPUT, LogicProgram, WeightedSums
from .source import Aside, SelectedFeatures, ShiftedBits, ShiftedFeatures, Source

__all__ = [
    "comparisons",
    "make_aside",
    "make_source",
    "selected_features",
    "shifted_bits",
    "shifted_features",
]


def comparisons(program: LogicProgram) -> tuple[np.ndarray, np.ndarray]:
    """Feature and threshold of each bit that leaves a program without gates, shape (B,) each."""
    at = program.bits - FIRST_INPUT
    return program.input_feature[at].astype(np.int64), program.input_threshold[at]


def make_source(front: LogicProgram, feature: np.ndarray, threshold: np.ndarray) -> Source:
    """The smallest way to give elements one after the other.

    Parameters
    ----------
    front : LogicProgram
        For its number format and its features.
    feature, threshold : ndarray of int64, shape (N, B)
        Bit b of element n is int(x[feature[n, b]]) > threshold[n, b].
    """
    choices: list[Source] = [shifted_bits(front, feature, threshold)]
    if (threshold == threshold[:1]).all():
        choices.append(shifted_features(front, feature, threshold[0]))
    else:
        choices.append(selected_features(front, feature, threshold))
    return min(choices, key=lambda source: source.area)


def shifted_bits(front: LogicProgram, feature: np.ndarray, threshold: np.ndarray) -> ShiftedBits:
    """All comparisons at once."""
    pairs = np.stack([feature.ravel(), threshold.ravel()], axis=1)
    unique, which = np.unique(pairs, axis=0, return_inverse=True)
    program = _compare(front, front.features, unique[:, 0], unique[:, 1])
    words, bit = np.unique(which.reshape(feature.shape), axis=1, return_inverse=True)
    return ShiftedBits(program, words.astype(np.int64), bit.ravel().astype(np.int64))


def shifted_features(
    front: LogicProgram, feature: np.ndarray, threshold: np.ndarray
) -> ShiftedFeatures:
    """Comparisons with one threshold (B,) in all elements."""
    words, register = np.unique(feature, axis=1, return_inverse=True)
    pairs = np.stack([register.ravel(), threshold], axis=1)
    unique, which = np.unique(pairs, axis=0, return_inverse=True)
    program = _compare(front, words.shape[1], unique[:, 0], unique[:, 1])
    return ShiftedFeatures(program, words, FIRST_INPUT + which.ravel().astype(np.int64))


def selected_features(
    front: LogicProgram, feature: np.ndarray, threshold: np.ndarray
) -> SelectedFeatures:
    """Comparisons that are looked up."""
    words, register = np.unique(feature, axis=1, return_inverse=True)
    columns = np.concatenate([register.reshape(1, -1), threshold])
    unique, which = np.unique(columns, axis=1, return_inverse=True)
    return SelectedFeatures(
        front.format, words, unique[0], unique[1:], which.ravel().astype(np.int64)
    )


def make_aside(front: LogicProgram, feature: np.ndarray, threshold: np.ndarray) -> Aside:
    """The features of some bits, shape (B,), and the comparisons that make the bits of them."""
    kept, own = np.unique(feature, return_inverse=True)
    pairs = np.stack([own.ravel(), threshold], axis=1)
    unique, which = np.unique(pairs, axis=0, return_inverse=True)
    program = _compare(front, len(kept), unique[:, 0], unique[:, 1])
    bits = (FIRST_INPUT + which.ravel()).astype(np.int32)
    return Aside(kept, replace(program, bits=bits).check())


def _compare(
    front: LogicProgram, features: int, feature: np.ndarray, threshold: np.ndarray
) -> LogicProgram:
    """A program of comparisons only, all of which leave."""
    none = np.zeros(0, np.int64)
    return LogicProgram(
        front.format,
        features,
        feature.astype(np.int32),
        threshold.astype(np.int64),
        np.zeros((0, 1), np.int32),
        np.zeros(0, np.uint8),
        np.zeros(0, np.uint64),
        np.arange(FIRST_INPUT, FIRST_INPUT + len(feature), dtype=np.int32),
        WeightedSums(np.zeros(1, np.int64), none.astype(np.int32), none, none),
    ).check()
