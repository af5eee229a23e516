"""Who counts what: a timer for every stream, each started by the one before.

Before that of a stream whose elements are computed in parts is one that says whose turn it is.

A timer that is started in tick s counts 0 in tick s + 1 and goes on for `interval` ticks, so the
next sample may start it again when it counts its last. In the tick of a count that is among those
it takes an element at, the stream's first register takes one, and shows it one tick later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .grid import Grid
from .ticks import FIRST_TICK, Step, Ticks

__all__ = ["Control", "Pulse", "Timer", "make_control"]


@dataclass(frozen=True)
class Pulse:
    """The tick in which a timer counts `count`."""

    timer: int
    count: int


@dataclass(frozen=True, eq=False)
class Timer:
    """A counter of one interval.

    Parameters
    ----------
    started : Pulse or None
        None for the first, which is started when a sample is taken.
    takes : ndarray of int64
        Counts at which an element comes, a position or a zero.
    zeros : ndarray of int64
        Those of them at which it is a zero.
    stream : int or None
        Whose elements these are; None for a timer of something else.
    layer : int or None
        The layer that computes elements in parts whose turns it counts.
    turns : tuple of ndarray of int64
        Counts at which the second part is computed, the third, ...
    """

    started: Pulse | None
    takes: np.ndarray
    zeros: np.ndarray
    stream: int | None = None
    layer: int | None = None
    turns: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True, eq=False)
class Control:
    """All timers.

    Parameters
    ----------
    interval : int
    timers : tuple of Timer
    done : Pulse
        Says that the last element of the last stream comes.
    copies : tuple of Pulse
        When what is kept of a sample has to be copied, because the next one takes its place.
    """

    interval: int
    timers: tuple[Timer, ...]
    done: Pulse
    copies: tuple[Pulse, ...]


def make_control(ticks: Ticks, grids: tuple[Grid, ...], steps: Sequence[Step]) -> Control:
    """The timers of a schedule."""
    starts: list[int] = []
    timers: list[Timer] = []
    none = np.zeros(0, np.int64)

    def add(start: int, timer: Timer) -> None:
        """A timer that starts at a tick, and others before it if that is too far away."""
        while starts and start > starts[-1] + ticks.interval:
            add(starts[-1] + ticks.interval, Timer(None, none, none))
        begun = Pulse(len(starts) - 1, start - starts[-1] - 1) if starts else None
        starts.append(start)
        timers.append(replace(timer, started=begun))

    for stream, (visible, grid) in enumerate(zip(ticks.visible, grids, strict=True)):
        if stream and steps[stream - 1].parts > 1:
            reads = steps[stream - 1].reads(visible)
            start = int(reads[0, 0]) - 1
            turns = tuple((reads - start - 1).T[1:])
            add(start, Timer(None, none, none, layer=stream - 1, turns=turns))
        takes = visible - visible[0]
        zeros = np.delete(takes, grid.positions)
        add(int(visible[0]) - FIRST_TICK, Timer(None, takes, zeros, stream))
    copies: list[Pulse] = []
    held, complete = 0, ticks.complete
    while complete > held + ticks.interval:
        held = min(held + ticks.interval, starts[-1] + ticks.interval)
        timer = next(n for n, s in enumerate(starts) if s < held <= s + ticks.interval)
        copies.append(Pulse(timer, held - starts[timer] - 1))
    done = Pulse(len(timers) - 1, int(timers[-1].takes[-1]))
    return Control(ticks.interval, tuple(timers), done, tuple(copies))
