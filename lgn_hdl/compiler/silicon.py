"""A design as standard cells: the netlist, its proof, its timing and its power."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import BuildError
from ..flow import (
    AbcDelay,
    Activity,
    CellNetlist,
    Liberty,
    Pdk,
    Power,
    Timing,
    abc_delay,
    cell_models,
    clean_names,
    find_pdk,
    find_sta,
    gate_areas,
    gate_netlist,
    map_to_cells,
    netlist_power,
    read_liberty,
    simulate_activity,
    time_netlist,
    with_cells,
)
from ..flow.activity.stream import Stream
from ..flow.netlist import read_netlist
from ..hdl import to_rtlil
from ..logic.lower import lower
from ..network.partition import front_of
from ..proof import Claim, prove_cells
from .cores import PipelinedCore
from .design import Design
from .front import FrontedCore
from .gatecells import LayerCells, cell_names, one_to_one_layers
from .handedover import HandedOver, hand_over
from .sparse import SparseCore
from .stimulus import FIXED_PORTS, repeated, stimulus
from .vectors import Expected

__all__ = ["CELL_MODELS", "OnSilicon", "put_on_silicon"]

#: Verilog of the cells, for `sim --gates`.
CELL_MODELS = "cells.v"
#: Clocks with which glitches are estimated.
GLITCH_CLOCKS = 256
#: A solver is given up, and the report says so, after this long.
PROOF_SECONDS = 600


@dataclass(frozen=True)
class OnSilicon:
    """What was made.

    Parameters
    ----------
    pdk : Pdk
    netlist : CellNetlist
    layers : list of LayerCells
        One to one, whatever the netlist is; empty if a gate has no cell of its own.
    estimate_um2 : float
        Trained gates times the mean area of the sixteen functions.
    claim : Claim
        That the netlist does what the RTL does.
    activity : Activity
    timing : Timing or AbcDelay
        The latter, of the logic alone, without OpenSTA.
    power : Power
    samples : str
        Whose activity it is.
    handoff : HandedOver or None
    """

    pdk: Pdk
    netlist: CellNetlist
    layers: list[LayerCells]
    estimate_um2: float
    claim: Claim
    activity: Activity
    timing: Timing | AbcDelay
    power: Power
    samples: str
    handoff: HandedOver | None


def put_on_silicon(
    design: Design,
    rtl: Path,
    folder: Path,
    workdir: Path,
    samples: Expected,
    step: Callable[[str], None],
) -> OnSilicon:
    """Map a design to the cells of a PDK, prove, time and weigh it; write its files.

    Parameters
    ----------
    design : Design
    rtl : Path
        Its RTLIL.
    folder : Path
        Gets the netlist, the models of its cells, and the folder for LibreLane.
    workdir : Path
    samples : Expected
        For the activity of the nets.
    step : callable
        Told the name of each step before it starts.
    """
    options = design.options
    step("cells")
    pdk = find_pdk(options.pdk_root)
    liberty = read_liberty(pdk.liberty)
    source, mapped = _source(design, liberty, workdir)
    aim = "delay" if options.mapping == "delay" else "area"
    netlist = map_to_cells(source, liberty, workdir, mapped=mapped, aim=aim)
    shutil.copyfile(netlist.netlist, folder / "netlist.v")
    shutil.copyfile(cell_models(netlist), folder / CELL_MODELS)
    step("proof of the cells")
    claim = prove_cells(
        rtl, netlist.files["flat_json"], liberty, workdir / "proof", timeout=PROOF_SECONDS
    )
    activity, timing, power = _weighed(design, netlist, samples, workdir, step)
    handoff = None
    if options.handoff != "none":
        step("hand-off")
        handoff = hand_over(design, netlist, folder)
    logic = None if isinstance(design.core, SparseCore) else front_of(design.network)[1]
    layers = [] if logic is None else one_to_one_layers(logic, liberty)
    trained = 0 if logic is None else lower(logic).num_gates
    estimate = trained * float(np.mean(gate_areas(liberty)))
    return OnSilicon(
        pdk, netlist, layers, estimate, claim, activity, timing, power, samples.source, handoff
    )


def _source(design: Design, liberty: Liberty, workdir: Path) -> tuple[Path, tuple[str, ...]]:
    """RTLIL for the mapping, its sums made of adders, and the modules that hold cells already."""
    text = clean_names(to_rtlil(design.core.component(), adder_cells=True))
    mapped: tuple[str, ...] = ()
    if design.options.mapping == "one-to-one":
        core = design.core.core if isinstance(design.core, FrontedCore) else design.core
        if not isinstance(core, PipelinedCore):
            raise BuildError("--mapping one-to-one is for logic-gate networks that take no turns")
        names = cell_names(front_of(design.network)[1])
        text = with_cells(text, core.program, core.pipeline, names, liberty)
        mapped = ("top_gates",)
    path = workdir / "cells.il"
    path.write_text(text)
    return path, mapped


def _weighed(
    design: Design,
    netlist: CellNetlist,
    samples: Expected,
    workdir: Path,
    step: Callable[[str], None],
) -> tuple[Activity, Timing | AbcDelay, Power]:
    """Activity of the nets on the samples, timing and power."""
    options = design.options
    assert netlist.liberty is not None
    cells = gate_netlist(read_netlist(netlist.files["flat_json"]), "top", netlist.liberty)
    step("activity")
    ports = {name: bits for name, bits in stimulus(design, samples).items() if name in cells.inputs}
    # Few samples would not fill the registers.
    ports = repeated(ports, 2 * Stream(cells, ports).depth + 2)
    activity = simulate_activity(cells, ports, glitch_clocks=GLITCH_CLOCKS)
    step("timing")
    period = 1e3 / options.cells_mhz
    if find_sta() is None:
        power = netlist_power(activity, period_ns=period, wire_ff=options.wire_ff)
        return activity, abc_delay(cells, workdir), power
    constants = {name: value for name, value in FIXED_PORTS.items() if name in cells.inputs}
    timing = time_netlist(
        cells,
        clock_port="clk" if "clk" in cells.inputs else None,
        period_ns=period,
        workdir=workdir,
        constants=constants,
        activity=activity,
        wire_ff=options.wire_ff,
    )
    assert timing.power is not None, "there is an activity"
    return activity, timing, timing.power
