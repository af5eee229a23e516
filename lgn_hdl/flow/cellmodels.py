"""Verilog of the cells of a netlist, by the functions of its Liberty file: no delays, no power."""

from __future__ import annotations

import shutil
from pathlib import Path

from .cells import CLOCK_GATE, CellNetlist
from .tools import find_yosys

__all__ = ["cell_models", "with_single_wires"]

_MODELS = """\
read_liberty -ignore_miss_func cells.lib
{unused}write_verilog -noattr cell_models.v
"""
#: Icarus Verilog takes minutes to start on vectors whose bits have a driver each.
_SINGLE = """\
read_verilog -lib cells.v
read_verilog netlist.v
hierarchy -check -top {top}
flatten -noscopeinfo
splitnets
opt_clean -purge
delete =A:blackbox
write_verilog -noattr single.v
"""
#: A latch that follows the enable while the clock is low: no edge of it reaches the output.
_CLOCK_GATE_VERILOG = f"""
module {CLOCK_GATE} (CLK, GATE, GCLK);
  input CLK, GATE;
  output GCLK;
  reg enable;
  always @(CLK, GATE) if (!CLK) enable <= GATE;
  assign GCLK = CLK & enable;
endmodule
"""


def cell_models(netlist: CellNetlist) -> Path:
    """Write Verilog modules of the cells that a netlist has, for simulation without delays.

    Returns
    -------
    Path
        Next to the netlist.
    """
    folder = netlist.files["rtlil"].parent
    used = " ".join(sorted(netlist.cells))
    unused = f"select -set used {used}\ndelete * @used %d\n"
    script = _MODELS.format(unused=unused)
    find_yosys().run(script, folder, name="models", expect=("cell_models.v",))
    path = folder / "cell_models.v"
    if CLOCK_GATE in netlist.cells:
        path.write_text(path.read_text() + _CLOCK_GATE_VERILOG)
    return path


def with_single_wires(netlist: Path, models: Path, workdir: Path, *, top: str = "top") -> Path:
    """Write a netlist for simulation: flat, and with a wire for every bit but those of ports.

    Parameters
    ----------
    netlist, models : Path
        Verilog of the netlist, and of its cells.
    workdir : Path
    top : str

    Returns
    -------
    Path

    Raises
    ------
    ToolError
        If a cell is not among the models.
    """
    shutil.copyfile(netlist, workdir / "netlist.v")
    shutil.copyfile(models, workdir / "cells.v")
    script = _SINGLE.format(top=top)
    find_yosys().run(script, workdir, name="single", expect=("single.v",))
    return workdir / "single.v"
