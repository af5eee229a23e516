"""Maps RTLIL to a target with Yosys and ABC, and counts what it takes."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import BuildError
from .equivalence import Equivalence, equivalent
from .netlist import Resources, count_cells, logic_depth, read_netlist, sum_cells, usage_by_block
from .targets import Target, find_target
from .tools import Yosys, find_yosys, relative

__all__ = ["BY_BLOCK_NOTE", "SynthResult", "prove_mapping", "synthesize"]

BY_BLOCK_NOTE = (
    "each block was mapped on its own, so their sum differs from the total, which was mapped whole"
)

_WRITE = """\
opt_clean
blackbox =A:whitebox
write_rtlil mapped.il
write_verilog -noattr mapped.v
write_json mapped.json
"""

#: What ABC was given and what it made of it: the part of the design between registers and carries.
_SOURCE, _MAPPED = "core.aig", "core.blif"


@dataclass(frozen=True)
class SynthResult:
    """A mapped design.

    Parameters
    ----------
    target : Target
    resources : Resources
    depth : int
        LUTs on the longest path between registers and ports; carry cells count nothing.
    files : mapping of str to Path
        `verilog`, `rtlil`, `json` and, for plain LUT targets, `blif` of the mapped netlist;
        `core_source` (AIGER) and `core_mapped` (BLIF), the logic before and after ABC.
    tool : str
        Name and version of the Yosys that was used.
    seconds : float
    script : str
        The Yosys commands, those for ABC among them.
    by_block_note : str
        How `resources.by_block` came about; empty if it is.
    """

    target: Target
    resources: Resources
    depth: int
    files: Mapping[str, Path]
    tool: str
    seconds: float
    script: str
    by_block_note: str = ""

    @property
    def generic_luts(self) -> Path | None:
        """RTLIL of the netlist if it is made of plain LUTs and flip-flops, not of a family's."""
        return self.files["rtlil"] if _is_generic(self.target) else None


def synthesize(
    rtlil: Path,
    target: Target | str,
    workdir: Path,
    *,
    top: str = "top",
    by_block: bool = True,
    timeout: float | None = None,
) -> SynthResult:
    """Map a design.

    Parameters
    ----------
    rtlil : Path
        The design, as `amaranth.back.rtlil.convert` makes it; combinational or clocked.
    target : Target or str
        One of `TARGETS`, or its name.
    workdir : Path
        Its folder `synth` gets scripts, logs and netlists.
    top : str
        Name of the top module.
    by_block : bool
        Map a second time with the submodules of the top kept apart, to tell what each takes.
    timeout : float, optional
        Limit for each of the two runs in seconds.

    Raises
    ------
    BuildError
        If there is no such target or no such top module.
    ToolError
        If Yosys or ABC fails.
    """
    target = find_target(target) if isinstance(target, str) else target
    yosys = find_yosys()
    start = time.monotonic()
    children = _children(rtlil, top)
    cwd = workdir / "synth"
    script = _run(yosys, rtlil, target, cwd, top, (), timeout)
    modules = read_netlist(cwd / "mapped.json")
    total = sum_cells(count_cells(modules, top), target)
    depth = logic_depth(modules[top], target)
    files = {
        "verilog": cwd / "mapped.v",
        "rtlil": cwd / "mapped.il",
        "json": cwd / "mapped.json",
        "core_source": cwd / _SOURCE,
        "core_mapped": cwd / _MAPPED,
    }
    if _is_generic(target):
        files["blif"] = cwd / "mapped.blif"
    blocks = {}
    if by_block and children:
        folder = cwd / "by_block"
        _run(yosys, rtlil, target, folder, top, children, timeout)
        blocks = usage_by_block(read_netlist(folder / "mapped.json"), top, target)
    return SynthResult(
        target,
        replace(total, by_block=blocks),
        depth,
        {name: path for name, path in files.items() if path.exists()},
        str(yosys),
        time.monotonic() - start,
        script,
        BY_BLOCK_NOTE if blocks else "",
    )


def prove_mapping(result: SynthResult, timeout: float | None = None) -> Equivalence:
    """Prove that ABC's LUTs compute what ABC was given: all the logic between the registers.

    Raises
    ------
    BuildError
        If there was no logic to map.
    """
    if "core_mapped" not in result.files:
        raise BuildError("nothing was mapped, so there is nothing to prove")
    return equivalent(result.files["core_source"], result.files["core_mapped"], timeout)


def _run(
    yosys: Yosys,
    rtlil: Path,
    target: Target,
    cwd: Path,
    top: str,
    apart: tuple[str, ...],
    timeout: float | None,
) -> str:
    """Run the flow with the modules `apart` left unflattened; return the script."""
    cwd.mkdir(parents=True, exist_ok=True)
    abc = target.abc_script
    if not apart:
        for file in (_SOURCE, _MAPPED):
            (cwd / file).unlink(missing_ok=True)
        abc = f"strash; write_aiger -s {_SOURCE}; {abc}; write_blif {_MAPPED}"
    script = [f"read_rtlil {relative(rtlil, cwd)}", f"hierarchy -top {top}"]
    if apart:
        script.append("setattr -mod -set keep_hierarchy 1 " + " ".join(apart))
    script.append(target.before.format(top=top).rstrip())
    # ABC is given the gates without the flip-flops: with them, Yosys cuts the logic into one piece
    # per clock enable and reset.
    # The commands stand in the line, where commas are blanks: as a file they would have a path,
    # and ABC takes none with blanks.
    line = abc.replace("; ", ";").replace(" ", ",")
    script.append(f"abc -lut {target.k} -script +{line} t:* t:$_*FF*_ %d")
    script.append(target.after.rstrip())
    script.append(_WRITE.rstrip())
    if _is_generic(target):
        script.append("write_blif mapped.blif")
    text = "\n".join(script) + "\n"
    yosys.run(text, cwd, name="synth", expect=("mapped.json", "mapped.v"), timeout=timeout)
    return text


def _is_generic(target: Target) -> bool:
    return "$lut" in "".join(target.cells)


def _children(rtlil: Path, top: str) -> tuple[str, ...]:
    """Return the modules that the top instantiates."""
    text = rtlil.read_text()
    match = re.search(rf"^module \\{re.escape(top)}$(.*?)^end$", text, re.MULTILINE | re.DOTALL)
    if match is None:
        raise BuildError(f"there is no module {top!r}", where=str(rtlil))
    names = re.findall(r"^  cell \\(\S+) ", match[1], re.MULTILINE)
    return tuple(dict.fromkeys(names))
