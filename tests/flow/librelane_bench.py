"""Runs inside LibreLane's Python: a PDK with just enough in it, and LibreLane's own loader.

The PDK has the real Liberty and LEF of the shared folder. Everything else that LibreLane's
variables ask for is a stand-in, so a flow can be loaded and run as far as its netlist.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any, get_args, get_origin

#: Values that Yosys' steps look at; the rest only has to be of the right type.
REAL = {
    "STD_CELL_LIBRARY": "sky130_fd_sc_hd",
    "VDD_PIN": "VPWR",
    "GND_PIN": "VGND",
    "DEFAULT_CORNER": "nom_tt_025C_1v80",
    "STA_CORNERS": "nom_tt_025C_1v80",
    "SYNTH_DRIVING_CELL": "sky130_fd_sc_hd__inv_2/Y",
    "SYNTH_TIEHI_CELL": "sky130_fd_sc_hd__conb_1/HI",
    "SYNTH_TIELO_CELL": "sky130_fd_sc_hd__conb_1/LO",
    "SYNTH_BUFFER_CELL": "sky130_fd_sc_hd__buf_2/A/X",
    "OUTPUT_CAP_LOAD": "33.442",
    "RT_MIN_LAYER": "met1",
    "RT_MAX_LAYER": "met5",
    "PLACE_SITE": "unithd",
}


def make_pdk(root: Path, shared: Path, models: Path) -> None:
    """Write `root/sky130A` from the shared files and Verilog of the cells."""
    folder = root / "sky130A"
    tech = folder / "libs.tech/librelane"
    (tech / "sky130_fd_sc_hd").mkdir(parents=True)
    for file in shared.glob("sky130*"):
        shutil.copyfile(file, folder / file.name)
    shutil.copyfile(models, folder / "sky130_fd_sc_hd.v")
    empty = folder / "empty"
    empty.write_text("")
    files = {
        "LIB": f"*_tt_025C_1v80 {folder}/sky130_fd_sc_hd__tt_025C_1v80.lib",
        "TECH_LEFS": f"nom_* {folder}/sky130_fd_sc_hd.tlef",
        "CELL_LEFS": f"{folder}/sky130_fd_sc_hd_merged.lef",
        "CELL_VERILOG_MODELS": f"{folder}/sky130_fd_sc_hd.v",
    }
    flow = import_module("librelane.flows").Flow.factory.get("Classic")
    lines = []
    for variable in flow.get_all_config_variables(flow):
        known = (REAL | files).get(variable.name)
        optional = type(None) in get_args(variable.type) or variable.default is not None
        if variable.pdk and (known or not optional):
            value = known or stand_in(variable.type, empty)
            lines.append(f'set ::env({variable.name}) "{value}"\n')
    (tech / "config.tcl").write_text("".join(lines))
    (tech / "sky130_fd_sc_hd/config.tcl").write_text("")


def stand_in(kind: Any, file: Path) -> str:
    """A value of a type, as Tcl writes it."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is dict:
        return f"* {stand_in(args[1], file)}"
    if origin in (list, tuple):
        return stand_in(args[0], file)
    if kind is bool or kind is int or kind is Decimal:
        return "1"
    return "none" if kind is str else str(file)


def load(config: Path, root: Path) -> Mapping[str, Any]:
    """What LibreLane makes of a configuration; raises what it raises."""
    flow = import_module("librelane.flows").Flow.factory.get("Classic")
    loaded, _ = import_module("librelane.config").Config.load(
        str(config), flow.get_all_config_variables(flow), pdk="sky130A", pdk_root=str(root)
    )
    return json.loads(loaded.dumps())


def main(command: str, *paths: str) -> None:
    """Print the result as the last line."""
    result: Any = "made"
    if command == "pdk":
        make_pdk(*map(Path, paths))
    elif command == "yaml":
        result = import_module("yaml").safe_load(Path(paths[0]).read_text())
    else:
        result = load(*map(Path, paths))
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
