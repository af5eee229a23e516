"""Gather what reads the same signals, so that wires stay short.

A network has random wiring, but which slot a term of a folded sum is counted in is free. Terms that
share signals belong together: routing, not the number of LUTs, is what a small FPGA runs out of.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

__all__ = ["gather"]

#: Temperature in units of one connection, at the start and at the end.
_HOT, _COLD = 1.0, 0.05


def gather(
    pins: Sequence[Sequence[int]],
    kind: Sequence[int],
    seats: Sequence[int],
    groups: int,
    *,
    moves: int | None = None,
    seed: int = 0,
) -> list[int]:
    """Deal items into groups so that few signals are read in more than one group.

    Simulated annealing over swaps of two items of one kind; the cost is the number of pairs
    (signal, group in which it is read).

    Parameters
    ----------
    pins : sequence of sequences of int
        Signals that each item reads.
    kind : sequence of int
        Kind of each item, from 0.
    seats : sequence of int
        How many items of each kind a group can hold.
    groups : int
    moves : int, optional
        Swaps that are tried; by default in proportion to the number of items.
    seed : int

    Returns
    -------
    list of int
        Group of each item.
    """
    rng = random.Random(seed)
    item_at: list[int] = []  # what sits in a seat; -1 if nobody
    group_of: list[int] = []
    rows: list[range] = []  # the seats of the same kind, for every seat
    for k, places in enumerate(seats):
        items = [item for item, own in enumerate(kind) if own == k]
        if len(items) > places * groups:
            raise ValueError(f"{len(items)} items of kind {k} for {places * groups} seats")
        items += [-1] * (places * groups - len(items))
        rng.shuffle(items)
        rows += [range(len(item_at), len(item_at) + len(items))] * len(items)
        item_at += items
        group_of += [seat // places for seat in range(len(items))]

    readers: dict[int, list[int]] = {}
    for item, group in zip(item_at, group_of, strict=True):
        for signal in pins[item] if item >= 0 else ():
            readers.setdefault(signal, [0] * groups)[group] += 1
    counts = [[readers[signal] for signal in own] for own in pins]
    counts.append([])  # of nobody, at index -1

    if moves is None:
        moves = 1000 * len(pins)
    temperature, cooling = _HOT, (_COLD / _HOT) ** (1 / max(moves, 1))
    for _ in range(moves if groups > 1 else 0):
        temperature *= cooling
        seat = int(rng.random() * len(item_at))
        row = rows[seat]
        other = row[int(rng.random() * len(row))]
        here, there = group_of[seat], group_of[other]
        if here == there:
            continue
        leaving, coming = item_at[seat], item_at[other]
        change = _move(counts[leaving], here, there) + _move(counts[coming], there, here)
        if change <= 0 or rng.random() < math.exp(-change / temperature):
            item_at[seat], item_at[other] = coming, leaving
        else:
            _move(counts[leaving], there, here)
            _move(counts[coming], here, there)

    found = [0] * len(pins)
    for item, group in zip(item_at, group_of, strict=True):
        if item >= 0:
            found[item] = group
    return found


def _move(counts: list[list[int]], here: int, there: int) -> int:
    """Move a reader of these signals to another group; return how many more pairs there are."""
    change = 0
    for count in counts:
        count[here] -= 1
        if not count[here]:
            change -= 1
        if not count[there]:
            change += 1
        count[there] += 1
    return change
