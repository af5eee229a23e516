"""What a target is: its Yosys passes before and after mapping, its ABC script, its cells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import BuildError

__all__ = ["TARGETS", "Target", "find_target"]

# ABC scripts. Yosys' own ones stall on popcounts (`&fraig -x` for an hour, `&verify` for ever), and
# rewriting before mapping costs LUTs: counters that are emitted as cones of at most k inputs are
# found again by the mapper if nothing restructures them. `-n` keeps names. The two are the best
# of twenty scripts on the tt10 3 x 2550 network among those that take seconds.
_MAP6 = "strash; &get -n; &lf -K 6 -A 5; &put; mfs2 -a"
_MAP4 = "strash; if -K 4 -F 4 -A 6; &get -mn; &satlut -C 2000; &put; mfs2 -a"


@dataclass(frozen=True)
class Target:
    """A family of devices, or a plain LUT size.

    Parameters
    ----------
    name : str
        What the user types.
    title : str
        What the report prints.
    k : int
        Inputs of a LUT.
    before : str
        Yosys commands from RTLIL to gates; `{top}` stands for the top module. They make the cells
        of the family known first: a design may hold pads, PLLs and the like as they are.
    after : str
        Yosys commands from `$lut` cells to the cells of the family.
    cells : mapping of str to mapping of str to int
        Regular expression over cell types → what a cell of it takes: `lut`, `ff`, `carry`, `dsp`,
        `bram`. The first expression that matches the whole type counts.
    """

    name: str
    title: str
    k: int
    before: str
    after: str
    cells: Mapping[str, Mapping[str, int]] = field(repr=False)

    @property
    def abc_script(self) -> str:
        """What ABC does between reading and writing the logic."""
        return _MAP6 if self.k == 6 else _MAP4

    def takes(self, cell_type: str) -> Mapping[str, int]:
        """Return what one cell of a type takes; empty for what is free."""
        for pattern, takes in self.cells.items():
            if re.fullmatch(pattern, cell_type):
                return takes
        return {}

    def is_lut(self, cell_type: str) -> bool:
        """Whether the cell is a LUT and nothing else: one level of logic."""
        return self.takes(cell_type) == {"lut": 1}


# Every FF cell of Yosys' own; those of the families have names of their own.
_FF = {r"\$_[A-Z]*DFF[A-Z]*_.*|\$[a-z]*dff[a-z]*": {"ff": 1}}

_GENERIC = """\
hierarchy -check -top {top}
proc
flatten -noscopeinfo
opt -full
alumacc
opt
techmap
opt -fast
"""

# I/O buffers and clock buffers are left out: the design is a block of a larger one, and its ports
# may outnumber the pins. Wide multiplexers (MUXF7, PFUMX, MUX2_LUT5) are left to the vendor's
# tools. No shift registers either: the pipeline stays what it is in the Verilog.
_XILINX = """\
read_verilog -lib -specify +/xilinx/cells_sim.v
read_verilog -lib +/xilinx/cells_xtra.v
hierarchy -check -top {top}
synth_xilinx -family FAMILY -top {top} -flatten -noiopad -noclkbuf -nosrl -nowidelut \\
    -run prepare:map_luts
opt_expr -mux_undef -noclkinv
"""
_XILINX_CELLS = """\
clean
techmap -map +/xilinx/lut_map.v -map +/xilinx/cells_map.v -D LUT_WIDTH=6
xilinx_dffopt
opt_lut_ins -tech xilinx
clean
"""
_ECP5 = "synth_ecp5 -top {top} -nowidelut -run begin:map_luts\n"
_ECP5_CELLS = "clean\nsynth_ecp5 -run map_cells:check\n"
_ICE40 = "synth_ice40 -top {top} -run begin:map_luts\n"
_ICE40_CELLS = """\
ice40_wrapcarry -unwrap
techmap -map +/ice40/ff_map.v
clean
opt_lut -tech ice40
synth_ice40 -run map_cells:check
"""
_GOWIN = "synth_gowin -top {top} -noiopads -nowidelut -run begin:map_luts\nsort\n"
_GOWIN_CELLS = "clean\nsynth_gowin -noiopads -nowidelut -run map_cells:check\n"


def _generic(k: int) -> Target:
    return Target(
        f"lut{k}",
        f"{k}-input LUTs and plain flip-flops, no carry chain",
        k,
        _GENERIC,
        "opt_clean\n",
        {r"\$lut|\$_NOT_": {"lut": 1}, **_FF},
    )


def _xilinx(name: str, title: str, family: str) -> Target:
    return Target(
        name,
        title,
        6,
        _XILINX.replace("FAMILY", family),
        _XILINX_CELLS,
        {
            r"LUT[1-6]|LUT6_2|INV|SRL\w+": {"lut": 1},
            r"FD[RSCP]E(_1)?": {"ff": 1},
            r"CARRY4": {"carry": 1},
            r"DSP48\w+": {"dsp": 1},
            r"RAMB\w+|URAM\w+": {"bram": 1},
        },
    )


_ALL = (
    _generic(4),
    _generic(6),
    _xilinx("xilinx", "Xilinx 7 series (LUT6, CARRY4)", "xc7"),
    _xilinx("xcup", "Xilinx UltraScale+ (LUT6, carry counted in fours)", "xcup"),
    Target(
        "ecp5",
        "Lattice ECP5 (LUT4, CCU2C)",
        4,
        _ECP5,
        _ECP5_CELLS,
        {
            r"LUT4|INV": {"lut": 1},
            r"TRELLIS_FF": {"ff": 1},
            r"CCU2C": {"carry": 1, "lut": 2},
            r"MULT\w+|ALU54B": {"dsp": 1},
            r"DP16KD|PDPW16KD": {"bram": 1},
        },
    ),
    Target(
        "ice40",
        "Lattice iCE40 (LUT4, SB_CARRY)",
        4,
        _ICE40,
        _ICE40_CELLS,
        {
            r"SB_LUT4": {"lut": 1},
            r"SB_DFF\w*": {"ff": 1},
            r"SB_CARRY": {"carry": 1},
            r"SB_MAC16": {"dsp": 1},
            r"SB_RAM40\w+|SB_SPRAM\w+": {"bram": 1},
        },
    ),
    Target(
        "gowin",
        "Gowin GW1N and GW2A (LUT4, ALU)",
        4,
        _GOWIN,
        _GOWIN_CELLS,
        {
            r"LUT[1-4]|INV": {"lut": 1},
            r"DFF\w*": {"ff": 1},
            r"ALU": {"carry": 1, "lut": 1},
            r"MULT\w+|PADD\w+": {"dsp": 1},
            r"p?(ROM|SP|SDPB?|DPB?|rSDP)X?9?": {"bram": 1},
        },
    ),
)

TARGETS: Mapping[str, Target] = {target.name: target for target in _ALL}


def find_target(name: str) -> Target:
    """Return the target of that name.

    Raises
    ------
    BuildError
        If there is none.
    """
    if name not in TARGETS:
        raise BuildError(f"there is no target {name!r}", hint="one of " + ", ".join(TARGETS))
    return TARGETS[name]
