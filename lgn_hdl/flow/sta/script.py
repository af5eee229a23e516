"""What OpenSTA is given: a netlist with plain names, the cells in use, constraints, questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ...errors import BuildError
from ..activity.netlist import GateNetlist
from ..library import trimmed
from .power import INPUT_SLEW_NS

__all__ = ["CLOCK", "sta_names", "write_cells", "write_script"]

CLOCK = "lgn_hdl_clock"
#: Properties of a pin have other names in newer versions.
_PROPERTIES = (
    ("actual_rise_transition_max", "actual_fall_transition_max"),
    ("actual_max_rise_slew", "actual_max_fall_slew"),
    ("actual_rise_slew", "actual_fall_slew"),
)


def sta_names(netlist: GateNetlist) -> tuple[list[str], list[str]]:
    """Names of nets and of instances in the netlist that OpenSTA reads.

    They need no escapes, which programs treat in different ways.
    """
    nets = ["1'b0", "1'b1", *(f"n{number}" for number in range(2, len(netlist.nets)))]
    return nets, [f"c{number}" for number in range(len(netlist.instances))]


def write_cells(netlist: GateNetlist, folder: Path, wire_capacitance: float) -> None:
    """Write `sta.v` and `sta.lib`.

    Raises
    ------
    BuildError
        If no cell is there.
    """
    if not netlist.instances:
        raise BuildError("has no cell", where=netlist.top)
    nets, names = sta_names(netlist)
    inputs, outputs = _ports(netlist)
    ports = ", ".join(nets[net] for net in (*inputs, *outputs))
    lines = [f"module top({ports});"]
    lines += [f"input {nets[net]};" for net in inputs]
    lines += [f"output {nets[net]};" for net in outputs]
    lines += [f"wire {net};" for net in nets[2:]]
    for name, instance in zip(names, netlist.instances, strict=True):
        pins = ", ".join(f".{pin}({nets[net]})" for pin, net in instance.pins.items())
        lines.append(f"{instance.type} {name} ({pins});")
    (folder / "sta.v").write_text("\n".join([*lines, "endmodule"]) + "\n")
    text = trimmed(netlist.liberty, netlist.electric, wire_capacitance)
    (folder / "sta.lib").write_text(text)


def write_script(
    netlist: GateNetlist,
    folder: Path,
    *,
    clock: int | None,
    period_ns: float,
    constants: Mapping[int, int],
    activity: tuple[np.ndarray, np.ndarray] | None,
) -> None:
    """Write `sta.tcl`, which leaves `setup.txt`, `hold.txt`, `slews.txt`, and perhaps `power.txt`.

    Parameters
    ----------
    netlist : GateNetlist
    folder : Path
    clock : int or None
        Net of the clock port; None: there are no registers.
    period_ns : float
    constants : mapping of int to int
        Nets of ports that are 0 or 1.
    activity : tuple of ndarray, optional
        Toggles in a clock and probability of 1 of every net, for a version that takes them.
    """
    nets, _ = sta_names(netlist)
    inputs, outputs = _ports(netlist)
    at = "" if clock is None else f" [get_ports {nets[clock]}]"
    data = [net for net in inputs if net != clock]
    lines = [
        "read_liberty sta.lib",
        "read_verilog sta.v",
        "link_design top",
        f"create_clock -name {CLOCK} -period {period_ns:g}{at}",
    ]
    if clock is not None:
        lines.append(f"set_clock_transition {INPUT_SLEW_NS} [get_clocks {CLOCK}]")
    if data:
        ports = _get("ports", [nets[net] for net in data])
        lines += [
            f"set_input_delay 0 -clock {CLOCK} {ports}",
            f"set_input_transition {INPUT_SLEW_NS} {ports}",
            # What comes from outside at the very edge says nothing about hold times inside.
            f"set_false_path -hold -from {ports}",
        ]
    if outputs:
        ports = _get("ports", [nets[net] for net in outputs])
        lines += [
            f"set_output_delay 0 -clock {CLOCK} {ports}",
            f"set_false_path -hold -to {ports}",
        ]
    lines += [
        f"set_case_analysis {value} [get_ports {nets[net]}]" for net, value in constants.items()
    ]
    form = "-format full -digits 6"
    lines += [
        f"report_checks -path_delay max {form} > setup.txt",
        f"report_checks -path_delay min {form} > hold.txt",
    ]
    (folder / "drivers.txt").write_text("\n".join(_driver_pins(netlist)) + "\n")
    lines.append(_SLEWS.replace("PROPERTIES", " ".join(f"{{{a} {b}}}" for a, b in _PROPERTIES)))
    if activity is not None:
        (folder / "activity.txt").write_text(_activity(netlist, nets, data, *activity))
        lines.append(_POWER)
    (folder / "sta.tcl").write_text("\n".join([*lines, "exit", ""]))


_SLEWS = """\
set chosen {}
set in [open drivers.txt]
set out [open slews.txt w]
while {[gets $in name] >= 0} {
  set pin [get_pins $name]
  if {$chosen == {}} {
    foreach pair {PROPERTIES} {
      if {![catch {get_property $pin [lindex $pair 0]} message]} { set chosen $pair; break }
    }
  }
  puts $out "[get_property $pin [lindex $chosen 0]] [get_property $pin [lindex $chosen 1]]"
}
close $in
close $out
"""

_POWER = """\
set in [open activity.txt]
while {[gets $in line] >= 0} {
  lassign $line kind name toggles ones
  if {$kind == "port"} {
    set_power_activity -input_ports [get_ports $name] -activity $toggles -duty $ones
  } else {
    set_power_activity -pins [get_pins $name] -activity $toggles -duty $ones
  }
}
close $in
report_power -digits 8 > power.txt
"""


def _ports(netlist: GateNetlist) -> tuple[list[int], list[int]]:
    """Nets of the input ports, and of the output ports that something inside drives."""
    inputs = list(dict.fromkeys(net for nets in netlist.inputs.values() for net in nets))
    drivers = netlist.drivers()
    outputs = dict.fromkeys(net for nets in netlist.outputs.values() for net in nets)
    return inputs, [net for net in outputs if drivers[net] >= 0]


def _driver_pins(netlist: GateNetlist) -> list[str]:
    """Output pins, by instance and then by pin."""
    return [
        f"c{number}/{pin}"
        for number, instance in enumerate(netlist.instances)
        for pin in instance.pins
        if netlist.electric[instance.type].pins[pin].direction == "output"
    ]


def _activity(
    netlist: GateNetlist,
    nets: Sequence[str],
    inputs: Sequence[int],
    toggles: np.ndarray,
    ones: np.ndarray,
) -> str:
    lines = [f"port {nets[net]} {toggles[net]:.9g} {ones[net]:.9g}" for net in inputs]
    for number, instance in enumerate(netlist.instances):
        for pin, net in instance.pins.items():
            if netlist.electric[instance.type].pins[pin].direction == "output":
                lines.append(f"pin c{number}/{pin} {toggles[net]:.9g} {ones[net]:.9g}")
    return "\n".join(lines) + "\n"


def _get(kind: str, names: Sequence[str]) -> str:
    return f"[get_{kind} {{{' '.join(names)}}}]"
