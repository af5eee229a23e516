"""Spreads a large network over an ECP5: wires are what it runs out of, not LUTs.

A logic-gate network is wired at random, so the wires that leave a region grow with the number of
its LUTs rather than with its rim. nextpnr packs what it places: it fills all eight LUTs of a tile
as long as the neighbours are free, which is right for other logic. Of 13,250 LUTs on a device of
83,640, half of the tiles it took were full, most of the device was empty, and no router found a
way. nextpnr's options have no say in that on ECP5. What it does respect is a place that is taken:
so most LUTs of every tile are given to cells that have no wires, and the placer spreads the
network by itself, with all it knows of wire lengths.

Those cells are gone again before the router starts (`release`): the layout, the report and the
bitstream are those of the design alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Spread", "Tiles", "release", "spread_netlist", "tiles_of", "worthwhile"]

#: From how many LUTs on it is worthwhile. Smaller networks find their way, and are faster packed.
LARGE = 6000
#: How many LUTs of a tile are left free at least, and how full they may be over the device.
PER_TILE, FULL = 2.0, 0.65
#: With more free LUTs in a tile than that, there is nothing to be gained.
MOST_PER_TILE = 5.0
#: The LUTs of a tile, in the order in which they are left free: slice by slice.
LUTS = ("A.K0", "C.K0", "B.K0", "D.K0", "A.K1", "C.K1", "B.K1", "D.K1")
#: Cells that take several LUTs of a tile, side by side, but are no carry chains.
_TAKEN = "$taken$"
_WIDE = ("TRELLIS_DPR16X4", "DPR16X4C", "PFUMX", "L6MUX21")


@dataclass(frozen=True)
class Tiles:
    """Where a device has tiles of eight LUTs: in every one of these columns and rows."""

    columns: range
    rows: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.columns) * len(self.rows)


@dataclass(frozen=True)
class Spread:
    """A netlist that nextpnr spreads.

    Parameters
    ----------
    netlist : Path
        The same design, with the cells that take places.
    per_tile : float
        LUTs of a tile that are left free, on the average.
    taken : int
        How many cells were added.
    """

    netlist: Path
    per_tile: float
    taken: int


def _rows(end: int, without: Sequence[int]) -> tuple[int, ...]:
    return tuple(row for row in range(2, end) if row not in without)


_TILES = {
    "25": Tiles(range(2, 71), _rows(49, (13, 25, 37))),
    "45": Tiles(range(2, 89), _rows(70, (10, 22, 34, 46, 58))),
    "85": Tiles(range(2, 125), _rows(94, (10, 22, 34, 46, 58, 70, 82))),
}
_TILES["12"] = _TILES["25"]  # the same die


def tiles_of(options: Sequence[str]) -> Tiles | None:
    """Return the tiles of the device that nextpnr's options name; None if it is not known."""
    for option in options:
        if found := re.fullmatch(r"--(?:um5?g?-)?(\d+)k", option):
            return _TILES.get(found[1])
    return None


def worthwhile(luts: int, tiles: Tiles) -> bool:
    """Whether a design of so many LUTs is better spread: large, and the device much larger."""
    return luts >= LARGE and _per_tile(luts, tiles) <= MOST_PER_TILE


def _per_tile(luts: int, tiles: Tiles) -> float:
    return max(PER_TILE, luts / (FULL * tiles.count))


def spread_netlist(netlist: Path, tiles: Tiles, path: Path) -> Spread:
    """Write a netlist in which most LUTs of every tile are taken.

    Parameters
    ----------
    netlist : Path
        As Yosys writes it for ECP5, with one top module.
    tiles : Tiles
        Those of the device.
    path : Path
        The file to write.
    """
    design = json.loads(netlist.read_text())
    cells: dict[str, Any] = _top(design)["cells"]
    chains = _chains(cells)
    luts = sum({"LUT4": 1, "CCU2C": 2}.get(cell["type"], 0) for cell in cells.values())
    per_tile = _per_tile(luts, tiles)
    whole = _strips(chains, tiles)
    taken = {
        f"{_TAKEN}X{x}Y{y}{lut}": _holder(f"X{x}/Y{y}/SLICE{lut}")
        for x, y, free in _free(tiles, per_tile)
        if (x, y) not in whole
        for lut in LUTS[free:]
    }
    cells.update(taken)
    path.write_text(json.dumps(design))
    return Spread(path, per_tile, len(taken))


def release(placed: Path, path: Path) -> None:
    """Write a placed design without the cells that took places.

    Parameters
    ----------
    placed : Path
        As nextpnr writes it.
    path : Path
        The file to write.
    """
    design = json.loads(placed.read_text())
    top = _top(design)
    top["cells"] = {
        name: cell for name, cell in top["cells"].items() if not name.startswith(_TAKEN)
    }
    # nextpnr takes a cell that it reads as placed for a plain LUT: the router would swap the inputs
    # of carry cells. One that it places itself, even where it must, is known for what it is.
    for cell in top["cells"].values():
        attributes = cell["attributes"]
        attributes.pop("BEL_STRENGTH", None)
        if "NEXTPNR_BEL" in attributes:
            attributes["BEL"] = attributes.pop("NEXTPNR_BEL")
    # These would win over the options of the run that reads the file.
    for setting in ("router", "timing_driven"):
        top["settings"].pop(setting, None)
    path.write_text(json.dumps(design))


def _top(design: Mapping[str, Any]) -> dict[str, Any]:
    (top,) = (module for module in design["modules"].values() if "top" in module["attributes"])
    return top


def _free(tiles: Tiles, per_tile: float) -> Iterator[tuple[int, int, int]]:
    """Every tile and how many of its LUTs are left free, as even as whole numbers can be."""
    number = 0
    for x in tiles.columns:
        for y in tiles.rows:
            yield x, y, int((number + 1) * per_tile) - int(number * per_tile)
            number += 1


def _holder(bel: str) -> Mapping[str, Any]:
    """A LUT that has no wires and stays where it is."""
    directions = {"A": "input", "B": "input", "C": "input", "D": "input", "Z": "output"}
    return {
        "hide_name": 1,
        "type": "LUT4",
        "parameters": {"INIT": "0" * 16},
        "attributes": {"BEL": bel},
        "port_directions": directions,
        "connections": {},
    }


def _chains(cells: Mapping[str, Any]) -> list[int]:
    """How many tiles each carry chain takes, which need all their LUTs, in one row."""
    carries = [cell["connections"] for cell in cells.values() if cell["type"] == "CCU2C"]
    after = {tuple(ports["CIN"]): ports for ports in carries}
    ends = {tuple(ports["COUT"]) for ports in carries}
    lengths = [1 for cell in cells.values() if cell["type"] in _WIDE]
    for ports in carries:
        if tuple(ports["CIN"]) in ends and ports["CIN"]:
            continue  # not the first one
        # nextpnr adds one at an end where the carry comes from or goes to something else.
        length, here = 3, ports
        while here["COUT"] and (here := after.get(tuple(here["COUT"]))) is not None:
            length += 1
        lengths.append(-(-length // 4))
    return lengths


def _strips(chains: Sequence[int], tiles: Tiles) -> set[tuple[int, int]]:
    """Tiles that are left as they are, for twice the chains there are: short rows, far apart."""
    if not chains:
        return set()
    width = min(max(chains), len(tiles.columns))
    count = 2 * len(chains)
    across = max(1, min(len(tiles.columns) // width, round((count * 1.5) ** 0.5)))
    down = min(-(-count // across), len(tiles.rows))
    return {
        (tiles.columns[column * len(tiles.columns) // across + step], tiles.rows[row])
        for column in range(across)
        for row in range(len(tiles.rows) // (2 * down), len(tiles.rows), len(tiles.rows) // down)
        for step in range(width)
    }
