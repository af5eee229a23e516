"""Places the gates into words: order, rows of the state, and values that must be kept."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

import numpy as np

from ..levels import levels
from ..program import FIRST_INPUT, LogicProgram
from .code import DISTANCE

__all__ = ["Gate", "Placed", "place"]

#: Gates that are passed over because what they read was written just now, before a lane idles.
_PATIENCE = 64


@dataclass(frozen=True)
class Gate:
    """What a lane does in a word: a gate of the program, or if that is -1, a slot kept.

    Parameters
    ----------
    gate : int
    reads : tuple of int
        Slots of the state.
    """

    gate: int
    reads: tuple[int, ...]


@dataclass
class Placed:
    """Words that write the state, in order, and where the values are at the end.

    Parameters
    ----------
    words : list of list of Gate or None
        One entry per lane; None where the lane has nothing to do.
    slot : dict of int to int
        Slot of every value that is still there, by signal.
    written : dict of int to int
        Word that wrote it last; inputs have been there for long.
    """

    words: list[list[Gate | None]]
    slot: dict[int, int]
    written: dict[int, int]

    @property
    def kept(self) -> bool:
        """Whether a value had to be kept for more than one round."""
        return any(gate is not None and gate.gate < 0 for word in self.words for gate in word)


@dataclass
class _State:
    """The values in the slots of the state."""

    uses: np.ndarray  # readings of each signal that are still to come
    holder: dict[int, int] = field(default_factory=dict)  # signal in a slot
    slot: dict[int, int] = field(default_factory=dict)
    written: dict[int, int] = field(default_factory=dict)

    def put(self, signal: int, slot: int, time: int) -> None:
        before = self.holder.get(slot)
        if before is not None and before != signal:
            del self.slot[before], self.written[before]
        self.holder[slot], self.slot[signal], self.written[signal] = signal, slot, time


def place(
    program: LogicProgram,
    reads: np.ndarray,
    *,
    stored: np.ndarray,
    uses: np.ndarray,
    input_slot: np.ndarray,
    first_row: int,
    lanes: int,
    rows: int,
) -> Placed | None:
    """Order the gates whose values are stored.

    The row that a word writes is the one after that of the word before it, so a value stays for
    one round. One that is needed for longer is kept: the lane of its slot reads it and writes it
    back.

    Parameters
    ----------
    program : LogicProgram
    reads : ndarray of int32, shape (G, inputs)
    stored : ndarray of bool, shape (G,)
    uses : ndarray of int64, shape (signals,)
        Times that each signal is read by stored gates, and more if it is read later.
    input_slot : ndarray of int64, shape (I,)
    first_row : int
        Row that the first word writes.
    lanes, rows : int

    Returns
    -------
    Placed or None
        None if the state is too small.
    """
    state = _State(uses.copy())
    for i, slot in enumerate(input_slot.tolist()):
        state.put(FIRST_INPUT + i, slot, -DISTANCE)
    queue = _Queue(program, reads, stored)
    words: list[list[Gate | None]] = []
    idle = 0
    while queue.left:
        time, row = len(words), (first_row + len(words)) % rows
        left, word = queue.left, []
        writes: list[tuple[int, int]] = []
        for slot in range(row * lanes, (row + 1) * lanes):
            value = state.holder.get(slot)
            if value is not None and state.uses[value] > 0:
                word.append(Gate(-1, (slot,)))
                writes.append((value, slot))
                continue
            gate = queue.take(time, state.written)
            if gate is None:
                word.append(None)
                continue
            sources = reads[gate].tolist()
            word.append(Gate(gate, tuple(state.slot[s] for s in sources)))
            for s in set(sources):
                state.uses[s] -= 1
            writes.append((program.first_gate + gate, slot))
        for value, slot in writes:
            state.put(value, slot, time)
        queue.made([value for value, _ in writes], time)
        words.append(word)
        idle = idle + 1 if queue.left == left else 0
        if idle > rows + DISTANCE:  # all that there is room for is what must be kept
            return None
    return Placed(words, state.slot, state.written)


class _Queue:
    """Gates whose inputs have been made, by level, those with the oldest inputs first."""

    def __init__(self, program: LogicProgram, reads: np.ndarray, stored: np.ndarray):
        self._first, self._level, self._reads = program.first_gate, levels(program), reads
        self.left = int(stored.sum())
        self._waits: dict[int, int] = {}
        self._readers: dict[int, list[int]] = {}
        self._ready: list[tuple[int, int, int]] = []
        for gate in np.flatnonzero(stored).tolist():
            sources = [s for s in set(reads[gate].tolist()) if s >= self._first]
            self._waits[gate] = len(sources)
            for s in sources:
                self._readers.setdefault(s, []).append(gate)
            if not sources:
                self._push(gate, min(reads[gate].tolist()))

    def _push(self, gate: int, age: int) -> None:
        heapq.heappush(self._ready, (int(self._level[gate]), age, gate))

    def made(self, signals: list[int], time: int) -> None:
        """Signals were written; gates that wait for nothing else may follow."""
        for signal in signals:
            for gate in self._readers.pop(signal, ()):
                self._waits[gate] -= 1
                if not self._waits[gate]:
                    self._push(gate, time)

    def take(self, time: int, written: dict[int, int]) -> int | None:
        """A gate whose inputs can be read in this word."""
        later, found = [], None
        while self._ready and found is None and len(later) < _PATIENCE:
            entry = heapq.heappop(self._ready)
            sources = self._reads[entry[2]].tolist()
            if max(written[s] for s in sources) <= time - DISTANCE:
                found = entry[2]
            else:
                later.append(entry)
        for entry in later:
            heapq.heappush(self._ready, entry)
        self.left -= found is not None
        return found
