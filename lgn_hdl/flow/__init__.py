"""Outside tools: Yosys, ABC, nextpnr, the packers, and what they make of a design."""

from .bitstream import Bitstream, pack
from .board import Board, Budget
from .board_top import BoardFiles, BoardTop, board_rtlil
from .cells import CellArea, map_to_cells
from .discovery import board_names, find_board
from .equivalence import Equivalence, equivalent, write_aiger
from .hierarchy import usage_by_driver
from .netlist import Resources, Usage
from .nextpnr import fit, place_and_route
from .pll import Clock
from .pnr import FitError, Hop, PnrError, PnrResult, RouteError, TimingError, Utilisation
from .seeds import SeedRun, SeedsResult, best_of_seeds
from .synth import SynthResult, prove_mapping, synthesize
from .targets import TARGETS, Target, find_target
from .tools import Yosys, find_yosys, run_script
from .verilog import clean_names, without_aliases, write_verilog
from .vivado import VivadoProject, vivado_project

__all__ = [
    "TARGETS",
    "Bitstream",
    "Board",
    "BoardFiles",
    "BoardTop",
    "Budget",
    "CellArea",
    "Clock",
    "Equivalence",
    "FitError",
    "Hop",
    "PnrError",
    "PnrResult",
    "Resources",
    "RouteError",
    "SeedRun",
    "SeedsResult",
    "SynthResult",
    "Target",
    "TimingError",
    "Usage",
    "Utilisation",
    "VivadoProject",
    "Yosys",
    "best_of_seeds",
    "board_names",
    "board_rtlil",
    "clean_names",
    "equivalent",
    "find_board",
    "find_target",
    "find_yosys",
    "fit",
    "map_to_cells",
    "pack",
    "place_and_route",
    "prove_mapping",
    "run_script",
    "synthesize",
    "usage_by_driver",
    "vivado_project",
    "without_aliases",
    "write_aiger",
    "write_verilog",
]
