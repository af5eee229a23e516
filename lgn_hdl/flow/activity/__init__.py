"""What the nets of a netlist of standard cells do on real samples."""

from .netlist import GateNetlist, gate_netlist
from .simulate import Activity, simulate_activity

__all__ = ["Activity", "GateNetlist", "gate_netlist", "simulate_activity"]
