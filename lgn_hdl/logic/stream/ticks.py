"""When every element of every stream appears, and how often a sample can follow.

Times are clocks in which the hardware does not stand still, counted from the one in which a sample
is taken. Element e of a stream is *visible* at tick t if its first register holds it from t on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import BuildError, VerifyError
from .grid import Grid, Sliding

__all__ = ["FIRST_TICK", "Step", "Ticks", "find_ticks"]

#: Tick 0 takes the sample, tick 1 gives its first element to the register that shows it from 2 on.
FIRST_TICK = 2
#: Clocks of waiting that are tried behind every line of the first image.
_MOST_WAITING = 256


@dataclass(frozen=True)
class Step:
    """A layer between two streams.

    Parameters
    ----------
    sliding : Sliding
    grid : Grid
        Of the elements that come out.
    stages : int
        Registers inside the layer's gates.
    parts : int
        Ticks that the gates need for an element; the window stands for as long.
    """

    sliding: Sliding
    grid: Grid
    stages: int
    parts: int = 1

    def reads(self, visible: np.ndarray) -> np.ndarray:
        """Ticks in which the gates read windows for elements at `visible`, (elements, parts)."""
        last = visible[self.grid.positions] - self.stages - 1
        return last[:, None] - np.arange(self.parts)[::-1]


@dataclass(frozen=True, eq=False)
class Ticks:
    """The schedule of all streams.

    Parameters
    ----------
    interval : int
        Ticks from one sample to the next, at least.
    visible : tuple of ndarray of int64
        For every stream, the tick at which each of its elements is visible first.
    """

    interval: int
    visible: tuple[np.ndarray, ...]

    @property
    def complete(self) -> int:
        """Tick at which all elements of the last stream are there."""
        return int(self.visible[-1][-1])


class _Late(Exception):
    """Zeros of one line are not done when the next line begins."""


def find_ticks(first: Grid, steps: Sequence[Step]) -> Ticks:
    """The schedule with the shortest interval that a few clocks of waiting per line can give.

    Every element comes as early as it can. A layer with more zeros between its lines than there
    are clocks between them makes the first image wait behind each line, and then lines of zeros
    keep the pace of the others.

    Raises
    ------
    BuildError
        If no waiting helps.
    """
    # Lines that are elements themselves have nothing between them that could wait.
    most = _MOST_WAITING if len(first.size) > 1 else 0
    for waiting, paced in [(0, False), *((clocks, True) for clocks in range(most))]:
        try:
            ticks = _ticks(first, steps, waiting, paced)
        except _Late:
            continue
        _check(ticks, first, steps)
        return ticks
    raise BuildError(
        "the zeros between the lines of the images leave no time for the positions",
        where="--reuse",
        hint="take another --reuse",
    )


def _ticks(first: Grid, steps: Sequence[Step], waiting: int, paced: bool) -> Ticks:
    # Waiting is like zeros that are no elements, along every axis but the first.
    slower = Grid(first.padded, (0, *(waiting for _ in first.size[1:])))
    visible = [FIRST_TICK + slower.positions]
    pace = slower.pitch[:-1].tolist() if paced else []
    interval = int(visible[0][-1] - visible[0][0] + 1)
    grid = first
    for number, step in enumerate(steps):
        given = visible[-1]
        newest = step.sliding.newest(grid)
        earliest = given[newest] + step.stages + step.parts
        # The window is there until its next element comes; behind the last one is the next sample.
        following = np.append(given, np.iinfo(np.int64).max)[newest + 1]
        gaps = _gaps(step.grid, steps[number + 1] if number + 1 < len(steps) else None)
        out, latest = _emitted(step, earliest, following, pace, gaps)
        out = _closer(out, interval, step, following, gaps)
        places = out[step.grid.positions]
        interval = max(interval, int(out[-1] - out[0] + gaps[-1]))
        interval = max(interval, int(places[-1] - places[0]) + step.parts)
        if newest[-1] == grid.elements - 1:
            interval = max(interval, int(latest - step.stages - given[0]))
        visible.append(out)
        grid = step.grid
    return Ticks(interval, tuple(visible))


def _gaps(grid: Grid, reader: Step | None) -> np.ndarray:
    """Ticks from each element to the next, at least: a window stands until its parts are done."""
    gaps = np.ones(grid.elements, np.int64)
    if reader is not None:
        gaps[reader.sliding.newest(grid)] = reader.parts
    return gaps


def _emitted(
    step: Step, earliest: np.ndarray, following: np.ndarray, pace: list[int], gaps: np.ndarray
) -> tuple[np.ndarray, int]:
    """Ticks of all elements of a stream, and that of the last position.

    A line of zeros, or a plane of them, begins `pace` ticks after the one before it, or later.
    """
    grid, stages = step.grid, step.stages
    paces = list(zip(grid.pitch[:-1].tolist(), pace, strict=False))
    number = np.full(grid.elements, -1)
    number[grid.positions] = np.arange(len(grid.positions))
    starts, ends, gap = earliest.tolist(), following.tolist(), gaps.tolist()
    # Zeros in front of the first position do not exist, so the first element is a position.
    ticks: list[int] = []
    now, last = starts[0] - gap[-1], 0
    for element, position in enumerate(number.tolist()):
        now += gap[element - 1]
        if position < 0:
            begun = (ticks[-pitch] + least for pitch, least in paces if element % pitch == 0)
            now = max([now, *begun])
        else:
            now = max(now, starts[position], last + step.parts)
            if now - stages > ends[position]:
                raise _Late
            last = now
        ticks.append(now)
    return np.array(ticks), last


def _closer(
    out: np.ndarray, interval: int, step: Step, following: np.ndarray, gaps: np.ndarray
) -> np.ndarray:
    """The same elements, the first ones later, so that they fit in an interval; if they can."""
    before = np.concatenate([[0], np.cumsum(gaps[:-1])])
    later = np.maximum(out, out[-1] + gaps[-1] - interval + before)
    places = later[step.grid.positions]
    fits = (places - step.stages <= following).all() and (np.diff(places) >= step.parts).all()
    return later if fits else out


def _check(ticks: Ticks, first: Grid, steps: Sequence[Step]) -> None:
    """Count, for samples in direct succession, what stands in a window when its gates read it.

    Raises
    ------
    VerifyError
        If it is not the newest element that the window needs, which would be a bug here.
    """
    samples = 3 + -(-ticks.complete // ticks.interval)
    starts = ticks.interval * np.arange(samples)[:, None]
    grid = first
    for given, out, step in zip(ticks.visible, ticks.visible[1:], steps, strict=False):
        arrivals = (starts + given).ravel()
        read = (starts + step.reads(out).ravel()).ravel()
        newest = np.arange(samples)[:, None] * grid.elements + step.sliding.newest(grid)
        newest = np.repeat(newest.ravel(), step.parts)
        found = np.searchsorted(arrivals, read, side="right") - 1
        in_order = all((np.diff(t.ravel()) > 0).all() for t in (arrivals, starts + out, read))
        if not in_order or not np.array_equal(found, newest):
            raise VerifyError("the schedule of the streams reads a window at the wrong time")
        grid = step.grid
