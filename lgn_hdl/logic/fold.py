"""Share one counter over the class sums: some terms of one sum in every step.

All terms of all classes are dealt to `slots` shift registers. They are loaded at once, and in every
step each slot gives one term to the counter: first those of class 0, the heaviest first, then those
of class 1, and so on. Between weights the sum so far is doubled, so the counter counts plain bits.
A term, the choice between loading and shifting, and the flip-flop are one 4-input logic cell
together if the term is a two-input gate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import BuildError, VerifyError
from .compressor import compress
from .evaluate import evaluate, evaluate_signals
from .locality import gather
from .program import LogicProgram, WeightedSums
from .schedule import ClassSum, Pipeline
from .timing import DelayModel, StageClock
from .verify import probe_vectors

__all__ = ["FoldedSums", "fold_pipeline", "fold_sums", "verify_fold"]


@dataclass(frozen=True, eq=False)
class FoldedSums:
    """The class sums of a program, step by step.

    Parameters
    ----------
    signal : ndarray of int32, shape (T, S)
        Signal that each slot gives in each step; 0, the constant, where there is nothing to count.
    negative : ndarray of bool, shape (T, S)
        Whether its complement is counted.
    owner : ndarray of int64, shape (T,)
        Class that each step belongs to, ascending.
    place : ndarray of int64, shape (T,)
        What is counted in the step weighs 2 ** place. Within a class it falls to 0 one by one.
    constant : ndarray of int64, shape (C,)
        What each score starts with.
    highest : int
        The largest score possible.
    """

    signal: np.ndarray
    negative: np.ndarray
    owner: np.ndarray
    place: np.ndarray
    constant: np.ndarray
    highest: int

    @property
    def steps(self) -> int:
        """Steps of one sample."""
        return self.signal.shape[0]

    @property
    def slots(self) -> int:
        """Terms that are counted in one step."""
        return self.signal.shape[1]

    @property
    def opens(self) -> np.ndarray:
        """Whether a step is the first of its class, shape (T,)."""
        return np.diff(self.owner, prepend=-1) != 0

    @property
    def closes(self) -> np.ndarray:
        """Whether a step is the last of its class, shape (T,)."""
        return np.diff(self.owner, append=-1) != 0

    @property
    def doubles(self) -> np.ndarray:
        """Whether the sum so far is doubled before a step counts, shape (T,)."""
        return (np.diff(self.place, prepend=0) != 0) & ~self.opens

    @property
    def begins(self) -> np.ndarray:
        """What is put in: the highest digits of the constant where a class opens, and the next
        digit wherever the sum is doubled; shape (T,).
        """
        digits = self.constant[self.owner] >> self.place
        return np.where(self.opens, digits, np.where(self.doubles, digits & 1, 0))


def fold_sums(program: LogicProgram, slots: int, *, seed: int = 0) -> FoldedSums:
    """Fold the class sums of a program.

    Parameters
    ----------
    program : LogicProgram
        Best with gates of two inputs at the end, not fused with the counting.
    slots : int
        Terms that are counted in one step. The fewer, the smaller the counter, and the more steps.
    seed : int
        Of the search for slots whose terms share signals.

    Raises
    ------
    BuildError
        If there are no sums to fold, or a score could be negative.
    """
    if not len(program.sums):
        raise BuildError("there are no class sums to fold", where="--fold")
    if slots < 1:
        raise BuildError(f"{slots} terms per clock, expected at least 1", where="--fold")
    low, high = program.sums.bounds
    if low.min() < 0:
        raise BuildError("a score could be negative", where="--fold")
    terms = _fewest_seats(program.sums, slots)
    steps = _steps(terms, len(program.sums), slots)
    owner, place = (a.ravel() for a in np.indices(steps.shape))
    owner, place = np.repeat(owner, steps.ravel()), np.repeat(place, steps.ravel())
    # Heaviest first within a class.
    order = np.lexsort((-place, owner))
    owner, place = owner[order], place[order]
    kind = owner * steps.shape[1] + place

    slot = _slots(program, terms, steps, slots, seed)
    first = np.zeros(steps.size, np.int64)
    first[kind[::-1]] = np.arange(len(kind))[::-1]
    own = terms.owner * steps.shape[1] + terms.place
    step = first[own] + _ranks(slot, own)
    signal = np.zeros((len(owner), slots), np.int32)
    negative = np.zeros(signal.shape, bool)
    signal[step, slot], negative[step, slot] = terms.signal, terms.negative
    return FoldedSums(signal, negative, owner, place, low, int(high.max()))


def fold_pipeline(program: LogicProgram, folded: FoldedSums, model: DelayModel) -> Pipeline:
    """The schedule of a folded program: gates and counter without registers inside."""
    clock, slots = StageClock(None), folded.slots
    ready = np.zeros(slots, np.int64)
    tree = compress(
        np.ones(slots, np.int64), 0, ready, style="full-adders", model=model, clock=clock
    )
    counter = ClassSum(np.arange(slots, dtype=np.int32), np.zeros(slots, bool), tree)
    return Pipeline(clock, np.zeros(program.num_gates, np.int64), 0, (counter,), 0, ())


def evaluate_folded(program: LogicProgram, folded: FoldedSums, features: np.ndarray) -> np.ndarray:
    """Scores as the steps count them, shape (n, C)."""
    signals = evaluate_signals(program, features, folded.signal.ravel())
    counted = (signals.astype(bool) ^ folded.negative.ravel()).reshape(
        len(features), *folded.signal.shape
    )
    scores = np.zeros((len(features), len(folded.constant)), np.int64)
    sum_so_far = np.zeros(len(features), np.int64)
    for t, count in enumerate(np.moveaxis(counted.sum(axis=2), 1, 0)):
        if folded.opens[t]:
            sum_so_far = np.zeros(len(features), np.int64)
        sum_so_far = sum_so_far * (2 if folded.doubles[t] else 1) + folded.begins[t] + count
        scores[:, folded.owner[t]] = sum_so_far
    return scores


def verify_fold(
    program: LogicProgram, folded: FoldedSums, *, samples: int = 256, seed: int = 0
) -> None:
    """Compare folded sums with those of the program they were made of, on random samples.

    Raises
    ------
    VerifyError
        Naming the sample and the class that differ.
    """
    features = probe_vectors(program, samples, seed)
    expected, found = evaluate(program, features)[1], evaluate_folded(program, folded, features)
    wrong = np.argwhere(expected != found)
    if len(wrong):
        sample, owner = wrong[0].tolist()
        raise VerifyError(
            f"folding changes score {owner} of probe sample {sample}: "
            f"{expected[sample, owner]} became {found[sample, owner]}",
            hint="this is a bug in lgn-hdl; please report it with the model",
        )


@dataclass(frozen=True, eq=False)
class _Terms:
    """Terms of weight 2 ** place."""

    owner: np.ndarray
    signal: np.ndarray
    negative: np.ndarray
    place: np.ndarray


def _fewest_seats(sums: WeightedSums, slots: int) -> _Terms:
    """The terms with the number of different weights that takes the fewest steps.

    A weight that few terms have leaves most slots empty; these terms rather count several times
    with a smaller weight.
    """
    places = int(np.abs(sums.weight).max(initial=1)).bit_length()
    choices = [_terms(sums, highest) for highest in range(places)]
    return min(choices, key=lambda terms: _steps(terms, len(sums), slots).sum())


def _terms(sums: WeightedSums, highest: int) -> _Terms:
    """Every weight as a sum of powers of two up to 2 ** highest.

    -w · x = w · not x - w: the complement is counted, and the constant is the smallest sum.
    """
    size = np.abs(sums.weight)
    digits = size[:, None] >> np.arange(highest + 1) & 1
    digits[:, -1] = size >> highest
    term, place = np.nonzero(digits)
    times = digits[term, place]
    term, place = np.repeat(term, times), np.repeat(place, times)
    return _Terms(sums.owner[term], sums.signal[term], sums.weight[term] < 0, place)


def _steps(terms: _Terms, classes: int, slots: int) -> np.ndarray:
    """Steps of each class at each place, shape (C, P); from its highest place down at least one."""
    count = np.zeros((classes, int(terms.place.max(initial=0)) + 1), np.int64)
    np.add.at(count, (terms.owner, terms.place), 1)
    steps = -(-count // slots)
    needed = np.maximum.accumulate(count[:, ::-1] > 0, axis=1)[:, ::-1]
    needed[:, 0] = True
    return np.maximum(steps, needed)


def _slots(
    program: LogicProgram, terms: _Terms, steps: np.ndarray, slots: int, seed: int
) -> np.ndarray:
    """Slot of each term: terms that share signals come together."""
    read = [
        program.fanin[g, : program.arity[g]].tolist() if g >= 0 else [s]
        for s, g in zip(
            terms.signal.tolist(), (terms.signal - program.first_gate).tolist(), strict=True
        )
    ]
    kind = terms.owner * steps.shape[1] + terms.place
    return np.array(
        gather(read, kind.tolist(), steps.ravel().tolist(), slots, seed=seed), np.int64
    ).reshape(-1)


def _ranks(slot: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """Number of each term among those of its slot and kind."""
    order = np.lexsort((kind, slot))
    key = np.stack([slot, kind])[:, order]
    fresh = np.concatenate([[True], (np.diff(key) != 0).any(axis=0)])[: len(order)]
    first = np.maximum.accumulate(np.where(fresh, np.arange(len(order)), 0))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - first
    return rank
