"""Compile Verilog with Icarus and run a cocotb module on it, quietly, with errors that say why."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path

from cocotb_tools.runner import get_runner

__all__ = ["compile_verilog", "simulate"]


def compile_verilog(sources: Sequence[Path], top: str, workdir: Path) -> None:
    """Compile into `workdir`; delays without a timescale of their own are nanoseconds.

    Raises
    ------
    FileNotFoundError
        If Icarus Verilog is not installed.
    RuntimeError
        If it refuses a source.
    """
    if shutil.which("iverilog") is None:
        raise FileNotFoundError("iverilog")
    said = workdir / "build.log"
    with open(workdir / "runner.log", "w") as messages, redirect_stdout(messages):
        try:
            get_runner("icarus").build(
                sources=[source.resolve() for source in sources],
                hdl_toplevel=top,
                build_dir=workdir,
                timescale=("1ns", "1ps"),
                always=True,
                log_file=said,
            )
        except (RuntimeError, SystemExit):
            lines = said.read_text(errors="replace").splitlines()
            first = next((line for line in lines if "error" in line), "see its output")
            names = ", ".join(map(str, sources))
            raise RuntimeError(f"Icarus Verilog refuses {names}: {first}") from None


def simulate(
    compiled: Path, top: str, module: str, workdir: Path, environment: Mapping[str, str]
) -> None:
    """Run the cocotb tests of `module` on what `compile_verilog` left in the folder `compiled`.

    The log of the simulator is in workdir/sim.log.

    Raises
    ------
    RuntimeError
        If the simulator cannot start, stops with an error, or a test of the module fails.
    """
    log = workdir / "sim.log"
    with open(workdir / "runner.log", "a") as messages, redirect_stdout(messages):
        try:
            get_runner("icarus").test(
                hdl_toplevel=top,
                hdl_toplevel_lang="verilog",
                test_module=module,
                build_dir=compiled,
                test_dir=workdir,
                extra_env={"COCOTB_ANSI_OUTPUT": "0", **environment},
                log_file=log,
            )
        except ValueError as error:
            if "libpython" not in str(error):
                raise
            version = f"{sys.version_info.major}.{sys.version_info.minor}"
            raise RuntimeError(
                f"cocotb finds no shared libpython; Debian has it in the package libpython{version}"
            ) from None
        except SystemExit as error:  # how cocotb's runner leaves when the simulator fails
            raise RuntimeError(f"the simulator stopped with {error.code}, see {log}") from None
    if "FAIL=0" not in log.read_text(errors="replace"):
        raise RuntimeError(f"the bench failed, see {log}")
