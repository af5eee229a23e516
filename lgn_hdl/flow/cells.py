"""Maps RTLIL to the standard cells of a Liberty file. No timing, no layout."""

from __future__ import annotations

import re
import shutil
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ..errors import ToolError
from .adders import ADDER_CELLS, RIPPLE, SUMS
from .liberty import UNUSED, Liberty
from .netlist import Module, count_cells, read_netlist
from .tools import find_yosys, relative

__all__ = ["CLOCK_GATE", "CellArea", "CellNetlist", "map_to_cells"]

#: What ABC does. `area` is the smallest of the scripts that were tried on the gates of tt10 6 x
#: 4000, digits and mnist: restructuring, choices, and a mapper that knows XORs. `delay` has fewer
#: levels, so fewer glitches, and takes 2 to 10 % more.
_ABC = {
    "area": "strash; ifraig; scorr; dc2; dch; amap -m",
    "delay": "strash; ifraig; scorr; dc2; &get -n; &st; &dch; &nf -R 1000; &put",
}
#: Registers with one enable that are worth a clock gate.
_GATED = 4
#: Cells with a part of their own in the flow: the clock gate, and the two constants.
CLOCK_GATE = "sky130_fd_sc_hd__dlclkp_1"
_TIES = "-hicell sky130_fd_sc_hd__conb_1 HI -locell sky130_fd_sc_hd__conb_1 LO"


@dataclass(frozen=True)
class CellArea:
    """What a design or a part of it takes.

    Parameters
    ----------
    area_um2 : float
        Sum of the areas of the cells, in the unit of the Liberty file: µm².
    cells : mapping of str to int
        By type.
    """

    area_um2: float
    cells: Mapping[str, int]

    @property
    def count(self) -> int:
        """Number of cells, flip-flops included."""
        return sum(self.cells.values())


@dataclass(frozen=True)
class CellNetlist(CellArea):
    """A netlist of standard cells.

    Parameters
    ----------
    by_block : mapping of str to CellArea
        Every submodule of the top; `top` is what lies outside them. They add up to the whole.
    files : mapping of str to Path
        `verilog`, `json`, `rtlil` of the netlist, a module for each block; `flat_verilog` and
        `flat_json` with `block.` before the names instead.
    liberty : Liberty
    tool : str
        The Yosys that was used.
    seconds : float
    """

    by_block: Mapping[str, CellArea] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)
    liberty: Liberty | None = None
    tool: str = ""
    seconds: float = 0.0

    @property
    def netlist(self) -> Path:
        """Verilog."""
        return self.files["verilog"]


def map_to_cells(
    rtlil: Path,
    liberty: Liberty,
    workdir: Path,
    *,
    top: str = "top",
    mapped: Sequence[str] = (),
    aim: Literal["area", "delay"] = "area",
    clock_gating: bool = True,
    timeout: float | None = None,
) -> CellNetlist:
    """Map a design to standard cells.

    Each submodule of the top is mapped on its own and stays a module. Sums become full and half
    adder cells wherever the library has them: with the cells of sky130_fd_sc_hd a full adder takes
    20.0 µm², and the best that ABC makes of its two functions 27.5.

    Parameters
    ----------
    rtlil : Path
        The design, combinational or clocked; its flip-flops have a synchronous reset or none. It
        may hold cells of the library.
    liberty : Liberty
        Cells, such as those of `sky130_fd_sc_hd__tt_025C_1v80.lib`.
    workdir : Path
        Its folder `cells` gets script, log and netlists.
    top : str
    mapped : sequence of str
        Modules of which only the registers are left to map.
    aim : {"area", "delay"}
        Small area, or few levels.
    clock_gating : bool
        Whether registers that wait for an enable get a clock that waits, where the library has a
        cell for it; otherwise each of them has a multiplexer.
    timeout : float, optional
        Limit in seconds.

    Raises
    ------
    ToolError
        If Yosys or ABC fails, or a cell is left that the Liberty file does not have.
    """
    start, yosys = time.monotonic(), find_yosys()
    cwd = workdir / "cells"
    cwd.mkdir(parents=True, exist_ok=True)
    # Under a name without blanks, which ABC would not take.
    shutil.copyfile(liberty.path, cwd / "cells.lib")
    (cwd / "ripple.v").write_text(RIPPLE)
    (cwd / "adders.v").write_text(ADDER_CELLS)
    (cwd / "sums.v").write_text(SUMS)
    script = _script(rtlil, liberty, cwd, top, mapped, _ABC[aim], clock_gating)
    yosys.run(script, cwd, name="cells", expect=tuple(_FILES.values()), timeout=timeout)
    files = {name: cwd / file for name, file in _FILES.items()}
    modules = read_netlist(files["json"])
    blocks = _by_block(modules, top, liberty)
    whole = _area(count_cells(modules, top), liberty, cwd)
    return CellNetlist(
        whole.area_um2,
        whole.cells,
        blocks,
        files,
        liberty,
        str(yosys),
        time.monotonic() - start,
    )


_FILES = {
    "verilog": "mapped.v",
    "json": "mapped.json",
    "rtlil": "mapped.il",
    "flat_verilog": "flat.v",
    "flat_json": "flat.json",
}


def _script(
    rtlil: Path,
    liberty: Liberty,
    cwd: Path,
    top: str,
    mapped: Sequence[str],
    abc: str,
    clock_gating: bool,
) -> str:
    abc = abc.replace("; ", ";").replace(" ", ",")
    unused = " ".join(f"-dont_use {pattern}" for pattern in UNUSED)
    text = rtlil.read_text()
    blocks = _children(text, top)
    logic = [top, *(block for block in blocks if block not in mapped)]
    adders = {"sky130_fd_sc_hd__fa_1", "sky130_fd_sc_hd__ha_1"} <= liberty.cells.keys()
    # Of a comparison only the last carry counts, for which logic is smaller than adders.
    no_sums = {f"{top}_{name}" for name in ("gates", "argmax", "binarizer", "class")}
    counting = [block for block in logic if block not in no_sums]
    lines = [
        "read_liberty -lib cells.lib",
        f"read_rtlil {relative(rtlil, cwd)}",
        f"hierarchy -check -top {top}",
        "proc",
        # A block is a module, whatever it consists of.
        *(f"flatten -noscopeinfo {block}" for block in blocks),
        f"hierarchy -top {top}",
        "opt -full",
        "memory -nordff",  # which leaves registers their names
        "alumacc",
        "opt",
        "maccmap",  # sums of several numbers, to full adders and a sum of two
        *([f"techmap -map sums.v {' '.join(counting)}", "opt_expr"] if adders else []),
        *(["techmap -map adders.v"] if adders else []),
        "techmap -map +/techmap.v -map ripple.v",
        "opt -fast",
    ]
    if clock_gating and CLOCK_GATE in liberty.areas:
        lines += [f"clockgate -pos {CLOCK_GATE} GATE:CLK:GCLK -min_net_size {_GATED}"]
    lines += [
        "setattr -unset init w:*",
        f"dfflibmap -liberty cells.lib {unused}",
        "techmap",  # what is left of multiplexers around flip-flops
        "opt -fast",
        # ABC gets the gates without the flip-flops, or Yosys would cut the logic into pieces.
        f"select -set logic {' '.join(logic)}",
        f"abc -liberty cells.lib {unused} -script +{abc} @logic",
        f"hilomap {_TIES}",
        "opt_clean",
        "setattr -unset src *",
        "rename -enumerate -pattern _%_ *",
        *(f"write_{kind} {file}" for kind, file in _WRITTEN),
        "flatten -noscopeinfo",
        "opt_clean",
        "write_verilog -noattr flat.v",
        "write_json flat.json",
    ]
    return "\n".join(lines) + "\n"


_WRITTEN = (("verilog", "mapped.v"), ("rtlil", "mapped.il"), ("json", "mapped.json"))


def _children(text: str, top: str) -> tuple[str, ...]:
    """The modules that the top instantiates."""
    match = re.search(rf"^module \\{re.escape(top)}$(.*?)^end$", text, re.MULTILINE | re.DOTALL)
    modules = set(re.findall(r"^module \\(\S+)$", text, re.MULTILINE))
    names = re.findall(r"^  cell \\(\S+) ", match[1], re.MULTILINE) if match else []
    return tuple(dict.fromkeys(name for name in names if name in modules))


def _by_block(modules: Mapping[str, Module], top: str, liberty: Liberty) -> dict[str, CellArea]:
    blocks, inside = {}, Counter()
    for name, cell in modules[top]["cells"].items():
        if cell["type"] in modules:
            counted = count_cells(modules, cell["type"])
            inside.update(counted)
            blocks[name] = _area(counted, liberty)
    rest = count_cells(modules, top) - inside
    return blocks | ({"top": _area(rest, liberty)} if rest else {})


def _area(cells: Mapping[str, int], liberty: Liberty, where: Path | None = None) -> CellArea:
    left = sorted(cells.keys() - liberty.areas.keys())
    if left:
        raise ToolError(f"{left[0]} has no cell in {liberty.path.name}", where=str(where or ""))
    total = sum(liberty.areas[name] * number for name, number in sorted(cells.items()))
    return CellArea(round(total, 4), dict(sorted(cells.items())))
