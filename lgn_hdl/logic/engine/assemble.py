"""A logic program as the program of a gate engine."""

from __future__ import annotations

import numpy as np

from ...errors import BuildError
from ..groupsum import merge_sum_terms
from ..program import LogicProgram
from ..simplify import simplify
from ..thresholds import merge_thresholds
from .code import DISTANCE, EngineCode
from .execute import check_distances
from .gatekinds import GateKinds
from .leaving import Leaving
from .memory import BlockRam, blocks, memory_bits
from .place import place
from .reading import Reading
from .words import encode

__all__ = ["assemble"]


def assemble(program: LogicProgram, *, lanes: int = 1, ram: BlockRam | None = None) -> EngineCode:
    """Fold a program in time.

    Values are stored only if another gate reads them; what leaves is looked up last and not
    stored. The size of the state is chosen so that the memories are smallest: a small state makes
    the addresses short, but values that are needed for longer than one round through it must be
    kept, which takes gates.

    Parameters
    ----------
    program : LogicProgram
        No score may be negative. It is best optimised, without `fuse`.
    lanes : int
        Gates per clock, a power of two.
    ram : BlockRam, optional
        What the memories are made of; without it bits are counted, not blocks.

    Raises
    ------
    BuildError
        If `lanes` is not a power of two, nothing leaves the program, or a score can be negative.
    VerifyError
        If a word reads what is not there yet, which would be a bug here.
    """
    if lanes < 1 or lanes & (lanes - 1):
        raise BuildError(f"a gate engine has {lanes} gates per clock, expected a power of two")
    low, high = program.sums.bounds
    if (low < 0).any():
        raise BuildError("a gate engine needs scores that are never negative")
    score_bits = max(1, int(high.max(initial=0)).bit_length())
    program = merge_sum_terms(simplify(merge_thresholds(program)))
    kinds, reading = GateKinds.of(program), Reading.of(program, lanes)
    read = np.zeros(program.num_signals, bool)
    read[kinds.reads] = True
    stored = read[program.first_gate :]
    leaving = Leaving.of(program, kinds, stored, lanes)
    if not leaving.words:
        raise BuildError("nothing leaves the program: it has no sums and no bits")
    uses = np.bincount(
        [s for gate in kinds.reads[stored].tolist() for s in set(gate)] + leaving.readings(),
        minlength=program.num_signals,
    )
    best: tuple[tuple[int, int], EngineCode] | None = None
    address_bits = (lanes * max(reading.steps, DISTANCE + 1) - 1).bit_length()
    while True:
        rows = (1 << address_bits) // lanes
        placed = place(
            program,
            kinds.reads,
            stored=stored,
            uses=uses,
            input_slot=reading.slot,
            first_row=reading.steps % rows,
            lanes=lanes,
            rows=rows,
        )
        if placed is not None:
            words, runs = encode(kinds, placed, leaving, reading.steps, address_bits)
            code = EngineCode(
                program.format,
                program.features,
                lanes,
                kinds.inputs,
                address_bits,
                kinds.tables,
                reading.feature,
                reading.thresholds,
                reading.advance,
                words,
                runs,
                program.sums.constant,
                score_bits,
                len(program.bits),
            )
            cost = (blocks(code, ram), code.clocks) if ram else (memory_bits(code), code.clocks)
            if best is None or cost < best[0]:
                best = (cost, code)
            if not placed.kept:
                break
        address_bits += 1
    check_distances(best[1])
    return best[1]
