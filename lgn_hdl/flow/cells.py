"""Maps RTLIL to the standard cells of a Liberty file, for its area: no timing, no layout."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import BuildError, ToolError
from .targets import TARGETS
from .tools import find_yosys, relative

__all__ = ["CellArea", "map_to_cells"]

#: The smallest of the scripts that were tried on a random network with counters (TOOLS.md of the
#: house): restructuring, choices, and area flow with `&nf`.
_ABC = "strash; ifraig; scorr; dc2; &get -n; &st; &dch; &nf -R 1000; &put"
#: Cells of SkyWater's library for power domains and for probing, which are not for logic.
_UNUSED = ("*__lpflow_*", "*__probe*")


@dataclass(frozen=True)
class CellArea:
    """A netlist of standard cells.

    Parameters
    ----------
    area_um2 : float
        Sum of the areas of the cells, in the unit of the Liberty file: µm².
    cells : mapping of str to int
        By type.
    netlist : Path
        Verilog.
    tool : str
        The Yosys that was used.
    """

    area_um2: float
    cells: Mapping[str, int]
    netlist: Path
    tool: str

    @property
    def count(self) -> int:
        """Number of cells, flip-flops included."""
        return sum(self.cells.values())


def map_to_cells(
    rtlil: Path, liberty: Path, workdir: Path, *, top: str = "top", timeout: float | None = None
) -> CellArea:
    """Map a design to standard cells, for small area.

    Parameters
    ----------
    rtlil : Path
        The design, combinational or clocked; its flip-flops have a synchronous reset or none.
    liberty : Path
        Cells, such as `sky130_fd_sc_hd__tt_025C_1v80.lib`.
    workdir : Path
        Its folder `cells` gets script, log and netlist.
    top : str
    timeout : float, optional
        Limit in seconds.

    Raises
    ------
    BuildError
        If there is no such Liberty file.
    ToolError
        If Yosys or ABC fails, or a cell is left that the Liberty file does not have.
    """
    if not liberty.is_file():
        raise BuildError("there is no such Liberty file", where=str(liberty))
    cwd, yosys = workdir / "cells", find_yosys()
    cwd.mkdir(parents=True, exist_ok=True)
    cells = relative(liberty, cwd)
    unused = " ".join(f"-dont_use {pattern}" for pattern in _UNUSED)
    script = f"""\
read_rtlil {relative(rtlil, cwd)}
hierarchy -top {top}
{TARGETS["lut4"].before.format(top=top).rstrip()}
setattr -unset init w:*
dfflibmap -liberty {cells} {unused}
abc -liberty {cells} {unused} -script +{_ABC.replace("; ", ";").replace(" ", ",")}
opt_clean -purge
write_verilog -noattr mapped.v
tee -q -o stat.json stat -json -liberty {cells}
"""
    yosys.run(script, cwd, name="cells", expect=("mapped.v", "stat.json"), timeout=timeout)
    try:
        found = json.loads((cwd / "stat.json").read_text())["design"]
        area = float(found["area"])
        used = {name: _count(number) for name, number in found["num_cells_by_type"].items()}
    except (ValueError, KeyError, TypeError) as error:
        raise ToolError(f"is no statistics of Yosys: {error!r}", where=str(cwd)) from None
    left = sorted(name for name in used if name.startswith("$"))
    if left:
        raise ToolError(f"{left[0]} has no cell in {liberty.name}", where=str(cwd / "cells.log"))
    return CellArea(area, used, cwd / "mapped.v", str(yosys))


def _count(number: object) -> int:
    """Newer Yosys gives the area of each type beside its number."""
    return int(number["count"] if isinstance(number, Mapping) else number)  # pyright: ignore
