"""Packed bits: 64 samples in every word, one row of words for every signal."""

from __future__ import annotations

import numpy as np

__all__ = ["ONES", "WORD", "pack", "transpose_octets", "unpack"]

#: Sample s of a row is bit s % 64 of word s // 64, so it is in byte s // 8 on every machine.
WORD = np.dtype("<u8")
ONES = ~np.uint64(0)

#: Blocks of 1, 2 and 4 bits beside the diagonal of an 8 x 8 matrix, and how far they move.
_SWAPS = ((0x00AA00AA00AA00AA, 7), (0x0000CCCC0000CCCC, 14), (0x00000000F0F0F0F0, 28))


def pack(bits: np.ndarray, words: int) -> np.ndarray:
    """Bool (samples, signals) to WORD (signals, words); zeros follow the last sample."""
    samples, signals = bits.shape
    octets = np.zeros((8 * words, 8, -(-signals // 8)), np.uint8)
    by_sample = octets.reshape(64 * words, octets.shape[2])
    by_sample[:samples] = np.packbits(bits, axis=1, bitorder="little")
    rows = transpose_octets(octets).transpose(1, 2, 0).reshape(8 * octets.shape[2], 8 * words)
    return np.ascontiguousarray(rows[:signals]).view(WORD)


def unpack(rows: np.ndarray, samples: int) -> np.ndarray:
    """WORD (signals, words) to bool (samples, signals)."""
    signals, words = rows.shape
    # Rows of an odd number of words spread over a cache; with a power of two they would collide.
    odd = words | 1
    octets = np.zeros((-(-signals // 8), 8, 8 * odd), np.uint8)
    octets.reshape(-1, 8 * odd)[:signals, : 8 * words] = rows.view(np.uint8)
    packed = transpose_octets(octets).transpose(1, 2, 0).reshape(64 * odd, -1)
    packed = np.ascontiguousarray(packed[:samples])
    return np.unpackbits(packed, axis=1, count=signals, bitorder="little").view(bool)


def transpose_octets(octets: np.ndarray) -> np.ndarray:
    """Transpose matrices of 8 x 8 bits.

    Parameters
    ----------
    octets : ndarray of uint8, shape (..., 8, m)

    Returns
    -------
    ndarray of uint8, shape (..., m, 8)
        Bit r of [i, s] is bit s of `octets` [r, i].
    """
    words = np.ascontiguousarray(np.swapaxes(octets, -1, -2)).view(WORD)
    for upper, distance in _SWAPS:
        differ = (words ^ words >> np.uint64(distance)) & np.uint64(upper)
        words ^= differ
        words ^= differ << np.uint64(distance)
    return words.view(np.uint8)
