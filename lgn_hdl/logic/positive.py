"""Sums of positive terms only, for adders that do not complement what they count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .program import FIRST_INPUT, LogicProgram

__all__ = ["positive_sums"]


def positive_sums(program: LogicProgram) -> LogicProgram:
    """Count the complement of a signal where a sum takes the signal away: -w · x = w · ¬x - w.

    A LUT takes in the complement for nothing, and its counters do so themselves. As standard cells
    a counter needs an inverter for it, and a gate that is a NAND instead of an AND is even smaller.

    Parameters
    ----------
    program : LogicProgram

    Returns
    -------
    LogicProgram
        With an inverter for each signal that a sum takes away. The program itself if there is none.
    """
    sums = program.sums
    negative = (sums.weight < 0) & (sums.signal >= FIRST_INPUT)
    if not negative.any():
        return program
    taken, which = np.unique(sums.signal[negative], return_inverse=True)
    fanin = np.zeros((len(taken), program.fanin.shape[1]), np.int32)
    fanin[:, 0] = taken
    signal, weight = sums.signal.copy(), sums.weight.copy()
    signal[negative] = program.num_signals + which.ravel()
    weight[negative] *= -1
    shift = np.bincount(sums.owner, np.where(negative, sums.weight, 0), len(sums))
    return replace(
        program,
        fanin=np.concatenate([program.fanin, fanin]),
        arity=np.concatenate([program.arity, np.ones(len(taken), np.uint8)]),
        table=np.concatenate([program.table, np.full(len(taken), 0b01, np.uint64)]),
        sums=replace(
            sums, signal=signal, weight=weight, constant=sums.constant + shift.astype(np.int64)
        ),
    )
