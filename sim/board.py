"""Simulate a whole device, from the pins of its UART: compile it, and run the bench on it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .icarus import compile_verilog, simulate
from .wrapper import WRAPPER, Timing, wrapper

__all__ = ["PINS", "compile_board", "run"]

#: Names of the ports of a device that stands alone.
PINS: Mapping[str, str] = {"clk": "clk", "rst": "rst", "rx": "rx", "tx": "tx"}


def compile_board(
    sources: Sequence[Path],
    top: str,
    folder: Path,
    *,
    clock_hz: float,
    baud: float,
    pins: Mapping[str, str] = PINS,
    start_seconds: float = 0.0,
) -> None:
    """Compile a device, with a clock and a UART around it, into `folder`.

    Parameters
    ----------
    sources : sequence of Path
        Verilog of the device, and of whatever cells it uses.
    top : str
        Its module.
    folder : Path
        It must exist.
    clock_hz : float
        At the pin of the clock.
    baud : float
        Of the bench's UART; it need not be exactly the device's.
    pins : mapping of str to str
        Ports of the module for `clk`, `rx`, `tx` and, if it has one, `rst`; `~` before a name says
        that the port is low when it is active.
    start_seconds : float
        How long the device is silent after a reset: a board counts clocks first.

    Raises
    ------
    FileNotFoundError
        If Icarus Verilog is not installed.
    RuntimeError
        If it refuses the Verilog.
    """
    timing = Timing(clock_hz, baud)
    text = folder / f"{WRAPPER}.v"
    text.write_text(wrapper(top, timing, pins))
    compile_verilog([*sources, text], WRAPPER, folder)
    described = {"clock_ps": timing.clock_ps, "bit_ps": timing.bit_ps, "reset": "rst" in pins}
    described["start_seconds"] = start_seconds
    (folder / "timing.json").write_text(json.dumps(described))


def run(
    sources: Sequence[Path],
    top: str,
    vectors: Path,
    workdir: Path,
    *,
    clock_hz: float,
    baud: float,
    pins: Mapping[str, str] = PINS,
    start_seconds: float = 0.0,
    seed: int = 0,
) -> dict[str, Any]:
    """Send framed samples to a device through its pins and compare what it answers.

    After the samples, sent back to back, come damaged, short, over-long and unknown frames, too
    many at once, and resets in the middle of frames; after each of them the device must answer
    again.

    Parameters
    ----------
    sources, top, clock_hz, baud, pins, start_seconds
        See `compile_board`.
    vectors : Path
        An .npz with `samples` (n, sample bytes) and `results` (n, result bytes), both uint8, and
        `identity` (bytes,) uint8, the body of the identification.
    workdir : Path
        Everything is left there; it must exist.
    seed : int
        Of what is damaged.

    Returns
    -------
    dict
        `samples`; `samples_per_second` of simulated time and `clocks` while they were sent back to
        back; `checks`, how often each kind of damage was tried; and `mismatch`, None or a dict of
        `check`, `expected` and `found`. The log of the simulator is in workdir/sim.log.

    Raises
    ------
    FileNotFoundError
        If Icarus Verilog is not installed.
    RuntimeError
        If the simulation did not come to an end by itself.
    """
    compile_board(
        sources,
        top,
        workdir,
        clock_hz=clock_hz,
        baud=baud,
        pins=pins,
        start_seconds=start_seconds,
    )
    return run_compiled(workdir, vectors, workdir, seed=seed)


def run_compiled(compiled: Path, vectors: Path, workdir: Path, *, seed: int = 0) -> dict[str, Any]:
    """`run` for what `compile_board` left in the folder `compiled`."""
    result = workdir / "result.json"
    result.unlink(missing_ok=True)
    environment = {
        "LGN_HDL_TIMING": str((compiled / "timing.json").resolve()),
        "LGN_HDL_VECTORS": str(vectors.resolve()),
        "LGN_HDL_RESULT": str(result.resolve()),
        "LGN_HDL_SEED": str(seed),
    }
    try:
        simulate(compiled, WRAPPER, f"{__package__}.board_bench", workdir, environment)
    except RuntimeError:
        if not result.exists() or json.loads(result.read_text())["mismatch"] is None:
            raise
    return json.loads(result.read_text())
