"""Run the bench in Icarus Verilog through cocotb's runner."""

from __future__ import annotations

import json
import shutil
import sys
from contextlib import redirect_stdout
from pathlib import Path

from cocotb_tools.runner import get_runner

__all__ = ["run"]


def run(top: Path, vectors: Path, workdir: Path, *, seed: int = 0) -> dict:
    """Simulate the Verilog file `top` on the vectors; everything is left in `workdir`.

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
    if shutil.which("iverilog") is None:
        raise FileNotFoundError("iverilog")
    result = workdir / "result.json"
    result.unlink(missing_ok=True)
    runner = get_runner("icarus")
    log = workdir / "sim.log"
    environment = {
        "LGN_HDL_VECTORS": str(vectors.resolve()),
        "LGN_HDL_RESULT": str(result.resolve()),
        "LGN_HDL_SEED": str(seed),
        "COCOTB_ANSI_OUTPUT": "0",
    }
    with open(workdir / "runner.log", "w") as messages, redirect_stdout(messages):
        compiled = workdir / "build.log"
        try:
            runner.build(
                sources=[top.resolve()],
                hdl_toplevel="top",
                build_dir=workdir,
                timescale=("1ns", "1ps"),
                always=True,
                log_file=compiled,
            )
        except (RuntimeError, SystemExit):
            said = compiled.read_text(errors="replace").splitlines()
            first = next((line for line in said if "error" in line), "see its output")
            raise RuntimeError(f"Icarus Verilog refuses {top}: {first}") from None
        try:
            runner.test(
                hdl_toplevel="top",
                test_module=f"{__package__}.bench",
                build_dir=workdir,
                test_dir=workdir,
                extra_env=environment,
                log_file=log,
            )
            failed = False
        except ValueError as error:
            if "libpython" not in str(error):
                raise
            version = f"{sys.version_info.major}.{sys.version_info.minor}"
            raise RuntimeError(
                f"cocotb finds no shared libpython; Debian has it in the package libpython{version}"
            ) from None
        except SystemExit as error:
            # cocotb's runner leaves this way when the simulator fails, under pytest also when the
            # bench fails, which is what a mismatch is.
            failed = error.code
    if not result.exists():
        stopped = (
            f"the simulator stopped with {failed}" if failed else "the simulation has no result"
        )
        raise RuntimeError(f"{stopped}, see {log}")
    outcome = json.loads(result.read_text())
    passed = not failed and "FAIL=0" in log.read_text(errors="replace")
    if outcome["mismatch"] is None and not passed:
        raise RuntimeError(f"the bench failed without a mismatch, see {log}")
    return outcome
