"""Outside tools: Yosys, ABC, nextpnr, the packers, and what they make of a design."""

from .activity import Activity, GateNetlist, gate_netlist, simulate_activity
from .bitstream import Bitstream, pack
from .board import Board, Budget
from .board_top import BoardFiles, BoardTop, board_rtlil
from .cellmodels import cell_models, with_single_wires
from .cells import CellArea, CellNetlist, map_to_cells
from .discovery import board_names, find_board
from .equivalence import Equivalence, equivalent, write_aiger
from .hierarchy import usage_by_driver
from .liberty import Cell, Liberty, gate_areas, read_liberty
from .librelane import Handoff, HandoffFiles, write_handoff
from .netlist import Resources, Usage
from .nextpnr import fit, place_and_route
from .onetoone import CellNames, area_by_layer, with_cells
from .pdk import Pdk, find_pdk
from .pll import Clock
from .pnr import FitError, Hop, PnrError, PnrResult, RouteError, TimingError, Utilisation
from .seeds import SeedRun, SeedsResult, best_of_seeds
from .sta import AbcDelay, Power, Timing, abc_delay, find_sta, netlist_power, time_netlist
from .synth import SynthResult, prove_mapping, synthesize
from .targets import TARGETS, Target, find_target
from .tinytapeout import TinyTapeoutProject, write_tinytapeout
from .tools import Yosys, find_yosys, run_script
from .verilog import clean_names, without_aliases, write_verilog
from .vivado import VivadoProject, vivado_project

__all__ = [
    "TARGETS",
    "AbcDelay",
    "Activity",
    "Bitstream",
    "Board",
    "BoardFiles",
    "BoardTop",
    "Budget",
    "Cell",
    "CellArea",
    "CellNames",
    "CellNetlist",
    "Clock",
    "Equivalence",
    "FitError",
    "GateNetlist",
    "Handoff",
    "HandoffFiles",
    "Hop",
    "Liberty",
    "Pdk",
    "PnrError",
    "PnrResult",
    "Power",
    "Resources",
    "RouteError",
    "SeedRun",
    "SeedsResult",
    "SynthResult",
    "Target",
    "Timing",
    "TimingError",
    "TinyTapeoutProject",
    "Usage",
    "Utilisation",
    "VivadoProject",
    "Yosys",
    "abc_delay",
    "area_by_layer",
    "best_of_seeds",
    "board_names",
    "board_rtlil",
    "cell_models",
    "clean_names",
    "equivalent",
    "find_board",
    "find_pdk",
    "find_sta",
    "find_target",
    "find_yosys",
    "fit",
    "gate_areas",
    "gate_netlist",
    "map_to_cells",
    "netlist_power",
    "pack",
    "place_and_route",
    "prove_mapping",
    "read_liberty",
    "run_script",
    "simulate_activity",
    "synthesize",
    "time_netlist",
    "usage_by_driver",
    "vivado_project",
    "with_cells",
    "with_single_wires",
    "without_aliases",
    "write_aiger",
    "write_handoff",
    "write_tinytapeout",
    "write_verilog",
]
