"""Outside tools: Yosys, ABC, and what they make of a design."""

from .equivalence import Equivalence, equivalent, write_aiger
from .netlist import Resources, Usage
from .synth import SynthResult, prove_mapping, synthesize
from .targets import TARGETS, Target, find_target
from .tools import Yosys, find_yosys, run_script
from .verilog import clean_names, without_aliases, write_verilog

__all__ = [
    "TARGETS",
    "Equivalence",
    "Resources",
    "SynthResult",
    "Target",
    "Usage",
    "Yosys",
    "clean_names",
    "equivalent",
    "find_target",
    "find_yosys",
    "prove_mapping",
    "run_script",
    "synthesize",
    "without_aliases",
    "write_aiger",
    "write_verilog",
]
