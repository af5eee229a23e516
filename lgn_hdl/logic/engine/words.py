"""The contents of the memory of words, and the table of runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .code import DISTANCE, Runs
from .gatekinds import GateKinds
from .leaving import Leaving
from .place import Placed

__all__ = ["encode"]

#: Code and slots of a gate; a gate without slots gives the same whatever it reads.
Encodable = tuple[int, tuple[int, ...]]


class _Words:
    """Words so far."""

    def __init__(self, kinds: GateKinds, lanes: int, address_bits: int):
        self._inputs, self._lanes, self._address_bits = kinds.inputs, lanes, address_bits
        code_bits = (len(kinds.tables) - 1).bit_length() if kinds.tables else 1 << kinds.inputs
        self._gate_bits = kinds.inputs * address_bits + code_bits
        self._nothing: Encodable = (kinds.zero, ())
        self.words: list[int] = []

    def add(self, gates: Sequence[Encodable], row: int) -> None:
        """Add a word; `row` is one that no word shortly before this one writes."""
        word = 0
        rows = (1 << self._address_bits) // self._lanes
        anywhere = (row % rows * self._lanes,) * self._inputs
        missing = self._lanes - len(gates)
        for lane, (code, slots) in enumerate([*gates, *[self._nothing] * missing]):
            bits = code << self._inputs * self._address_bits
            for variable, slot in enumerate(slots or anywhere):
                bits |= slot << variable * self._address_bits
            word |= bits << lane * self._gate_bits
        self.words.append(word)


def encode(
    kinds: GateKinds, placed: Placed, leaving: Leaving, first_row: int, address_bits: int
) -> tuple[tuple[int, ...], Runs]:
    """Encode the words that write the state, then those whose results leave.

    Parameters
    ----------
    kinds : GateKinds
    placed : Placed
    leaving : Leaving
    first_row : int
        Row that the first word writes.
    address_bits : int

    Returns
    -------
    words : tuple of int
    runs : Runs
    """
    memory = _Words(kinds, leaving.lanes, address_bits)
    for row, made in enumerate(placed.words, first_row):
        gates: list[Encodable] = []
        for gate in made:
            if gate is None:
                gates.append((kinds.zero, ()))
            elif gate.gate < 0:
                gates.append((kinds.buffer, gate.reads * kinds.inputs))
            else:
                gates.append((int(kinds.code[gate.gate]), gate.reads))
        memory.add(gates, row)
    stores = len(placed.words)
    idle = _idle(placed, leaving)
    for looked_up in [[]] * idle + leaving.words:
        gates = [(g.code, tuple(placed.slot[s] for s in g.reads)) for g in looked_up]
        memory.add(gates, first_row + stores)
    runs = [(stores, True, False, False, 0)] * (stores > 0)
    runs += [(idle, False, False, False, 0)] * (idle > 0)
    runs += [(count, False, bit, close, weight) for count, bit, close, weight in leaving.runs]
    count, store, bit, close, weight = (list(column) for column in zip(*runs, strict=True))
    return tuple(memory.words), Runs(
        np.cumsum(count) - 1,
        np.array(store, bool),
        np.array(bit, bool),
        np.array(close, bool),
        np.array(weight, np.int64),
    )


def _idle(placed: Placed, leaving: Leaving) -> int:
    """Words to wait before the first results leave, until all they read has been written."""
    first = len(placed.words)
    waits = [
        placed.written[s] + DISTANCE - (first + i)
        for i, word in enumerate(leaving.words[:DISTANCE])
        for gate in word
        for s in gate.reads
    ]
    return max([0, *waits])
