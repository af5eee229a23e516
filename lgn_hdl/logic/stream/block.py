"""The gates of an element, as a program over the bits of a window; which bits those are."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...network import TensorType
from ..passes import PassResult
from ..program import FIRST_INPUT, LogicProgram

__all__ = ["Block", "Equals", "Taps", "elements_of", "multiplexers", "only_used"]


@dataclass(frozen=True, eq=False)
class Taps:
    """Bits of a stream that are read at the same time.

    Parameters
    ----------
    bit : ndarray of int64, shape (T,)
        Number of the bit within an element.
    delay : ndarray of int64, shape (T,)
        How many elements before the newest one.
    """

    bit: np.ndarray
    delay: np.ndarray

    def __len__(self) -> int:
        return len(self.bit)

    def depths(self, bits: int) -> np.ndarray:
        """Registers that each bit of an element passes, 0 for one that is not read."""
        depths = np.zeros(bits, np.int64)
        np.maximum.at(depths, self.bit, self.delay + 1)
        return depths

    def renumbered(self, kept: np.ndarray) -> Taps:
        """The same taps of a stream that carries the bits `kept` (ascending) only."""
        return Taps(np.searchsorted(kept, self.bit), self.delay)


@dataclass(frozen=True, eq=False)
class Block:
    """What a layer computes of a window, all at once or part after part.

    Parameters
    ----------
    program : LogicProgram
        Of one part. Its features are bits that are chosen among the taps.
    taps : Taps
    chosen : ndarray of int64, shape (parts, features)
        Tap that each feature is while a part is computed; -1 for a zero.
    part, output : ndarray of int64, shape (B,)
        For every bit of an element: in which part it is computed, and as which bit of the program.
    passes : list of PassResult
    probes : int
        Random samples that every pass was verified with.
    """

    program: LogicProgram
    taps: Taps
    chosen: np.ndarray
    part: np.ndarray
    output: np.ndarray
    passes: list[PassResult]
    probes: int

    @property
    def parts(self) -> int:
        """Ticks that the gates need for an element."""
        return len(self.chosen)

    @property
    def multiplexers(self) -> int:
        """Bits that choose between two taps, or a tap and zero."""
        return multiplexers(self.chosen)

    @property
    def waiting(self) -> int:
        """Registers in which parts of an element wait for the last one."""
        return int((self.parts - 1 - self.part).sum())


@dataclass(frozen=True, eq=False)
class Equals:
    """Bits of an element that say no more than others.

    Parameters
    ----------
    bit : ndarray of int64, shape (B,)
        The first bit that is equal to each.
    constant : ndarray of int64, shape (B,)
        0 or 1 for a bit that is constant, -1 for others.
    """

    bit: np.ndarray
    constant: np.ndarray

    @classmethod
    def of(cls, bits: np.ndarray, *, padded: bool) -> Equals:
        """Those of an element's signals; if zeros are between positions, a one is no constant."""
        _, first, which = np.unique(bits, return_index=True, return_inverse=True)
        constant = (bits == 0) | ((bits == 1) & (not padded))
        return cls(first[which.ravel()], np.where(constant, bits, -1).astype(np.int64))

    def instead_of(self, bit: np.ndarray) -> np.ndarray:
        """Bits that are read instead of some; -1 for a zero."""
        return np.where((bit < 0) | (self.constant[bit] == 0), -1, self.bit[bit])

    def put_into(
        self, program: LogicProgram, feature: np.ndarray, bit: np.ndarray | None = None
    ) -> LogicProgram:
        """A program of one-bit features that reads these bits no more than once.

        Parameters
        ----------
        program : LogicProgram
            As it was lowered: input bit i is feature i.
        feature : ndarray of int64, shape (P, W)
            Which of its features is bit w, for each of some elements.
        bit : ndarray of int64, shape (parts, W), optional
            Bit of an element that w is in each part, -1 for a zero; else w itself.
        """
        bit = np.arange(len(self.bit))[None] if bit is None else bit
        means = np.where(self.constant >= 0, self.constant, FIRST_INPUT + self.bit)
        meant = np.where(bit < 0, 0, means[bit])
        _, first, which = np.unique(meant, axis=1, return_index=True, return_inverse=True)
        constant = (meant[0] < FIRST_INPUT) & (meant == meant[0]).all(axis=0)
        same = np.where(constant, meant[0], FIRST_INPUT + feature[:, first[which.ravel()]])
        new = np.arange(program.num_signals, dtype=np.int32)
        new[FIRST_INPUT + feature] = same
        sums = program.sums
        return replace(
            program,
            fanin=new[program.fanin],
            bits=new[program.bits],
            sums=replace(sums, signal=new[sums.signal]),
        ).check()


def elements_of(image: TensorType, scan: tuple[int, ...]) -> np.ndarray:
    """Place of every bit in the row-major image, shape (elements, bits of an element)."""
    places = np.arange(image.size).reshape(image.shape)
    moved = np.moveaxis(places, [1 + axis for axis in scan], range(len(scan)))
    return moved.reshape(int(np.prod(moved.shape[: len(scan)])), -1)


def only_used(program: LogicProgram) -> tuple[LogicProgram, np.ndarray]:
    """A program of one-bit features that has only those that it reads, and which these are."""
    read = np.zeros(program.num_signals, bool)
    read[program.fanin] = True
    read[program.roots] = True
    inputs = np.flatnonzero(read[2 : program.first_gate])
    new = np.zeros(program.num_signals, np.int32)
    new[:2] = 0, 1
    new[2 + inputs] = 2 + np.arange(len(inputs))
    new[program.first_gate :] = 2 + len(inputs) + np.arange(program.num_gates)
    sums = program.sums
    small = replace(
        program,
        features=len(inputs),
        input_feature=np.arange(len(inputs), dtype=np.int32),
        input_threshold=np.zeros(len(inputs), np.int64),
        fanin=new[program.fanin],
        bits=new[program.bits],
        sums=replace(sums, signal=new[sums.signal]),
    )
    return small.check(), program.input_feature[inputs].astype(np.int64)


def multiplexers(chosen: np.ndarray) -> int:
    """How many, of two bits each, make features of taps, (parts, features) as in a block."""
    return int(np.count_nonzero(np.diff(np.sort(chosen, axis=0), axis=0)))
