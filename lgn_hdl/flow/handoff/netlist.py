"""A mapped netlist made ready for place and route, and the check that it is one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...errors import BuildError
from ..netlist import count_cells, read_netlist
from ..tools import find_yosys, relative

__all__ = ["ReadyNetlist", "liberty_cells", "prepare_netlist", "unknown_cells"]

#: Constants and wires as cells: what LibreLane's own synthesis takes of sky130_fd_sc_hd.
TIE_CELL, BUFFER_CELL = "conb_1", "buf_2"

# The elaboration of LibreLane does not tie constants and does not buffer wires from port to port,
# as its synthesis would, and its checker refuses the assignments that are left then.
_SCRIPT = """\
read_liberty -lib {liberty}
read_verilog {verilog}
hierarchy -check -top {top}
flatten
setundef -zero
opt_clean -purge
hilomap -hicell {prefix}{tie} HI -locell {prefix}{tie} LO
splitnets
opt_clean -purge
insbuf -buf {prefix}{buffer} A X
opt_clean -purge
rename -top {name}
check -assert
write_verilog -noattr -noexpr -nohex -nodec {out}
write_json ready.json
"""


@dataclass(frozen=True)
class ReadyNetlist:
    """A netlist that place and route takes as it is.

    Parameters
    ----------
    path : Path
        Verilog without assignments; its top has the name of the macro.
    cells : mapping of str to int
        By type; all of the library.
    area_um2 : float
        By the Liberty file.
    kept : int
        Cells that must stay as they are.
    """

    path: Path
    cells: Mapping[str, int]
    area_um2: float
    kept: int


def prepare_netlist(
    netlist: Path, liberty: Path, out: Path, *, top: str, name: str, keep: str | None = None
) -> ReadyNetlist:
    """Make a netlist of standard cells ready for place and route.

    Constants become tie cells, wires from port to port become buffers, and the top gets the name of
    the macro. The cells of the netlist stay as they are.

    Parameters
    ----------
    netlist : Path
        Verilog of cells.
    liberty : Path
        Describes them.
    out : Path
        The Verilog file that is written. Script and log of Yosys go beside it, into `work`.
    top : str
        Name of its top module.
    name : str
        Name that the top gets.
    keep : str, optional
        A regular expression that is found in the names of the cells that must stay.

    Raises
    ------
    BuildError
        If a cell is not of the library, or none has a name to be kept.
    ToolError
        If Yosys fails.
    """
    work = out.parent / "work"
    library = liberty_cells(liberty)
    unknown = unknown_cells(netlist, liberty, top=top, workdir=work)
    if unknown:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(unknown.items())[:4])
        raise BuildError(
            f"holds what {liberty.name} does not: {kinds}",
            where=str(netlist),
            hint="map the design to the cells of this library first",
        )
    script = _SCRIPT.format(
        liberty=relative(liberty, work),
        verilog=relative(netlist, work),
        top=top,
        prefix=_prefix(library),
        tie=TIE_CELL,
        buffer=BUFFER_CELL,
        name=name,
        out=relative(out, work),
    )
    find_yosys().run(script, work, name="ready", expect=("ready.json",))
    if re.search(r"^\s*assign\b", out.read_text(), re.MULTILINE):
        raise BuildError("a wire without a cell is left", where=str(out))
    cells = count_cells(read_netlist(work / "ready.json"), name)
    left = {kind: count for kind, count in cells.items() if kind not in library}
    if left:
        raise BuildError(f"Yosys left {', '.join(left)}", where=str(out))
    area = sum(library[kind] * count for kind, count in cells.items())
    names = read_netlist(work / "ready.json")[name]["cells"]
    kept = 0 if keep is None else sum(bool(re.search(keep, cell)) for cell in names)
    if keep is not None and not kept:
        raise BuildError(
            f"no cell has a name with {keep}, so none would be kept", where=str(netlist)
        )
    return ReadyNetlist(out, dict(sorted(cells.items())), area, kept)


def unknown_cells(netlist: Path, liberty: Path, *, top: str, workdir: Path) -> Mapping[str, int]:
    """Return the cells of a netlist that a library does not have, by type.

    Yosys' own (`$…`, the unmapped ones) are among them; so is an operator that is left in an
    expression.

    Parameters
    ----------
    netlist : Path
        Verilog.
    liberty : Path
    top : str
    workdir : Path
        Gets script, log and the netlist as JSON.

    Raises
    ------
    BuildError
        If the file holds no cells at all, or not the library's kind of file.
    ToolError
        If Yosys cannot read the netlist, or has no such top.
    """
    library = liberty_cells(liberty)
    script = (
        f"read_verilog {relative(netlist, _made(workdir))}\nhierarchy -top {top}\nproc\n"
        "write_json cells.json\n"
    )
    find_yosys().run(script, workdir, name="cells", expect=("cells.json",))
    cells: Counter[str] = count_cells(read_netlist(workdir / "cells.json"), top)
    return {kind: count for kind, count in cells.items() if kind not in library}


def liberty_cells(liberty: Path) -> Mapping[str, float]:
    """Return the area of every cell that a Liberty file has, in µm².

    Raises
    ------
    BuildError
        If there is no such file, or it holds no cell.
    """
    if not liberty.is_file():
        raise BuildError("there is no such Liberty file", where=str(liberty))
    starts = r'^\s*cell\s*\(\s*"?([\w.]+)"?\s*\)'
    parts = re.split(starts, liberty.read_text(), flags=re.MULTILINE)[1:]
    areas = {}
    for kind, body in zip(parts[::2], parts[1::2], strict=True):
        area = re.search(r"^\s*area\s*:\s*([\d.eE+-]+)\s*;", body, re.MULTILINE)
        areas[kind] = float(area[1]) if area else 0.0
    if not areas:
        raise BuildError("holds no cell", where=str(liberty))
    return areas


def _prefix(library: Mapping[str, float]) -> str:
    """What the names of tie cell and buffer start with, such as `sky130_fd_sc_hd__`."""
    for kind in library:
        prefix, found, _ = kind.partition("__")
        needed = [f"{prefix}__{cell}" for cell in (TIE_CELL, BUFFER_CELL)]
        if found and all(cell in library for cell in needed):
            return f"{prefix}__"
    raise BuildError("the library has no tie cell conb_1 or no buffer buf_2 as SkyWater's have")


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
