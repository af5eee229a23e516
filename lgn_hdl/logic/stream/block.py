"""The gates of one position, or of a line of them, as a program over the bits of a window."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...network import LogicConv, Network, Node, OrPool, TensorType
from ..lower import lower
from ..passes import PassResult
from ..program import FIRST_INPUT, LogicProgram
from .grid import Grid, Sliding

__all__ = ["Block", "Equals", "Taps", "Window", "elements_of", "only_used"]


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
    """What a layer computes of a window.

    Parameters
    ----------
    program : LogicProgram
        Feature j, one bit, is tap j; the bits that leave are those of an element.
    taps : Taps
    passes : list of PassResult
    probes : int
        Random samples that every pass was verified with.
    """

    program: LogicProgram
    taps: Taps
    passes: list[PassResult]
    probes: int


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

    def put_into(self, program: LogicProgram, feature: np.ndarray) -> LogicProgram:
        """A program of one-bit features that reads these bits no more than once.

        Parameters
        ----------
        program : LogicProgram
            As it was lowered: input bit i is feature i.
        feature : ndarray of int64, shape (P, B)
            Which of its features is bit b, for each of some elements.
        """
        new = np.arange(program.num_signals, dtype=np.int32)
        same = np.where(self.constant >= 0, self.constant, FIRST_INPUT + feature[:, self.bit])
        new[FIRST_INPUT + feature] = same
        sums = program.sums
        return replace(
            program,
            fanin=new[program.fanin],
            bits=new[program.bits],
            sums=replace(sums, signal=new[sums.signal]),
        ).check()


class Window:
    """A layer on an image that is a window long where positions take turns.

    Parameters
    ----------
    node : Node
    image : TensorType
        What the layer reads.
    scan : tuple of int
        Axes along which elements follow each other; along the others all positions are at hand.

    Attributes
    ----------
    program : LogicProgram
        The element that comes out, row-major over channels and the other axes.
    feature : ndarray of int64, shape (P, B)
        Which feature is bit b of the element at place p of the window.
    """

    def __init__(self, node: Node, image: TensorType, scan: tuple[int, ...]):
        layer = node.layer
        assert isinstance(layer, (LogicConv, OrPool))
        channels, *size = image.shape
        sizes = zip(size, layer.window, strict=True)
        shape = tuple(w if a in scan else n for a, (n, w) in enumerate(sizes))
        padding = tuple(0 if a in scan else p for a, p in enumerate(layer.padding))
        small = Network(
            {"window": TensorType((channels, *shape))},
            (Node(node.name, replace(layer, padding=padding), ("window",)),),
            (node.name,),
        ).validate()
        self.program = lower(small)
        self.feature = elements_of(TensorType((channels, *shape)), scan)
        self._places = np.indices(tuple(shape[axis] for axis in scan)).reshape(len(scan), -1)

    def taps(self, used: np.ndarray, grid: Grid, sliding: Sliding) -> Taps:
        """Where the features `used` are found in a stream."""
        place, bit = np.divmod(np.argsort(self.feature.ravel())[used], self.feature.shape[1])
        return Taps(bit, sliding.delay(grid, self._places[:, place]))


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
