"""Places and routes a mapped design with nextpnr, for iCE40, ECP5 and Gowin."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .nextpnr_job import make_job, too_many
from .pnr import PnrResult, Utilisation

if TYPE_CHECKING:
    from .board import Board
    from .board_top import BoardFiles
    from .synth import SynthResult

__all__ = ["fit", "place_and_route"]


def place_and_route(
    mapped: SynthResult,
    board: Board,
    files: BoardFiles,
    workdir: Path,
    *,
    seed: int = 1,
    clock_mhz: float | None = None,
    must_close: bool = True,
    options: Sequence[str] = (),
    spread: bool | None = None,
    timeout: float | None = None,
) -> PnrResult:
    """Place and route a design.

    Parameters
    ----------
    mapped : SynthResult
        The whole board, mapped to the board's target.
    board : Board
    files : BoardFiles
        What `board_rtlil` made: the constraints are taken from it.
    workdir : Path
        Its folder `pnr` gets the layout, the report and the log.
    seed : int
        Of the placement; another one gives another result, the same one the same.
    clock_mhz : float, optional
        The clock to reach; by default the one that `files` was made for.
    must_close : bool
        Whether a slower result is an error.
    options : sequence of str
        More options for nextpnr, such as `("--router", "router2")`.
    spread : bool, optional
        Whether to spread the design over the device (ECP5 only, see `flow.spread`); by default if
        it is large, and the device larger.
    timeout : float, optional
        Limit in seconds.

    Raises
    ------
    FitError
        If the device is too small; `utilisation` says what is missing.
    RouteError
        If the placed design cannot be routed.
    TimingError
        If the clock is not reached and `must_close` is set; `result` has what was reached.
    BuildError
        If nextpnr does not know the family, or cannot spread on the device as asked.
    ToolError
        If nextpnr is missing, fails otherwise, or takes too long.
    """
    job = make_job(mapped, board, files, workdir / "pnr", clock_mhz, seed, options, spread)
    job.prepare()
    start = time.monotonic()
    problem = job.attempt(timeout)
    if problem is not None:
        raise job.reason(problem, timeout)
    result = job.result(time.monotonic() - start, job.cwd / "nextpnr.log")
    if must_close:
        result.require_closed()
    return result


def fit(
    mapped: SynthResult,
    board: Board,
    files: BoardFiles,
    workdir: Path,
    *,
    timeout: float | None = None,
) -> Mapping[str, Utilisation]:
    """Return what a design takes of the device, by cell type, without placing it.

    Raises
    ------
    FitError
        If the device has too few cells of a type.
    ToolError
        If nextpnr is missing or cannot pack the design into cells.
    """
    job = make_job(mapped, board, files, workdir / "pnr")
    job.prepare()
    used = job.packed(timeout)
    error = too_many(used, board)
    if error is not None:
        raise error
    return used
