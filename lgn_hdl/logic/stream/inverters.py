"""Inverters in front of outputs, absorbed into the gates that they invert.

`simplify` makes every gate zero where its inputs are zero, and puts an inverter where a bit that
leaves needs the complement. In a network that is one program these are few; a layer of its own, all
bits of which leave, would have one for every other kernel.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..levels import levels
from ..program import LogicProgram

__all__ = ["absorb_inverters"]

U64 = np.uint64


def absorb_inverters(program: LogicProgram) -> LogicProgram:
    """Give a gate the complemented table where nothing but inverters reads it.

    Parameters
    ----------
    program : LogicProgram
        Simplified, without sums.

    Returns
    -------
    LogicProgram
        Same bits; the gates in order of their levels, then by arity and table.
    """
    first, gates = program.first_gate, program.num_gates
    inverts = (program.arity == 1) & (program.table == 1)
    own = np.zeros(program.num_signals, np.int64)
    for column in range(program.fanin.shape[1]):
        reads = column < program.arity
        np.add.at(own, program.fanin[reads, column], np.where(inverts[reads], 0, 1))
    own[program.bits] += 1
    own[program.sums.signal] += 1
    driver = program.fanin[:, 0]
    gone = inverts & (driver >= first) & (own[driver] == 0)
    if not gone.any():
        return program
    flipped = np.zeros(gates, bool)
    flipped[driver[gone] - first] = True
    every = (U64(1) << (U64(1) << program.arity.astype(U64))) - U64(1)
    every[program.arity == 6] = ~U64(0)
    table = np.where(flipped, program.table ^ every, program.table)
    order = np.lexsort((table, program.arity, levels(program)))
    order = order[~gone[order]]
    new = np.arange(program.num_signals, dtype=np.int32)
    new[first + order] = np.arange(first, first + len(order), dtype=np.int32)
    new[first + np.flatnonzero(gone)] = new[driver[gone]]
    return replace(
        program,
        fanin=new[program.fanin[order]],
        arity=program.arity[order],
        table=table[order],
        bits=new[program.bits],
        sums=replace(program.sums, signal=new[program.sums.signal]),
    ).check()
