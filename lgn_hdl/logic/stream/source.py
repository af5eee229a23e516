"""How the bits of the first image are made, element after element, from the features of a sample.

There are three ways; `choose` takes the smallest:

- **Shifted features.** Where every bit of an element compares with the same threshold in all
  elements, features are loaded into shift registers, and a few comparators see one element after
  the other.
- **Selected features.** Otherwise the sample is kept, and for each element its features and its
  thresholds are looked up.
- **Shifted bits.** Or all comparisons are made when the sample comes, and bits are shifted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...network import FixedPoint
from ..evaluate import Evaluator
from ..program import LogicProgram

__all__ = [
    "Aside",
    "SelectedFeatures",
    "ShiftedBits",
    "ShiftedFeatures",
    "Source",
]

#: Bits (n, elements, bits of an element) of features (n, F).
Elements = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class _Shifted:
    """What is loaded into shift registers, one register after the other giving an element.

    Parameters
    ----------
    program : LogicProgram
        Comparisons.
    words : ndarray of int64, shape (N, S)
        What register s gives for element n.
    bit : ndarray of int64, shape (B,)
        Where bit b of an element is.
    """

    program: LogicProgram
    words: np.ndarray
    bit: np.ndarray

    @property
    def registers(self) -> int:
        """Flip-flops."""
        raise NotImplementedError

    @property
    def multiplexers(self) -> int:
        """Bits that choose between loading and moving on."""
        return self.registers

    @property
    def comparators(self) -> int:
        """Comparisons of a feature; none if the features are bits."""
        return 0 if self.program.format.width == 1 else self.program.num_inputs

    @property
    def area(self) -> int:
        """LUTs and flip-flops, roughly."""
        width = self.program.format.width
        return self.registers + self.multiplexers + self.comparators * -(-width // 2)


class ShiftedBits(_Shifted):
    """All comparisons at once; `words` are input bits of the program, `bit` registers."""

    @property
    def registers(self) -> int:
        """Flip-flops."""
        return self.words.size

    def prepared(self) -> Elements:
        """What gives the elements of samples."""
        evaluator = Evaluator(self.program)
        return lambda features: evaluator(features)[0][:, self.words][:, :, self.bit]


class ShiftedFeatures(_Shifted):
    """The comparisons of one element; `words` are features, `bit` signals of the program, whose
    features are the registers.
    """

    @property
    def registers(self) -> int:
        """Flip-flops."""
        return self.words.size * self.program.format.width

    def prepared(self) -> Elements:
        """What gives the elements of samples."""
        evaluator = Evaluator(self.program)

        def elements(features: np.ndarray) -> np.ndarray:
            words = np.asarray(features)[:, self.words]
            bits = evaluator.signals(words.reshape(-1, words.shape[2]), self.bit)
            return bits.reshape(*words.shape[:2], -1)

        return elements


@dataclass(frozen=True, eq=False)
class SelectedFeatures:
    """The sample as it is; features and thresholds of one element are looked up.

    Parameters
    ----------
    number : FixedPoint
        Format of the features.
    words : ndarray of int64, shape (N, S)
        Feature that word s is for element n.
    word : ndarray of int64, shape (C,)
        Word that comparison c is made of.
    threshold : ndarray of int64, shape (N, C)
        What comparison c compares with for element n: whether the word is larger.
    bit : ndarray of int64, shape (B,)
        Comparison that is bit b of an element.
    """

    number: FixedPoint
    words: np.ndarray
    word: np.ndarray
    threshold: np.ndarray
    bit: np.ndarray

    @property
    def features(self) -> np.ndarray:
        """Features that are kept, ascending."""
        return np.unique(self.words)

    @property
    def registers(self) -> int:
        """Flip-flops: the features, and words and thresholds of one element."""
        width = self.number.width
        words = (len(self.features) + self.words.shape[1]) * width
        return words + len(self.word) * (width + 1)

    @property
    def multiplexers(self) -> int:
        """Bits that choose between two features."""
        different = sum(len(np.unique(column)) for column in self.words.T)
        return different * self.number.width

    @property
    def comparators(self) -> int:
        """Comparisons of two numbers."""
        return len(self.word)

    @property
    def area(self) -> int:
        """LUTs and flip-flops, roughly; a LUT holds a bit of 32 thresholds."""
        width = self.number.width
        table = self.comparators * (width + 1) * -(-len(self.words) // 32)
        return self.registers + self.multiplexers + table + self.comparators * width

    def prepared(self) -> Elements:
        """What gives the elements of samples."""

        def elements(features: np.ndarray) -> np.ndarray:
            words = np.asarray(features)[:, self.words][:, :, self.word]
            return (words > self.threshold)[:, :, self.bit]

        return elements


Source = ShiftedBits | ShiftedFeatures | SelectedFeatures


@dataclass(frozen=True, eq=False)
class Aside:
    """Bits that go past the images: their features wait, and are compared where they are needed.

    Parameters
    ----------
    feature : ndarray of int64, shape (A,)
        Features that are kept.
    program : LogicProgram
        Its features are these, its bits what the tail reads.
    """

    feature: np.ndarray
    program: LogicProgram
