"""Weighted sums of packed bits by carry-save addition: a full adder on 64 samples at once.

A term of weight w stands in column c of its sum for every bit c that is set in |w|; a negative
weight counts the complement, since w·x = |w|·¬x - |w|. Full adders turn three rows of a column
into one, and one of the next column, in all columns of all sums at once, until no column has
more than two rows. Only these leave the packed form.
"""

from __future__ import annotations

import numpy as np

from .packed import transpose_octets
from .program import WeightedSums

__all__ = ["CarrySaveSums"]

#: Types of a whole sum, by its number of bytes.
_NUMBERS = {1: "<u1", 2: "<u2", 4: "<u4", 8: "<i8"}


class CarrySaveSums:
    """Weighted sums, prepared.

    Parameters
    ----------
    sums : WeightedSums
    row : ndarray of intp, shape (signals,)
        Row of each signal.

    Attributes
    ----------
    complemented : ndarray of intp
        Rows whose complements `run` appends to the rows of the signals.
    scratch : int
        Scratch rows that `run` needs.
    """

    def __init__(self, sums: WeightedSums, row: np.ndarray):
        negative, size = sums.weight < 0, np.abs(sums.weight)
        read = row[sums.signal]
        self.complemented, which = np.unique(read[negative], return_inverse=True)
        read[negative] = len(row) + which
        self.constant = sums.constant + _totals(np.minimum(sums.weight, 0), sums.start)
        largest = int(_totals(size, sums.start).max(initial=0))
        self.octets = next(n for n in _NUMBERS if largest < 1 << 8 * n)
        columns = np.arange(int(size.max(initial=0)).bit_length())
        column, term = np.nonzero(size >> columns[:, None] & 1)
        # Rows with equal keys are added; the key of a carry is larger by the number of sums.
        key, rows = column * len(sums) + sums.owner[term], read[term]
        self.scratch = 2 * len(rows)
        self._rounds: list[tuple[np.ndarray, int]] = []
        while True:
            order, adders = _next_adders(key)
            key, rows = key[order], rows[order]
            if not adders:
                break
            self._rounds.append((rows, adders))
            key = np.concatenate([key[:adders], key[:adders] + len(sums), key[3 * adders :]])
            rows = np.concatenate([np.arange(2 * adders), np.arange(3 * adders, len(rows))])
        # Two addends, each a row for every column of every sum; -1 is a row of zeros.
        result = np.full((2, 8 * self.octets * len(sums)), -1)
        result[np.arange(len(key)) - np.searchsorted(key, key), key] = rows
        self._result = np.swapaxes(result.reshape(2, self.octets, 8, len(sums)), 2, 3)

    def run(self, rows: np.ndarray, scratch: np.ndarray, scores: np.ndarray) -> None:
        """Add up.

        Parameters
        ----------
        rows : ndarray of WORD, shape (signals + len(complemented), words)
            The last `len(complemented)` rows are written here.
        scratch : ndarray of WORD, shape (at least `scratch`, words)
        scores : ndarray of int64, shape (up to 64 · words, sums)
            Is overwritten.
        """
        if len(self.complemented):
            np.invert(rows[self.complemented], out=rows[-len(self.complemented) :])
        source, (stack, spare) = rows, np.split(scratch[: self.scratch], 2)
        for order, adders in self._rounds:
            np.take(source, order, axis=0, out=stack[: len(order)], mode="clip")
            a, b, c = stack[: 3 * adders].reshape(3, adders, -1)
            _full_adders(a, b, c, spare[:adders])
            source, stack, spare = stack, spare, stack
        bits = np.take(source, self._result, axis=0, mode="clip")
        bits[self._result < 0] = 0
        octets = transpose_octets(bits.view(np.uint8))  # (2, octets, sums, words · 8, 8)
        octets = octets.reshape(*self._result.shape[:3], 64 * rows.shape[1])
        numbers = np.ascontiguousarray(np.moveaxis(octets, 1, -1)).view(_NUMBERS[self.octets])
        total = (numbers[0] + numbers[1])[:, : len(scores), 0]
        np.add(total.T, self.constant, out=scores)


def _totals(values: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Sum of values[start[c] : start[c + 1]] for each c."""
    return np.diff(np.concatenate([[0], np.cumsum(values)])[start])


def _next_adders(key: np.ndarray) -> tuple[np.ndarray, int]:
    """Order the rows: first, second and third operands of the full adders, then the others."""
    order = np.argsort(key, kind="stable")
    key = key[order]
    start = np.searchsorted(key, key)
    adders = (np.searchsorted(key, key, side="right") - start) // 3
    place = np.arange(len(key)) - start
    operand = np.where(place < 3 * adders, place // np.maximum(adders, 1), 3)
    return order[np.argsort(operand, kind="stable")], int(np.sum(operand == 0))


def _full_adders(a: np.ndarray, b: np.ndarray, c: np.ndarray, spare: np.ndarray) -> None:
    """Replace a by the sums and b by the carries."""
    np.bitwise_xor(a, b, out=spare)
    np.bitwise_and(a, b, out=a)
    np.bitwise_and(spare, c, out=b)
    np.bitwise_or(a, b, out=b)
    np.bitwise_xor(spare, c, out=a)
