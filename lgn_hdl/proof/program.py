"""Logic programs and pipelines as and-inverter graphs: what the hardware is meant to be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from ..logic.compressor import FIRST_LEAF
from ..logic.program import FIRST_INPUT, LogicProgram
from ..logic.schedule import ClassSum
from .aig import FALSE, TRUE, Aig

__all__ = ["argmax", "count_table", "knock_out", "match", "program_signals", "tree_sum"]

T = TypeVar("T")
#: Bits of a score and of the index of its class, least significant first.
Scored = tuple[list[int], list[int]]


def program_signals(aig: Aig, program: LogicProgram) -> list[int]:
    """Literals of all signals of a program over the bits of its features.

    Feature f of width w is inputs f·w to f·w + w - 1 of the graph, least significant first.
    """
    number = program.format
    signals = [FALSE, TRUE, *[FALSE] * (program.num_signals - FIRST_INPUT)]
    pairs = zip(program.input_feature.tolist(), program.input_threshold.tolist(), strict=True)
    for signal, (feature, threshold) in enumerate(pairs, FIRST_INPUT):
        bits = aig.inputs[feature * number.width : (feature + 1) * number.width]
        signals[signal] = _exceeds(aig, bits, threshold, number.signed)
    rows = zip(program.fanin.tolist(), program.arity.tolist(), program.table.tolist(), strict=True)
    for signal, (fanin, arity, table) in enumerate(rows, program.first_gate):
        signals[signal] = aig.lookup(table, [signals[s] for s in fanin[:arity]])
    return signals


def _exceeds(aig: Aig, bits: Sequence[int], threshold: int, signed: bool) -> int:
    width = len(bits)
    if signed:  # an offset of half the range turns both into unsigned numbers
        bits, threshold = (*bits[:-1], bits[-1] ^ 1), threshold + (1 << width - 1)
    if threshold < 0:
        return TRUE
    if threshold >= (1 << width) - 1:
        return FALSE
    return aig.exceeds(bits, [threshold >> place & 1 for place in range(width)])


def tree_sum(aig: Aig, class_sum: ClassSum, roots: Sequence[int]) -> list[int]:
    """Bits of a class sum as its compressor tree makes them, least significant first."""
    tree = class_sum.tree
    bits = [FALSE] * len(tree.arrival)
    bits[1] = TRUE
    for leaf, (root, inverted) in enumerate(
        zip(class_sum.root.tolist(), class_sum.inverted.tolist(), strict=True), FIRST_LEAF
    ):
        bits[leaf] = roots[root] ^ int(inverted)
    for counter in tree.counters:
        operands = [bits[bit] for bit in counter.inputs]
        for place, output in enumerate(counter.outputs):
            bits[output] = aig.lookup(count_table(len(operands), place), operands)
    return [bits[bit] for bit in tree.result]


def count_table(inputs: int, place: int) -> int:
    """Truth table of one bit of the number of ones."""
    return sum((index.bit_count() >> place & 1) << index for index in range(1 << inputs))


def argmax(aig: Aig, scores: Sequence[Sequence[int]], rounds: int) -> list[int]:
    """Bits of the index that the rounds of the hardware's argmax give."""
    bits = max(1, (len(scores) - 1).bit_length())
    field = [
        (list(score), [TRUE if index >> bit & 1 else FALSE for bit in range(bits)])
        for index, score in enumerate(scores)
    ]
    winner, *_ = knock_out(field, rounds, lambda left, right: match(aig, left, right))
    return winner[1]


def knock_out(field: list[T], rounds: int, match: Callable[[T, T], T]) -> list[T]:
    """What is left of a field when neighbours meet in every round."""
    for _ in range(rounds):
        winners = [match(a, b) for a, b in zip(field[::2], field[1::2], strict=False)]
        field = winners + field[len(field) // 2 * 2 :]
    return field


def match(aig: Aig, left: Scored, right: Scored) -> Scored:
    """The larger score with its index; the left one of equal scores."""
    wins = aig.exceeds(right[0], left[0])
    score = [aig.choice(wins, x, y) for x, y in zip(right[0], left[0], strict=True)]
    return score, [aig.choice(wins, x, y) for x, y in zip(right[1], left[1], strict=True)]
