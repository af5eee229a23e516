"""What leaves the program: outgoing bits, then the sums, class by class, in words and runs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..program import FIRST_INPUT, LogicProgram
from .gatekinds import GateKinds

__all__ = ["Leaving", "Lookup"]


@dataclass(frozen=True)
class Lookup:
    """A gate whose inputs are signals: its code and what it reads; nothing for a constant."""

    code: int
    reads: tuple[int, ...] = ()


@dataclass
class Leaving:
    """Words whose results are not stored.

    Parameters
    ----------
    words : list of list of Lookup
        Up to `lanes` gates each.
    runs : list of (words, bit, close, weight)
        Number of words and what is done with their results.
    """

    lanes: int
    words: list[list[Lookup]] = field(default_factory=list)
    runs: list[tuple[int, bool, bool, int]] = field(default_factory=list)

    @classmethod
    def of(cls, program: LogicProgram, kinds: GateKinds, stored: np.ndarray, lanes: int) -> Leaving:
        """The words for a program; gates that are not stored are looked up here."""
        self = cls(lanes)

        def lookup(signal: int) -> Lookup:
            if signal < FIRST_INPUT:
                return Lookup(kinds.one if signal else kinds.zero)
            gate = signal - program.first_gate
            if gate < 0 or stored[gate]:
                return Lookup(kinds.buffer, (signal,) * kinds.inputs)
            return Lookup(int(kinds.code[gate]), tuple(kinds.reads[gate].tolist()))

        if len(program.bits):
            self._run([lookup(s) for s in program.bits.tolist()], bit=True)
        sums = program.sums
        for c in range(len(sums)):
            terms = slice(sums.start[c], sums.start[c + 1])
            signal, weight = sums.signal[terms], sums.weight[terms]
            different, counts = np.unique(weight, return_counts=True)
            words = int((-(-counts // lanes)).sum())
            if words < 2:
                self._run([Lookup(kinds.zero)] * lanes * (2 - words), close=not words)
            for w in different.tolist():
                gates = [lookup(s) for s in signal[weight == w].tolist()]
                self._run(gates, weight=w, close=w == different[-1])
        return self

    def _run(
        self, gates: list[Lookup], *, bit: bool = False, close: bool = False, weight: int = 0
    ) -> None:
        words = [gates[i : i + self.lanes] for i in range(0, len(gates), self.lanes)]
        self.words += words
        self.runs.append((len(words), bit, close, weight))

    def readings(self) -> list[int]:
        """Every signal that is read, as often as it is."""
        return [s for word in self.words for gate in word for s in gate.reads]
