"""Writes a project for Vivado, which makes the bitstream where no open place and route does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BuildError
from .tools import find_yosys
from .verilog import clean_names

if TYPE_CHECKING:
    from .board import Board
    from .board_top import BoardFiles

__all__ = ["VivadoProject", "vivado_project"]

# As for `write_verilog`, but attributes stay: Amaranth marks synchronisers by them, and the script
# makes constraints of the marks.
_VERILOG = """\
read_rtlil design.il
proc -nomux -norom -noopt
write_verilog top.v
"""

_BUILD = """\
#!/bin/sh
# Makes top.bit, and top.bin for the flash, with Vivado.
set -eu
cd "$(dirname "$0")"
VIVADO="${VIVADO:-vivado}"
if ! command -v "$VIVADO" > /dev/null 2>&1; then
    echo "build.sh: there is no $VIVADO on PATH: source settings64.sh of Vivado first," \\
        "or name the program in VIVADO" >&2
    exit 127
fi
"$VIVADO" -mode batch -nojournal -log top.log -source top.tcl
if [ ! -s top.bit ]; then
    echo "build.sh: Vivado wrote no top.bit; see top.log" >&2
    exit 1
fi
echo "top.bit is ready; to load it: @PROGRAM@"
"""

_CHECK = """\
set slack [get_property -quiet SLACK [get_timing_paths -quiet]]
if {$slack ne "" && $slack < 0} {
    puts stderr "top: misses its clock of @MHZ@ MHz by [expr {-$slack}] ns, see top_timing.rpt"
    exit 1
}
quit
"""


@dataclass(frozen=True)
class VivadoProject:
    """A folder with all that Vivado needs; `build.sh` in it starts it.

    Parameters
    ----------
    folder : Path
    files : tuple of Path
        The files in it.
    """

    folder: Path
    files: tuple[Path, ...]

    @property
    def build(self) -> Path:
        """The script that makes the bitstream."""
        return self.folder / "build.sh"


def vivado_project(
    board: Board, files: BoardFiles, folder: Path, *, timeout: float | None = None
) -> VivadoProject:
    """Write a project: Verilog, constraints, the script, and a shell script that runs it.

    Parameters
    ----------
    board : Board
        Of a family that Vivado knows.
    files : BoardFiles
    folder : Path
        Made if it is not there.
    timeout : float, optional
        Limit for Yosys, which writes the Verilog, in seconds.

    Raises
    ------
    BuildError
        If the board is not one for Vivado.
    ToolError
        If Yosys refuses the design.
    """
    script = files.tcl.rstrip()
    if board.target != "xilinx" or not script.endswith("quit"):
        raise BuildError(f"Vivado knows no {board.target}", where=board.name)
    folder.mkdir(parents=True, exist_ok=True)
    rtlil = folder / "design.il"
    rtlil.write_text(clean_names(files.rtlil))
    find_yosys().run(_VERILOG, folder, name="verilog", expect=("top.v",), timeout=timeout)
    for name in ("design.il", "verilog.ys", "verilog.log"):  # of interest only if it failed
        (folder / name).unlink()
    # The bitstream is written even if it is too slow: the script has to say so.
    check = _CHECK.replace("@MHZ@", f"{files.clock.mhz:g}")
    (folder / "top.tcl").write_text(script.removesuffix("quit") + check)
    (folder / "top.xdc").write_text(files.constraints)
    build = folder / "build.sh"
    build.write_text(_BUILD.replace("@PROGRAM@", board.program.format(file="top.bit")))
    build.chmod(0o755)
    names = ("top.v", "top.xdc", "top.tcl", "build.sh")
    return VivadoProject(folder, tuple(folder / name for name in names))
