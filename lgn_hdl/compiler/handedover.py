"""The folder of a build that a layout is made from: LibreLane's, or a Tiny Tapeout project."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import BuildError
from ..flow import (
    CellNetlist,
    Handoff,
    TinyTapeoutProject,
    write_handoff,
    write_tinytapeout,
)
from ..flow.tinytapeout import TILES
from .cores import PipelinedCore
from .design import Design

__all__ = ["HandedOver", "hand_over"]

#: Share of the tiles that cells are expected to take, at most.
_TILE_DENSITY = 0.65


@dataclass(frozen=True)
class HandedOver:
    """What was written.

    Parameters
    ----------
    folder : str
        Its name.
    kind : str
        What it starts from.
    die_um : tuple of float
        Width and height of the die, or of the tiles.
    utilisation : float
        Share of it that cells are expected to take.
    notes : tuple of str
    """

    folder: str
    kind: str
    die_um: tuple[float, float]
    utilisation: float
    notes: tuple[str, ...]


def hand_over(design: Design, netlist: CellNetlist, folder: Path) -> HandedOver:
    """Write the folder that the option `handoff` names into the folder of a build.

    Raises
    ------
    BuildError
        If the name does not do, or the design does not fit Tiny Tapeout.
    """
    if design.options.handoff == "tinytapeout":
        return _tiny_tapeout(design, netlist, folder)
    options, latency = design.options, design.core.latency
    rtl = options.handoff == "rtl"
    assert netlist.liberty is not None
    files = write_handoff(
        folder / "librelane",
        Handoff(
            name=options.macro_name,
            source=folder / ("top.v" if rtl else "netlist.v"),
            kind="rtl" if rtl else "netlist",
            area_um2=netlist.area_um2,
            period_ns=1e3 / options.cells_mhz,
            clock="clk" if latency else None,
            reset="rst" if latency else None,
            liberty=None if rtl else netlist.liberty.path,
            keep="_g[0-9]+_cell$" if options.mapping == "one-to-one" and not rtl else None,
            about=f"a network of {len(design.network.nodes)} layers, made by lgn-hdl",
        ),
    )
    plan = files.floorplan
    return HandedOver("librelane", options.handoff, plan.die, plan.density, files.notes)


def _tiny_tapeout(design: Design, netlist: CellNetlist, folder: Path) -> HandedOver:
    """A project for Tiny Tapeout, whose texts its author completes."""
    options = design.options
    if not isinstance(design.core, PipelinedCore):
        raise BuildError("--handoff tinytapeout is for networks that take a sample in one clock")
    project = TinyTapeoutProject(
        name=options.macro_name,
        title="A logic-gate network",
        author="its author",
        description=f"A trained network of {len(design.network.nodes)} layers as logic gates",
        clock_hz=round(1e6 * options.cells_mhz),
    )
    files = write_tinytapeout(
        folder / "tinytapeout",
        design.core.component(),
        project,
        liberty=netlist.liberty,
        density=_TILE_DENSITY,
    )
    assert files.tiles is not None
    assert files.area_um2 is not None
    width, height = TILES[files.tiles]
    note = (
        f"It takes {files.tiles} tiles. Title, author and description in info.yaml are for you to "
        "write."
    )
    share = files.area_um2 / (width * height)
    return HandedOver("tinytapeout", "tinytapeout", (width, height), share, (note,))
