"""A witness between the network and the program: its bits are proved, its sums are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..logic.lower import lower
from ..logic.passes import optimize
from ..logic.program import LogicProgram, WeightedSums
from ..network import Network
from .aig import Aig
from .circuits import Circuits
from .program import program_signals
from .sums import Definition, difference, nonzero

__all__ = ["Witness", "sums_differ"]


@dataclass(frozen=True, eq=False)
class Witness:
    """The network's gates as the passes leave them, with every bit that it counts as an output.

    Which of its signals a class counts is known by construction; that they are the right ones is
    proved, not taken from it.

    Parameters
    ----------
    program : LogicProgram
        Its bits are those that the classes count, one for every neuron, then the network's own.
    signals : list of int
        Literals of its signals.
    """

    program: LogicProgram
    signals: list[int]

    @classmethod
    def of(cls, aig: Aig, network: Network) -> Witness:
        """Run the passes, and write what they leave into the graph."""
        whole = lower(network)
        every = np.concatenate([whole.sums.signal, whole.bits]).astype(np.int32)
        empty = np.zeros(0, np.int64)
        none = WeightedSums(np.zeros(1, np.int64), empty.astype(np.int32), empty, empty)
        program, _ = optimize(
            LogicProgram(
                whole.format,
                whole.features,
                whole.input_feature,
                whole.input_threshold,
                whole.fanin,
                whole.arity,
                whole.table,
                every,
                none,
            )
        )
        return cls(program, program_signals(aig, program))

    @property
    def bits(self) -> list[int]:
        """Literals of its outputs."""
        return [self.signals[signal] for signal in self.program.bits.tolist()]


def sums_differ(circuits: Circuits, witness: Witness) -> int:
    """Literal that is true where a sum of the program is not the number of ones it stands for."""
    aig, sums = circuits.aig, circuits.program.sums
    definitions = _definitions(witness.program, witness.signals)
    definitions |= _definitions(circuits.program, circuits.signals)
    counted = iter(witness.bits)
    wrong = []
    for c, group in enumerate(circuits.meaning.groups):
        terms = [(next(counted), 1) for _ in group]
        for t in range(int(sums.start[c]), int(sums.start[c + 1])):
            terms.append((circuits.signals[int(sums.signal[t])], -int(sums.weight[t])))
        wrong.append(nonzero(aig, difference(terms, -int(sums.constant[c]), definitions)))
    return aig.any(wrong)


def _definitions(program: LogicProgram, signals: Sequence[int]) -> dict[int, Definition]:
    """The gate that makes each variable; an inverter or a buffer makes none."""
    found: dict[int, Definition] = {}
    rows = zip(program.fanin.tolist(), program.arity.tolist(), program.table.tolist(), strict=True)
    for signal, (fanin, arity, table) in enumerate(rows, program.first_gate):
        literal = signals[signal]
        if arity > 1:
            if literal & 1:
                table ^= (1 << (1 << arity)) - 1
            found[literal & ~1] = (table, [signals[s] for s in fanin[:arity]])
    return found
