"""The configuration of LibreLane 3: every key is a variable that its flow `Classic` declares."""

from __future__ import annotations

from typing import Any

from .floorplan import Floorplan

__all__ = ["CONFIG", "PINS", "RENAMED", "SDC", "VERILOG", "make_config"]

#: Names of the files in the folder.
CONFIG, PINS, SDC, VERILOG = "config.json", "pins.cfg", "constraints.sdc", "{name}.v"

#: Keys of this configuration that OpenLane 2 knows under other names.
RENAMED = {
    "IO_PIN_ORDER_CFG": "FP_PIN_ORDER_CFG",
    "PDN_MULTILAYER": "FP_PDN_MULTILAYER",
    "PDN_CORE_RING": "FP_PDN_CORE_RING",
    "PDN_VPITCH": "FP_PDN_VPITCH",
    "PDN_VOFFSET": "FP_PDN_VOFFSET",
}


def make_config(
    *,
    name: str,
    floorplan: Floorplan,
    period_ns: float,
    clock: str | None,
    mapped: bool,
    keep: str | None,
) -> dict[str, Any]:
    """Return the configuration, in the order in which a person reads it.

    Parameters
    ----------
    name : str
        Of the macro.
    floorplan : Floorplan
    period_ns : float
    clock : str or None
    mapped : bool
        Whether the Verilog is a netlist of cells, which LibreLane shall not map again.
    keep : str or None
        A regular expression of the names of cells that must stay as they are.
    """
    config: dict[str, Any] = {
        # Version 2 is the strict one: types are checked, unknown keys are errors.
        "meta": {"version": 2, "flow": "Classic"},
        "PDK": "sky130A",
        "STD_CELL_LIBRARY": "sky130_fd_sc_hd",
        "DESIGN_NAME": name,
        "VERILOG_FILES": ["dir::" + VERILOG.format(name=name)],
        "CLOCK_PORT": clock,
        "CLOCK_PERIOD": period_ns,
        "PNR_SDC_FILE": f"dir::{SDC}",
        "SIGNOFF_SDC_FILE": f"dir::{SDC}",
    }
    if mapped:
        # Elaboration reads the cells, keeps every one and maps nothing. There is nothing in them
        # that the linter is for.
        config |= {"SYNTH_ELABORATE_ONLY": True, "RUN_LINTER": False}
    if keep is not None:
        config["RSZ_DONT_TOUCH_RX"] = keep
    if clock is None:
        config["RUN_CTS"] = False
    return config | {
        # The die is given and not left to LibreLane, since its edges have to hold the pins.
        "FP_SIZING": "absolute",
        "DIE_AREA": floorplan.die_area,
        "CORE_AREA": floorplan.core_area,
        "PL_TARGET_DENSITY_PCT": floorplan.target_density_pct,
        "IO_PIN_ORDER_CFG": f"dir::{PINS}",
        "ERRORS_ON_UNMATCHED_IO": "both",
        # A macro leaves met5 to the chip: its power pins are straps on met4, which the straps of
        # the chip cross.
        "RT_MAX_LAYER": "met4",
        "PDN_MULTILAYER": False,
        "PDN_CORE_RING": False,
        "PDN_VPITCH": floorplan.strap_pitch,
        "PDN_VOFFSET": floorplan.strap_offset,
    }
