"""Tries several placement seeds and keeps the fastest result."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BuildError
from .nextpnr_job import make_job, too_many
from .parallel import Task, run_parallel
from .pnr import PnrError, PnrResult, RouteError

if TYPE_CHECKING:
    from .board import Board
    from .board_top import BoardFiles
    from .nextpnr_job import Job
    from .synth import SynthResult

__all__ = ["SeedRun", "SeedsResult", "best_of_seeds"]


@dataclass(frozen=True)
class SeedRun:
    """What one seed gave.

    Parameters
    ----------
    seed : int
    achieved_mhz : float or None
        None if it failed.
    seconds : float
    problem : str
        Why it failed; empty if it did not.
    """

    seed: int
    achieved_mhz: float | None
    seconds: float
    problem: str = ""


@dataclass(frozen=True)
class SeedsResult:
    """The fastest result, and what every seed gave, in the order of the seeds."""

    best: PnrResult
    runs: tuple[SeedRun, ...]


def best_of_seeds(
    mapped: SynthResult,
    board: Board,
    files: BoardFiles,
    workdir: Path,
    *,
    seeds: int | Sequence[int] = 4,
    jobs: int | None = None,
    clock_mhz: float | None = None,
    must_close: bool = True,
    options: Sequence[str] = (),
    spread: bool | None = None,
    timeout: float | None = None,
) -> SeedsResult:
    """Place and route with several seeds, each in a process of its own, side by side.

    The same seeds give the same result, however many jobs there are: the fastest, and the first
    of equally fast ones.

    Parameters
    ----------
    mapped, board, files
        As for `place_and_route`.
    workdir : Path
        Its folders `pnr/seed1` and so on get the layouts, reports and logs.
    seeds : int or sequence of int
        How many, from 1 upwards, or which.
    jobs : int, optional
        How many run at a time; by default as many as there are processors.
    clock_mhz : float, optional
        The clock to reach; by default the one that `files` was made for.
    must_close : bool
        Whether it is an error if no seed reaches the clock.
    options : sequence of str
        More options for nextpnr.
    spread : bool, optional
        As for `place_and_route`.
    timeout : float, optional
        Limit for each seed in seconds.

    Raises
    ------
    FitError
        If the device is too small.
    RouteError
        If no seed gives a result.
    TimingError
        If none reaches the clock and `must_close` is set; `result` is the fastest.
    BuildError
        If there is no seed, or `jobs` is not at least 1.
    ToolError
        If nextpnr is missing.
    """
    numbers = list(range(1, seeds + 1)) if isinstance(seeds, int) else list(dict.fromkeys(seeds))
    if not numbers:
        raise BuildError("expected one seed or more", where="seeds")
    if jobs is not None and jobs < 1:
        raise BuildError(f"is {jobs}, expected 1 or more", where="jobs")
    folder = workdir / "pnr"
    first = make_job(mapped, board, files, folder, clock_mhz, options=options, spread=spread)
    first.prepare()
    error = too_many(first.packed(timeout), board)
    if error is not None:
        raise error
    tries = [first.with_seed(seed, folder / f"seed{seed}") for seed in numbers]
    for job in tries:
        job.prepare()
    tasks = [Task(job.command, job.cwd, _log(job)) for job in tries]
    ends = run_parallel(tasks, jobs=jobs or len(os.sched_getaffinity(0)), timeout=timeout)
    results: list[PnrResult] = []
    runs: list[SeedRun] = []
    for job, end in zip(tries, ends, strict=True):
        problem = end.problem(_log(job))
        if problem is not None:
            runs.append(SeedRun(job.seed, None, end.seconds, problem))
        else:
            result = job.result(end.seconds, _log(job))
            results.append(result)
            runs.append(SeedRun(job.seed, result.achieved_mhz, end.seconds))
    if not results:
        raise _all_failed(tries[0], runs, timeout)
    best = max(results, key=lambda result: result.achieved_mhz)
    if must_close:
        best.require_closed()
    return SeedsResult(best, tuple(runs))


def _log(job: Job) -> Path:
    return job.cwd / "nextpnr.log"


def _all_failed(job: Job, runs: Sequence[SeedRun], timeout: float | None) -> PnrError:
    what = ", ".join(f"seed {run.seed}: {run.problem}" for run in runs)
    if all(run.problem.startswith("stopped after") for run in runs):
        return RouteError(
            f"no seed was done in time ({what})", where=job.board.name, hint="raise the limit"
        )
    error = job.reason(what, timeout)
    error.hint = f"the logs are in {job.cwd.parent}"
    return error
