"""Power of a netlist from its Liberty file and the activity of its nets.

OpenSTA 2.0.17, the one that Debian has, takes no activity of pins inside a design (its issues 51
and 108) and counts internal energy twice. So the sums are made here, with the transition times that
it does tell. A driver pays half of C·V² for every transition of its net.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..activity.netlist import GateNetlist
from ..activity.simulate import Activity
from ..library import supply_voltage
from .energy import InternalEnergy

__all__ = ["INPUT_SLEW_NS", "Power", "PowerParts", "netlist_power"]

#: Transition time in ns of clocks and input ports, which nothing in the netlist drives, and of
#: every net where OpenSTA was not asked.
INPUT_SLEW_NS = 0.05


@dataclass(frozen=True)
class PowerParts:
    """Power by its causes, in W.

    Parameters
    ----------
    internal : float
        In the cells, beyond leakage.
    switching : float
        To charge the loads.
    leakage : float
    """

    internal: float
    switching: float
    leakage: float

    @property
    def total(self) -> float:
        """The sum, in W."""
        return self.internal + self.switching + self.leakage


@dataclass(frozen=True)
class Power:
    """Power of a netlist.

    Parameters
    ----------
    parts : PowerParts
        Of the whole.
    by_group : mapping of str to PowerParts
        `clock`: loads on the clock and its gated branches, and what clock pins and clock gates
        take; `registers`: all else of flip-flops; `logic`.
    by_block : mapping of str to PowerParts
        A clock pin's load belongs to the block of the pin.
    input_w : float
        What drives the input ports pays this to charge their loads; not part of the rest.
    frequency_hz : float
        Of the clock.
    with_glitches : bool
        Whether the activity had an estimate of glitches in it.
    """

    parts: PowerParts
    by_group: Mapping[str, PowerParts]
    by_block: Mapping[str, PowerParts]
    input_w: float
    frequency_hz: float
    with_glitches: bool

    def energy_j(self, clocks: float = 1.0) -> float:
        """Return the energy of one inference, if there is one in so many clocks, in J."""
        return self.parts.total * clocks / self.frequency_hz


def netlist_power(
    activity: Activity,
    period_ns: float,
    *,
    slews: np.ndarray | None = None,
    wire_ff: float = 0.0,
    blocks: Sequence[str] | None = None,
) -> Power:
    """Compute the power of a netlist.

    Parameters
    ----------
    activity : Activity
        With glitches, if they were estimated.
    period_ns : float
        Of the clock.
    slews : ndarray of float64, shape (nets, 2), optional
        Transition times of rising and falling edges, in s; without OpenSTA `INPUT_SLEW_NS`
        everywhere. Clocks have that in any case: a clock tree takes care of them.
    wire_ff : float
        Capacitance of the wire to each pin that a net drives, in fF.
    blocks : sequence of str, optional
        Of each instance, by default `netlist.blocks()`.
    """
    netlist, clock_nets = activity.netlist, activity.clock_nets
    toggles = activity.toggles if activity.glitching is None else activity.glitching
    wire_capacitance, frequency_hz = wire_ff * 1e-15, 1e9 / period_ns
    assumed = np.full((len(netlist.nets), 2), INPUT_SLEW_NS * 1e-9)
    slews = assumed if slews is None else slews.copy()
    slews[list(clock_nets)] = INPUT_SLEW_NS * 1e-9
    loads = netlist.loads(wire_capacitance)
    each = InternalEnergy(netlist, toggles, activity.ones, slews, loads)
    count = len(netlist.instances)
    # Energy of each instance in a clock: that of its clock pins apart.
    internal, clocked, switching, clock_loads = np.zeros((4, count))
    per_charge = 0.5 * supply_voltage(netlist.liberty) ** 2
    is_clock = np.zeros(len(netlist.nets), bool)
    is_clock[list(clock_nets)] = True
    for name, pin, members, nets in each.pins():
        electric = netlist.electric[name].pins[pin]
        energies, clock = each.energies(name, pin, members, nets), is_clock[nets]
        np.add.at(clocked, members[clock], energies[clock])
        np.add.at(internal, members[~clock], energies[~clock])
        if electric.direction == "output":
            charge = per_charge * loads[nets] * toggles[nets]
            np.add.at(switching, members[~clock], charge[~clock])
        else:
            load = electric.capacitance + wire_capacitance
            charge = per_charge * load * toggles[nets]
            np.add.at(clock_loads, members[clock], charge[clock])
    leakage = np.array([netlist.electric[i.type].leakage for i in netlist.instances])
    internal, clocked, switching, clock_loads = (
        part * frequency_hz for part in (internal, clocked, switching, clock_loads)
    )
    parts = np.array([internal + clocked, switching + clock_loads, leakage])
    kinds = [_kind(netlist, instance.type) for instance in netlist.instances]
    gates = np.array([kind == "clock" for kind in kinds])
    registers = np.array([kind == "registers" for kind in kinds])
    clock = np.array([clocked + gates * internal, clock_loads + gates * switching, gates * leakage])
    by_group = {
        "clock": _sum(clock),
        "registers": _sum(np.array([internal, switching, leakage])[:, registers]),
        "logic": _sum(np.array([internal, switching, leakage])[:, ~registers & ~gates]),
    }
    ports = [net for nets in netlist.inputs.values() for net in nets]
    data = sorted(set(ports) - clock_nets)
    input_w = float(frequency_hz * per_charge * (loads[data] @ toggles[data]))
    names = np.array(netlist.blocks() if blocks is None else blocks)
    by_block = {str(name): _sum(parts[:, names == name]) for name in np.unique(names)}
    glitches = activity.glitching is not None
    return Power(_sum(parts), by_group, by_block, input_w, frequency_hz, glitches)


def _sum(parts: np.ndarray) -> PowerParts:
    return PowerParts(*(float(part) for part in parts.sum(axis=1)))


def _kind(netlist: GateNetlist, cell_type: str) -> str:
    if netlist.electric[cell_type].gate is not None:
        return "clock"
    cell = netlist.cells.get(cell_type)
    return "registers" if cell is not None and cell.register is not None else "logic"
