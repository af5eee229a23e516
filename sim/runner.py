"""Run the bench in Icarus Verilog through cocotb's runner."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from .icarus import compile_verilog, simulate

__all__ = ["run"]


def run(sources: Sequence[Path], vectors: Path, workdir: Path, *, seed: int = 0) -> dict:
    """Simulate the module `top` of Verilog files on the vectors; all is left in `workdir`.

    Returns
    -------
    dict
        `samples`, `cycles`, `stalls`, and `mismatch`, None or the first difference. The log of
        the simulator is in workdir/sim.log.

    Raises
    ------
    FileNotFoundError
        If Icarus Verilog is not installed.
    RuntimeError
        If the simulation did not come to an end by itself.
    """
    result = workdir / "result.json"
    result.unlink(missing_ok=True)
    compile_verilog(sources, "top", workdir)
    environment = {
        "LGN_HDL_VECTORS": str(vectors.resolve()),
        "LGN_HDL_RESULT": str(result.resolve()),
        "LGN_HDL_SEED": str(seed),
    }
    try:
        simulate(workdir, "top", f"{__package__}.bench", workdir, environment)
    except RuntimeError:
        # A mismatch makes the bench fail, and is what the result is about.
        if not result.exists() or json.loads(result.read_text())["mismatch"] is None:
            raise
    return json.loads(result.read_text())
