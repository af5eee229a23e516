"""Simulate the device of a board through its serial pins, and compare with PyTorch."""

from __future__ import annotations

import importlib
import importlib.util
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np

from ..errors import FormatError, VerifyError
from ..link import Identity
from .linkvectors import link_vectors
from .simulate import simulator, write_vectors_for

__all__ = ["LinkSimResult", "simulate_board"]


@dataclass(frozen=True)
class LinkSimResult:
    """A simulation without a mismatch.

    Parameters
    ----------
    samples : int
    samples_per_second : float
        Of simulated time, frames sent back to back.
    checks : dict of str to int
        How often each kind of damage was tried: the device answered it as it should, and was right
        again afterwards.
    """

    samples: int
    samples_per_second: float
    checks: dict[str, int]


def simulate_board(out: str | Path, x: np.ndarray | None = None, *, seed: int = 0) -> LinkSimResult:
    """Simulate the device of the build in folder `out`, bit by bit through its UART.

    Parameters
    ----------
    out : str or Path
        Made by `build` for a board.
    x : array_like, shape (n, *input shape), optional
        Real-valued samples; by default the build's own vectors.
    seed : int
        Of what is damaged.

    Raises
    ------
    VerifyError
        At the first answer that is not PyTorch's, or not what the protocol says.
    ToolError
        If the simulator is missing or fails.
    """
    out = Path(out)
    for name in ("board/device.v", "board/link.npz", "network.lgn", "report.json"):
        if not (out / name).is_file():
            raise FormatError(
                f"has no {name}", where=str(out), hint="run lgn_hdl build with --board first"
            )
    board = json.loads((out / "report.json").read_text())["board"]
    with tempfile.TemporaryDirectory(prefix="lgn_hdl_sim_") as folder:
        workdir = Path(folder)
        vectors = out / "board" / "link.npz"
        if x is not None:
            vectors = _vectors(out, x, workdir)
        with simulator(out, workdir):
            outcome = _bench().run(
                [out / "board" / "device.v"],
                "device",
                vectors,
                workdir,
                clock_hz=1e6 * board["clock_mhz"],
                baud=board["link"]["baud"],
                seed=seed,
            )
    mismatch = outcome["mismatch"]
    if mismatch is not None:
        raise VerifyError(
            f"{mismatch['check']}: expected {mismatch['expected']}, found {mismatch['found']}",
            where=str(out / "board" / "device.v"),
        )
    return LinkSimResult(outcome["samples"], outcome["samples_per_second"], outcome["checks"])


def _bench() -> ModuleType:
    inside = importlib.util.find_spec("lgn_hdl.sim")
    return importlib.import_module("lgn_hdl.sim.board" if inside else "sim.board")


def _vectors(out: Path, x: np.ndarray, workdir: Path) -> Path:
    """Link vectors for other samples."""
    whole, path = workdir / "vectors.npz", workdir / "link.npz"
    write_vectors_for(out, x, whole)
    with np.load(out / "board" / "link.npz", allow_pickle=False) as stored:
        identity = Identity.decode(stored["identity"].tobytes())
    with np.load(whole, allow_pickle=False) as arrays:
        np.savez(path, **link_vectors(arrays, identity))  # pyright: ignore[reportArgumentType]
    return path
