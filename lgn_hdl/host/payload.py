"""Samples to bytes, bytes to answers: the payloads of the classifier's streams, in numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import VerifyError
from ..link import Identity

__all__ = ["Answers", "pack_samples", "unpack_results"]

#: Bits of samples that are spread out at a time.
_BLOCK_BITS = 1 << 23


@dataclass(frozen=True, eq=False)
class Answers:
    """What the board says of n samples; None for what it does not compute.

    Parameters
    ----------
    classes : ndarray of int64, shape (n,), or None
    scores : ndarray of int64, shape (n, classes), or None
    bits : ndarray of bool, shape (n, outgoing bits), or None
    """

    classes: np.ndarray | None
    scores: np.ndarray | None
    bits: np.ndarray | None


def pack_samples(features: np.ndarray, width: int) -> np.ndarray:
    """Bytes of samples: feature 0 in the lowest bits, two's complement, padded with zeros.

    Parameters
    ----------
    features : ndarray of int64, shape (n, F)
    width : int
        Bits of a feature, 1 to 62.

    Returns
    -------
    ndarray of uint8, shape (n, ceil(F · width / 8))
    """
    count, per_sample = features.shape
    packed = np.empty((count, -(-per_sample * width // 8)), np.uint8)
    block = max(1, _BLOCK_BITS // max(1, per_sample * width))
    for first in range(0, count, block):
        part = features[first : first + block]
        bits = (part[:, :, None] >> np.arange(width) & 1).astype(np.uint8)
        packed[first : first + block] = np.packbits(
            bits.reshape(len(part), -1), axis=1, bitorder="little"
        )
    return packed


def unpack_results(packed: np.ndarray, identity: Identity) -> Answers:
    """Take results apart.

    Parameters
    ----------
    packed : ndarray of uint8, shape (n, result bytes)
    identity : Identity
        Which fields there are, and how wide.

    Raises
    ------
    VerifyError
        If a result contradicts itself: a class that does not exist or has not the largest score, or
        padding that is not zero. A board that computes the network cannot send it.
    """
    if identity.score_width > 62:
        raise VerifyError(f"the board has scores of {identity.score_width} bits, at most 62 fit")
    bits = np.unpackbits(packed, axis=1, bitorder="little")
    if bits[:, identity.result_bits :].any():
        raise VerifyError("a result of the board has padding other than zeros")
    classes = scores = outgoing = None
    at = 0
    if identity.class_width:
        classes = _integers(bits[:, at : at + identity.class_width])
        at += identity.class_width
    if identity.score_width:
        width, count = identity.score_width, identity.classes
        field = bits[:, at : at + count * width]
        scores = _integers(field.reshape(len(bits), count, width))
        if identity.score_signed:
            scores -= (scores >> (width - 1) & 1) << width
        at += count * width
    if identity.bits:
        outgoing = bits[:, at : at + identity.bits].astype(bool)
    _check_classes(classes, scores, identity.classes)
    return Answers(classes, scores, outgoing)


def _check_classes(classes: np.ndarray | None, scores: np.ndarray | None, count: int) -> None:
    if classes is None:
        return
    wrong = classes >= count
    if scores is not None and not wrong.any():
        wrong = classes != np.argmax(scores, axis=1)
    if wrong.any():
        sample = int(np.argmax(wrong))
        beside = "" if scores is None else f" and scores {scores[sample].tolist()}"
        raise VerifyError(
            f"the board gives sample {sample} class {classes[sample]} of {count}{beside}",
            hint="the hardware does not work, perhaps its clock is too fast",
        )


def _integers(bits: np.ndarray) -> np.ndarray:
    """Unsigned integers of the last axis, its first element the least significant bit."""
    return bits.astype(np.int64) @ (np.int64(1) << np.arange(bits.shape[-1]))
