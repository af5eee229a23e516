"""Hands a design over to LibreLane 3: a folder that `librelane config.json` takes as it stands."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..errors import BuildError
from .handoff.config import CONFIG, PINS, RENAMED, SDC, VERILOG, make_config
from .handoff.floorplan import Floorplan, plan_die
from .handoff.netlist import prepare_netlist
from .handoff.ports import check_name, read_ports, renamed
from .handoff.texts import make_sdc, render

__all__ = ["LIBRELANE", "Handoff", "HandoffFiles", "write_handoff"]

#: The version whose variables the configuration was checked with.
LIBRELANE = "3.0.17"


@dataclass(frozen=True)
class Handoff:
    """What is handed over.

    Parameters
    ----------
    name : str
        Of the macro: a Verilog identifier.
    source : Path
        Verilog: the RTL of a build (`top.v`), or a netlist of cells.
    kind : {"rtl", "netlist"}
    area_um2 : float
        Of the design's cells. A netlist is counted again.
    period_ns : float
    top : str
        Name of the top module in `source`.
    clock, reset : str or None
        Ports; None for a design without registers.
    density : float
        Share of the core that cells are to take in the finished layout. Logic-gate networks are
        random wiring, which needs more room than other logic of the same area.
    aspect : float
        Height by width.
    io_share : float
        Share of the clock period that lies outside, before the inputs and again behind the outputs.
    liberty : Path, optional
        Describes the cells of a netlist; needed for one.
    keep : str, optional
        A regular expression that is found in the names of the cells of a netlist that must stay as
        they are, and in no name of a wire, such as `_g[0-9]+_cell$`.
    about : str
        A sentence for the read-me: what the design is.
    """

    name: str
    source: Path
    kind: Literal["rtl", "netlist"]
    area_um2: float
    period_ns: float
    top: str = "top"
    clock: str | None = "clk"
    reset: str | None = "rst"
    density: float = 0.55
    aspect: float = 1.0
    io_share: float = 0.2
    liberty: Path | None = None
    keep: str | None = None
    about: str = ""


@dataclass(frozen=True)
class HandoffFiles:
    """What was written.

    Parameters
    ----------
    folder : Path
    config : mapping of str to Any
        What `config.json` holds.
    floorplan : Floorplan
    files : mapping of str to Path
        `config`, `verilog`, `sdc`, `pins`, `readme`.
    notes : tuple of str
        Remarks for the reader of a report.
    """

    folder: Path
    config: Mapping[str, Any]
    floorplan: Floorplan
    files: Mapping[str, Path]
    notes: tuple[str, ...]


def write_handoff(folder: Path, handoff: Handoff) -> HandoffFiles:
    """Write configuration, constraints, pin order, Verilog and read-me.

    Parameters
    ----------
    folder : Path
        Made if it is not there; files of the same names are replaced.
    handoff : Handoff

    Returns
    -------
    HandoffFiles

    Raises
    ------
    BuildError
        If the name, a number, a port or a cell does not fit.
    ToolError
        If Yosys cannot read a netlist.
    """
    _check(handoff)
    folder.mkdir(parents=True, exist_ok=True)
    verilog = folder / VERILOG.format(name=handoff.name)
    mapped = handoff.kind == "netlist"
    area, cells, kept = handoff.area_um2, 0, 0
    if mapped:
        assert handoff.liberty is not None, "checked above"
        ready = prepare_netlist(
            handoff.source,
            handoff.liberty,
            verilog,
            top=handoff.top,
            name=handoff.name,
            keep=handoff.keep,
        )
        shutil.rmtree(folder / "work")
        area, cells, kept = ready.area_um2, sum(ready.cells.values()), ready.kept
    else:
        verilog.write_text(renamed(handoff.source.read_text(), handoff.top, handoff.name))
    ports = read_ports(verilog.read_text(), handoff.name)
    names = {port.name for port in ports}
    for what, port in (("clock", handoff.clock), ("reset", handoff.reset)):
        if port is not None and port not in names:
            raise BuildError(f"the {what} {port!r} is no port of {handoff.name}")
    plan = plan_die(
        ports,
        area,
        clock=handoff.clock,
        reset=handoff.reset,
        density=handoff.density,
        aspect=handoff.aspect,
    )
    config = make_config(
        name=handoff.name,
        floorplan=plan,
        period_ns=handoff.period_ns,
        clock=handoff.clock,
        mapped=mapped,
        keep=handoff.keep,
    )
    pins = sum(port.width for port in ports)
    texts = {
        CONFIG: json.dumps(config, indent=2) + "\n",
        PINS: plan.pins.file(),
        SDC: make_sdc(
            ports,
            name=handoff.name,
            period_ns=handoff.period_ns,
            clock=handoff.clock,
            reset=handoff.reset,
            io_share=handoff.io_share,
        ),
        "README.md": render(
            "README.md.jinja",
            h=handoff,
            mapped=mapped,
            plan=plan,
            area=area,
            cells=cells,
            kept=kept,
            keep=handoff.keep,
            pins=pins,
            renamed=RENAMED,
            checked=LIBRELANE,
        ),
    }
    for file, text in texts.items():
        (folder / file).write_text(text)
    notes = []
    if plan.enlarged:
        notes.append(
            f"the {pins} pins need a die of {plan.die[0]:.0f} × {plan.die[1]:.0f} µm, larger than "
            f"the cells do: they take {plan.density:.0%} of its core"
        )
    files = {"config": CONFIG, "sdc": SDC, "pins": PINS, "readme": "README.md"}
    paths = {what: folder / file for what, file in files.items()} | {"verilog": verilog}
    return HandoffFiles(folder, config, plan, paths, tuple(notes))


def _check(handoff: Handoff) -> None:
    check_name(handoff.name)
    if not handoff.source.is_file():
        raise BuildError("there is no such file", where=str(handoff.source))
    if not (math.isfinite(handoff.period_ns) and handoff.period_ns > 0):
        raise BuildError(f"the clock period is {handoff.period_ns:g} ns")
    if not 0 <= handoff.io_share < 0.5:
        raise BuildError(
            f"{handoff.io_share:g} of the period is outside on either side",
            hint="less than 0.5, so that something is left for the macro",
        )
    if handoff.kind == "netlist" and handoff.liberty is None:
        raise BuildError("a netlist needs the Liberty file of its cells")
    if handoff.kind == "rtl" and handoff.keep is not None:
        raise BuildError("only cells of a netlist can be kept; RTL has none yet")
