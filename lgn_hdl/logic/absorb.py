"""The gates as they were trained, without constants, wires and inverters.

This is what a one-to-one mapping to standard cells takes: each gate that is left is one cell. Equal
gates are not merged, and no gate takes over the work of another.
"""

from __future__ import annotations

import numpy as np

from .levels import by_level
from .program import LogicProgram
from .simplify import (
    alive_signals,
    most_significant_first,
    normalised,
    sums_of,
    without_dead,
)
from .tables import VARIABLES, compact, flip, spread

__all__ = ["absorb"]

U64 = np.uint64


def absorb(program: LogicProgram) -> tuple[LogicProgram, np.ndarray]:
    """Let gates absorb the constants, wires and inverters before them.

    A gate that depends on one input only is a wire or an inverter: what reads it reads its input
    instead, complemented if need be by another truth table. An inverter stays where only it makes
    an outgoing bit. Gates that no output depends on are dropped.

    Parameters
    ----------
    program : LogicProgram
        As `lower` makes it.

    Returns
    -------
    LogicProgram
        Same values; every gate depends on all its inputs, at least two but for such inverters.
    ndarray of int64, shape (gates,)
        Which gate of `program` each one was; -1 for an inverter of an outgoing bit.
    """
    columns, tables = program.columns_from_lsb(), spread(program.table, program.arity)
    signal = np.arange(program.num_signals, dtype=np.int32)  # what a reader reads instead
    inverted = np.zeros(program.num_signals, bool)
    signal[1], inverted[1] = 0, True
    for gates in by_level(program):
        inputs, functions = signal[columns[gates]], tables[gates]
        for p in range(columns.shape[1]):
            turned = inverted[columns[gates, p]]
            functions = np.where(turned, flip(functions, p), functions)
        inputs, functions = normalised(inputs, functions)
        columns[gates], tables[gates] = inputs, functions
        free = np.count_nonzero(inputs, axis=1) < 2
        own = program.first_gate + gates[free]
        signal[own] = inputs[free, 0]  # zero, the constant, where nothing is read
        inverted[own] = (functions[free] & U64(1)).astype(bool)
    arity = np.count_nonzero(columns, axis=1).astype(np.uint8)
    bits, inverters = _bits(program, signal, inverted)
    extra = np.zeros((len(inverters), columns.shape[1]), np.int32)
    extra[:, 0] = inverters
    columns = np.concatenate([columns, extra])
    tables = np.concatenate([tables, np.full(len(inverters), ~VARIABLES[0], U64)])
    arity = np.concatenate([arity, np.ones(len(inverters), np.uint8)])
    absorbed = LogicProgram(
        program.format,
        program.features,
        program.input_feature,
        program.input_threshold,
        most_significant_first(columns, arity),
        arity,
        compact(tables, arity),
        bits,
        sums_of(program.sums, signal, inverted),
    )
    alive = alive_signals(absorbed)[absorbed.first_gate :]
    origin = np.concatenate([np.arange(program.num_gates), np.full(len(inverters), -1)])
    return without_dead(absorbed), origin[alive]


def _bits(
    program: LogicProgram, signal: np.ndarray, inverted: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Signals of the outgoing bits, and the signals that are inverted for some of them."""
    bits, turned = signal[program.bits].copy(), inverted[program.bits]
    constant = bits == 0
    needed, which = np.unique(bits[turned & ~constant], return_inverse=True)
    bits[turned & ~constant] = program.num_signals + which
    bits[turned & constant] = 1
    return bits, needed
