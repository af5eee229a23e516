"""The comparisons at the input of a program, as rows of packed bits."""

from __future__ import annotations

import numpy as np

from ..errors import NetworkError
from .packed import pack
from .program import LogicProgram

__all__ = ["InputBits"]

#: Bytes of feature values that are compared at once, and samples that are transposed at once:
#: both stay in a core's cache.
_CHUNK_BYTES = 1 << 18
_TILE = 128


class InputBits:
    """The comparisons of a program, prepared.

    Parameters
    ----------
    program : LogicProgram

    Attributes
    ----------
    sample_bytes : int
        Working memory of one sample.
    """

    def __init__(self, program: LogicProgram):
        self.format, self.features = program.format, program.features
        self.low, self.high = self.format.min_int, self.format.max_int
        # The narrower the type, the more values are compared at once; it must also hold the
        # threshold that is below all values.
        types = (np.iinfo(t) for t in (np.int8, np.int16, np.int32, np.int64))
        self._type = next(t.dtype for t in types if t.min < self.low and self.high <= t.max)
        self._feature = program.input_feature.astype(np.intp)
        threshold = np.clip(program.input_threshold, self.low - 1, self.high)
        self._threshold = threshold.astype(self._type)[:, None]
        self._are_bits = (self.low, self.high) == (0, 1) and not threshold.any()
        self.sample_bytes = self.features * (1 if self._are_bits else 2 * self._type.itemsize)

    def checked(self, features: np.ndarray) -> np.ndarray:
        """The features, if they have the shape and the type that `write` expects.

        Raises
        ------
        NetworkError
            Saying what was found.
        """
        features = np.asarray(features)
        if features.ndim != 2 or features.shape[1] != self.features:
            raise NetworkError(
                f"features have shape {features.shape}, expected (n, {self.features})"
            )
        if features.dtype.kind not in "biu":
            raise NetworkError(f"features are of type {features.dtype}, expected integers")
        return features.view(np.uint8) if features.dtype == bool else features

    def write(self, features: np.ndarray, rows: np.ndarray) -> None:
        """Compare features and write the results; what follows the last sample is undefined.

        Parameters
        ----------
        features : ndarray of integers or bool, shape (n, F)
        rows : ndarray of WORD, shape (I, words)

        Raises
        ------
        NetworkError
            If the number format does not have one of the values.
        """
        if features.size and (features.min() < self.low or features.max() > self.high):
            sample, feature = np.argwhere((features < self.low) | (features > self.high))[0]
            raise NetworkError(
                f"feature {feature} of a sample is {features[sample, feature]}, expected "
                f"{self.low} to {self.high} ({self.format})"
            )
        if self._are_bits:
            bits = pack(features != 0, rows.shape[1])
            np.take(bits, self._feature, axis=0, out=rows, mode="clip")
        else:
            self._compare(self._transposed(features), rows)

    def _transposed(self, features: np.ndarray) -> np.ndarray:
        narrow = features.astype(self._type, copy=False)
        values = np.empty(features.shape[::-1], self._type)
        for i in range(0, len(features), _TILE):
            values[:, i : i + _TILE] = narrow[i : i + _TILE].T
        return values

    def _compare(self, values: np.ndarray, rows: np.ndarray) -> None:
        """Compare and pack values (F, n), as many rows at once as fit a chunk."""
        octets, used = rows.view(np.uint8), -(-values.shape[1] // 8)
        step = max(1, _CHUNK_BYTES // (8 * used * values.itemsize))
        for i in range(0, len(rows), step):
            chosen = np.take(values, self._feature[i : i + step], axis=0)
            above = chosen > self._threshold[i : i + step]
            octets[i : i + step, :used] = np.packbits(above, axis=1, bitorder="little")
