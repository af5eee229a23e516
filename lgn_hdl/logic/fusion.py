"""Count the last gates without computing them: groups of gates become the bits of their own sum.

A few gates of a class that share inputs read at most k signals together. The sum of their weights
is then a number whose bits are functions of these k signals, one k-input LUT each, and the gates
themselves are needed no more. Three 2-input gates without anything in common are the worst case
for k = 6: two LUTs for three gates, which is also what a full adder behind them would take.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from .groupsum import merge_sum_terms
from .program import LogicProgram, WeightedSums
from .simplify import simplify

__all__ = ["fuse_counts"]

#: Gates per output bit that make a group worth it. With six inputs it must be more: any three
#: 2-input gates make two bits then, and what is left is taken in threes.
WORTH = 1.5


@dataclass(frozen=True)
class _Term:
    """A gate of a class: what it reads, and its weighted value for every pattern of that."""

    signal: int
    weight: int
    support: tuple[int, ...]
    values: np.ndarray

    @property
    def size(self) -> int:
        return abs(self.weight)


def fuse_counts(program: LogicProgram, inputs: int) -> LogicProgram:
    """Replace groups of gates that a class counts by the bits of their weighted sum.

    Parameters
    ----------
    program : LogicProgram
        Simplified, every signal at most once in a class.
    inputs : int
        Inputs of a LUT of the target, 3 to 6.

    Returns
    -------
    LogicProgram
        The same scores from gates of up to `inputs` inputs.
    """
    new = _NewGates(program, inputs)
    sums = program.sums
    terms: list[list[tuple[int, int]]] = []
    constants = sums.constant.tolist()
    for c in range(len(sums)):
        place = range(int(sums.start[c]), int(sums.start[c + 1]))
        weighted = [(int(sums.signal[t]), int(sums.weight[t])) for t in place]
        kept, fusible = _split(program, weighted, inputs)
        groups, rest = _groups(fusible, inputs)
        for group in groups:
            added, constant = new.count(group)
            kept += added
            constants[c] += constant
        if inputs >= 6:
            rest, triples = _triples(rest)
            for column, group in triples:
                added, constant = new.count(group)
                kept += [(signal, weight << column) for signal, weight in added]
                constants[c] += constant << column
        terms.append(kept + [(t.signal, t.weight) for t in rest])
    counts = np.cumsum([0, *map(len, terms)])
    flat = [pair for pairs in terms for pair in pairs]
    fused = WeightedSums(
        counts.astype(np.int64),
        np.array([signal for signal, _ in flat], np.int32),
        np.array([weight for _, weight in flat], np.int64),
        np.array(constants, np.int64),
    )
    return merge_sum_terms(simplify(replace(new.program(), sums=fused)))


def _split(
    program: LogicProgram, weighted: list[tuple[int, int]], inputs: int
) -> tuple[list[tuple[int, int]], list[_Term]]:
    """Terms that stay as they are, and those that are gates small enough to be fused."""
    kept, fusible = [], []
    for signal, weight in weighted:
        gate = signal - program.first_gate
        if gate < 0 or program.arity[gate] >= inputs or abs(weight) > 7:
            kept.append((signal, weight))
            continue
        k, table = int(program.arity[gate]), int(program.table[gate])
        values = np.array([table >> i & 1 for i in range(1 << k)], np.int64) * weight
        support = tuple(program.fanin[gate, :k].tolist())
        fusible.append(_Term(signal, weight, support, values))
    return kept, fusible


def _groups(terms: list[_Term], inputs: int) -> tuple[list[list[_Term]], list[_Term]]:
    """Groups that are worth it, best first, and the terms left over."""
    left = set(range(len(terms)))
    readers: dict[int, list[int]] = defaultdict(list)
    for number, term in enumerate(terms):
        for signal in term.support:
            readers[signal].append(number)
    queue = [(*_best_growth(seed, terms, left, readers, inputs), seed) for seed in left]
    heapq.heapify(queue)
    groups = []
    while queue:
        score, members, seed = heapq.heappop(queue)
        if seed not in left or -score < WORTH or (inputs >= 6 and -score == WORTH):
            continue
        if not left.issuperset(members):  # some went into another group: grow again
            again = _best_growth(seed, terms, left, readers, inputs)
            heapq.heappush(queue, (*again, seed))
            continue
        groups.append([terms[i] for i in members])
        left -= set(members)
    return groups, [terms[i] for i in sorted(left)]


def _best_growth(
    seed: int, terms: list[_Term], left: set[int], readers: dict[int, list[int]], inputs: int
) -> tuple[float, tuple[int, ...]]:
    """The group around a seed with most gates per output bit, as (-score, members)."""
    best: tuple[float, tuple[int, ...]] = (0.0, (seed,))
    for limit in (3, 7):  # two or three output bits
        members, total = _grow(seed, terms, left, readers, inputs, limit)
        best = min(best, (-len(members) / total.bit_length(), tuple(members)))
    return best


def _grow(
    seed: int,
    terms: list[_Term],
    left: set[int],
    readers: dict[int, list[int]],
    inputs: int,
    limit: int,
) -> tuple[list[int], int]:
    """Add, again and again, the gate that brings the fewest new inputs and opens up most others."""
    members, total = [seed], terms[seed].size
    support = set(terms[seed].support)
    while True:
        near = {i for signal in support for i in readers[signal] if i in left} - set(members)
        fitting = [
            i
            for i in near
            if total + terms[i].size <= limit and len(support.union(terms[i].support)) <= inputs
        ]
        if not fitting:
            return members, total

        def key(i: int) -> tuple[int, int, int]:
            added = set(terms[i].support) - support
            after = support | added
            opened = {
                j
                for signal in added
                for j in readers[signal]
                if j in left and after.issuperset(terms[j].support)
            }
            return len(added), -len(opened.difference(members)), i

        chosen = min(fitting, key=key)
        members.append(chosen)
        total += terms[chosen].size
        support.update(terms[chosen].support)


def _triples(rest: list[_Term]) -> tuple[list[_Term], list[tuple[int, list[_Term]]]]:
    """Threes of 2-input gates within a column of weight, and the terms left over.

    Returns
    -------
    list of _Term, list of (int, list of _Term)
        What is left, with the weight that is left of it; columns and their threes, whose weights
        are 1 or -1 there.
    """
    columns: Iterator[tuple[int, list[_Term]]] = (
        (column, [t for t in rest if t.size >> column & 1 and len(t.support) == 2])
        for column in range(max((t.size for t in rest), default=0).bit_length())
    )
    taken: dict[int, int] = defaultdict(int)
    triples = []
    for column, terms in columns:
        for first in range(0, len(terms) // 3 * 3, 3):
            three = terms[first : first + 3]
            for t in three:
                taken[t.signal] += 1 << column
            triples.append((column, [_with_weight(t, 1) for t in three]))
    left = [_with_weight(t, t.size - taken[t.signal]) for t in rest if t.size > taken[t.signal]]
    return left, triples


def _with_weight(term: _Term, size: int) -> _Term:
    """The same gate with another weight of the same sign."""
    weight = size if term.weight > 0 else -size
    return replace(term, weight=weight, values=term.values // term.weight * weight)


class _NewGates:
    """Gates that are added to a program."""

    def __init__(self, program: LogicProgram, inputs: int):
        self._program, self._inputs = program, inputs
        self._fanin: list[list[int]] = []
        self._tables: list[int] = []

    def count(self, group: list[_Term]) -> tuple[list[tuple[int, int]], int]:
        """Gates for the bits of a group's sum: their terms, and the constant that is left."""
        support = sorted({signal for term in group for signal in term.support})
        place = {signal: len(support) - 1 - p for p, signal in enumerate(support)}
        index = np.arange(1 << len(support))
        total = np.zeros(len(index), np.int64)
        for term in group:
            local = np.zeros(len(index), np.int64)
            for signal in term.support:
                local = local << 1 | index >> place[signal] & 1
            total += term.values[local]
        constant = int(total.min())
        total -= constant
        terms = []
        for bit in range(int(total.max()).bit_length()):
            ones = np.flatnonzero(total >> bit & 1).tolist()
            terms.append((self._program.num_signals + len(self._tables), 1 << bit))
            self._fanin.append(support)
            self._tables.append(sum(1 << i for i in ones))
        return terms, constant

    def program(self) -> LogicProgram:
        """The program with the new gates behind its own."""
        old = self._program
        width = max(self._inputs, old.fanin.shape[1])
        added = [support + [0] * (width - len(support)) for support in self._fanin]
        fanin = np.array(added, np.int32).reshape(len(added), width)
        padded = np.pad(old.fanin, ((0, 0), (0, width - old.fanin.shape[1])))
        arity = np.array([len(support) for support in self._fanin], np.uint8)
        return replace(
            old,
            fanin=np.concatenate([padded, fanin]),
            arity=np.concatenate([old.arity, arity]),
            table=np.concatenate([old.table, np.array(self._tables, np.uint64)]),
        )
