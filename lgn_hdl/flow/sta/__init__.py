"""Timing and power of a netlist of standard cells, by OpenSTA and the tables of its library."""

from .abc import AbcDelay, abc_delay
from .power import Power, PowerParts, netlist_power
from .timing import Timing, time_netlist
from .tool import Sta, find_sta

__all__ = [
    "AbcDelay",
    "Power",
    "PowerParts",
    "Sta",
    "Timing",
    "abc_delay",
    "find_sta",
    "netlist_power",
    "time_netlist",
]
