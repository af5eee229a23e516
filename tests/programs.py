"""Random small logic programs, all their possible inputs, and what they mean in plain Python."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
from hypothesis import strategies as st

from lgn_hdl.logic import LogicProgram, WeightedSums
from lgn_hdl.logic.program import FIRST_INPUT
from lgn_hdl.network import FixedPoint

ONE_BIT = FixedPoint(1)
#: Formats small enough to try every value of a few features.
SMALL_FORMATS = [
    ONE_BIT,
    FixedPoint(2),
    FixedPoint(3),
    FixedPoint(2, signed=True),
    FixedPoint(3, signed=True),
]


def random_program(
    rng: np.random.Generator,
    *,
    form: FixedPoint = ONE_BIT,
    features: int = 3,
    inputs: int = 5,
    gates: int = 12,
    k: int = 3,
    bits: int = 3,
    classes: int = 2,
    terms: int = 4,
    constants: bool = True,
) -> LogicProgram:
    """A program with every kind of redundancy: equal thresholds, repeated inputs, dead gates.

    Without `constants` the gates read inputs and gates only, and no table is constant.
    """
    lowest = 0 if constants else FIRST_INPUT
    low, high = (form.min_int - 2, form.max_int + 1) if constants else (form.min_int, form.max_int)
    threshold = rng.integers(low, max(high, low + 1), inputs)
    arity = rng.integers(1, k, gates, endpoint=True).astype(np.uint8)
    fanin = np.zeros((gates, k), np.int32)
    table = np.zeros(gates, np.uint64)
    for gate in range(gates):
        used = int(arity[gate])
        fanin[gate, :used] = rng.integers(lowest, FIRST_INPUT + inputs + gate, used)
        mask = (1 << (1 << used)) - 1
        table[gate] = int(rng.integers(0, 2**64, dtype=np.uint64)) & mask
        if not constants and int(table[gate]) in (0, mask):
            table[gate] = 1
    signals = FIRST_INPUT + inputs + gates
    counts = rng.integers(0, terms, classes, endpoint=True)
    total = int(counts.sum())
    return LogicProgram(
        form,
        features,
        rng.integers(0, features, inputs).astype(np.int32),
        threshold.astype(np.int64),
        fanin,
        arity,
        table,
        rng.integers(0, signals, bits).astype(np.int32),
        WeightedSums(
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            rng.integers(lowest, signals, total).astype(np.int32),
            rng.integers(-3, 4, total).astype(np.int64),
            rng.integers(-4, 5, classes).astype(np.int64),
        ),
    ).check()


@st.composite
def programs(draw: st.DrawFn, *, k: int = 6, gates: int = 14, constants: bool = True):
    """Programs whose inputs can all be tried."""
    form = draw(st.sampled_from(SMALL_FORMATS))
    return random_program(
        np.random.default_rng(draw(st.integers(0, 2**32 - 1))),
        form=form,
        features=draw(st.integers(1, 6 // form.width)),
        inputs=draw(st.integers(1, 8)),
        gates=draw(st.integers(0, gates)),
        k=draw(st.integers(1, k)),
        bits=draw(st.integers(0, 4)),
        classes=draw(st.integers(0, 3)),
        terms=draw(st.integers(0, 8)),
        constants=constants,
    )


def without_negative_scores(program: LogicProgram) -> LogicProgram:
    """The program with larger constants: what counts ones is never negative."""
    sums = program.sums
    constant = sums.constant - np.minimum(sums.bounds[0], 0)
    shifted = WeightedSums(sums.start, sums.signal, sums.weight, constant)
    return replace(program, sums=shifted)


def every_input(program: LogicProgram) -> np.ndarray:
    """All feature values, shape (n, features)."""
    values = range(program.format.min_int, program.format.max_int + 1)
    return np.array(list(product(values, repeat=program.features)), np.int64)


def signals_by_hand(program: LogicProgram, sample: list[int]) -> list[int]:
    """Every signal for one sample, by the definition of a program."""
    signals = [0, 1]
    for feature, threshold in zip(program.input_feature, program.input_threshold, strict=True):
        signals.append(int(sample[feature] > int(threshold)))
    for gate in range(program.num_gates):
        index = 0
        for wire in program.fanin[gate, : program.arity[gate]]:
            index = 2 * index + signals[wire]  # the first input is the most significant
        signals.append(int(program.table[gate]) >> index & 1)
    return signals


def evaluate_by_hand(
    program: LogicProgram, features: np.ndarray
) -> tuple[list[list[int]], list[list[int]]]:
    """Outgoing bits and scores, sample by sample."""
    every_bits, every_scores = [], []
    sums = program.sums
    for sample in features.tolist():
        signals = signals_by_hand(program, sample)
        every_bits.append([signals[s] for s in program.bits])
        scores = []
        for c in range(len(sums.constant)):
            score = int(sums.constant[c])
            for term in range(int(sums.start[c]), int(sums.start[c + 1])):
                score += int(sums.weight[term]) * signals[sums.signal[term]]
            scores.append(score)
        every_scores.append(scores)
    return every_bits, every_scores
