"""A folder that LibreLane 3 makes a layout of."""

from .config import make_config
from .floorplan import Floorplan, plan_die
from .netlist import ReadyNetlist, prepare_netlist, unknown_cells
from .pins import Pins, assign_pins
from .ports import Port, read_ports, renamed
from .texts import make_sdc

__all__ = [
    "Floorplan",
    "Pins",
    "Port",
    "ReadyNetlist",
    "assign_pins",
    "make_config",
    "make_sdc",
    "plan_die",
    "prepare_netlist",
    "read_ports",
    "renamed",
    "unknown_cells",
]
