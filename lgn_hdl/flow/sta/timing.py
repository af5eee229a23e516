"""Timing and power of a netlist of standard cells, with OpenSTA.

Before a layout there are no wires: loads are pins alone, unless a capacitance for each pin is
given as an estimate, and the clock is ideal. `Timing.limits` says so in words for a report.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...errors import BuildError, ToolError
from ..activity.netlist import GateNetlist
from ..activity.simulate import Activity
from .power import Power, PowerParts, netlist_power
from .report import (
    Overload,
    PathPoint,
    overloads,
    read_path,
    read_slack,
    read_slews,
    read_totals,
)
from .script import write_cells, write_script
from .tool import Sta, find_sta

__all__ = ["Overload", "PathPoint", "Sta", "Timing", "find_sta", "time_netlist"]


@dataclass(frozen=True)
class Timing:
    """Timing of a netlist, and its power.

    Parameters
    ----------
    period_ns : float
    setup_slack_ns : float
        Of the worst path. Ports are taken and given at the edge of the clock.
    hold_slack_ns : float, optional
        Of the worst path between registers; None if there is none.
    path : tuple of PathPoint
        The worst path.
    overloads : tuple of Overload
        The worst first. Synthesis put too weak a driver there: timing beyond the tables is a guess.
    wire_ff : float
        Capacitance of the wire to each pin, in fF.
    power : Power, optional
        If activity was given.
    opensta_power : PowerParts, optional
        What OpenSTA makes of the same activity, if its version takes it. The clock's own net,
        which no cell drives, is not in it.
    tool : str
    limits : tuple of str
        What the figures leave out, a sentence each.
    """

    period_ns: float
    setup_slack_ns: float
    hold_slack_ns: float | None
    path: tuple[PathPoint, ...]
    overloads: tuple[Overload, ...]
    wire_ff: float
    power: Power | None
    opensta_power: PowerParts | None
    tool: str
    limits: tuple[str, ...]

    @property
    def fmax_mhz(self) -> float:
        """The largest frequency of the clock, in MHz."""
        return 1e3 / (self.period_ns - self.setup_slack_ns)

    @property
    def delay_by_block_ns(self) -> dict[str, float]:
        """Delay of the worst path in each block, in the order of the path."""
        found: dict[str, float] = {}
        for point in self.path:
            found[point.block] = found.get(point.block, 0.0) + point.delay_ns
        return found


def time_netlist(
    netlist: GateNetlist,
    *,
    clock_port: str | None,
    period_ns: float,
    workdir: Path,
    constants: Mapping[str, int] | None = None,
    activity: Activity | None = None,
    wire_ff: float = 0.0,
    timeout: float | None = None,
) -> Timing:
    """Run OpenSTA on a netlist.

    Parameters
    ----------
    netlist : GateNetlist
    clock_port : str or None
        None for combinational logic: its delay from port to port is timed against a clock that
        nothing has.
    period_ns : float
    workdir : Path
        Its folder `sta` gets scripts and reports.
    constants : mapping of str to int, optional
        Input ports that keep a value, such as a consumer that is always ready: paths that depend on
        their changes are left out.
    activity : Activity, optional
        Of the same netlist, for power; with its glitches, if they were estimated.
    wire_ff : float
        Capacitance of the wire to each pin that a net drives, in fF; 0 by default: ideal wires. In
        SkyWater 130, 5 fF stand for some 25 to 30 µm of wire.
    timeout : float, optional
        Limit in seconds.

    Raises
    ------
    BuildError
        If a port is not there, the period is not positive, or no path is to be timed.
    ToolError
        If there is no OpenSTA, or it fails.
    """
    tool = find_sta()
    if tool is None:
        raise ToolError("OpenSTA was not found", hint="apt install opensta, or set LGN_HDL_STA")
    if period_ns <= 0 or wire_ff < 0:
        raise BuildError(f"period {period_ns} ns and wires of {wire_ff} fF are not possible")
    if activity is not None and activity.netlist is not netlist:
        raise BuildError("the activity is of another netlist")
    clock = None if clock_port is None else _port(netlist, clock_port)[0]
    held = {
        net: value >> place & 1
        for name, value in (constants or {}).items()
        for place, net in enumerate(_port(netlist, name))
    }
    folder = workdir / "sta"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("setup.txt", "hold.txt", "slews.txt", "power.txt"):
        (folder / name).unlink(missing_ok=True)
    handed = None
    if activity is not None and tool.takes_activity:
        glitching = activity.glitching
        handed = (activity.toggles if glitching is None else glitching, activity.ones)
    write_cells(netlist, folder, wire_ff * 1e-15)
    write_script(netlist, folder, clock=clock, period_ns=period_ns, constants=held, activity=handed)
    tool.run("sta.tcl", folder, timeout)
    blocks = netlist.blocks()
    setup = read_slack(folder / "setup.txt")
    if setup is None:
        raise BuildError("no path is to be timed", where=str(folder / "setup.txt"))
    power = None
    if activity is not None:
        slews = read_slews(netlist, folder)
        power = netlist_power(activity, period_ns, slews=slews, wire_ff=wire_ff, blocks=blocks)
    return Timing(
        period_ns,
        setup,
        read_slack(folder / "hold.txt"),
        tuple(read_path(netlist, (folder / "setup.txt").read_text(), blocks)),
        overloads(netlist, wire_ff * 1e-15),
        wire_ff,
        power,
        read_totals(folder / "power.txt") if handed else None,
        str(tool),
        _limits(netlist, wire_ff, activity),
    )


def _port(netlist: GateNetlist, name: str) -> tuple[int, ...]:
    if name not in netlist.inputs:
        raise BuildError(f"has no input port {name}", where=netlist.top)
    return netlist.inputs[name]


def _limits(netlist: GateNetlist, wire_ff: float, activity: Activity | None) -> tuple[str, ...]:
    wires = "Wires are ideal: no layout was made, and loads are the pins of cells alone."
    if wire_ff:
        wires = f"Wires are an estimate of {wire_ff:g} fF to each pin, without resistance."
    found = [
        wires,
        "The clock is ideal: buffers and wires of a clock tree are neither timed nor counted.",
        f"One corner, {netlist.liberty.stem}: no variation.",
        "Input ports are driven without delay and by nothing that has one.",
    ]
    if activity is not None:
        glitches = "Glitches are missing: every net changes at most once in a clock."
        if activity.glitching is not None:
            glitches = (
                "Glitches are an estimate: delays are whole steps, and pulses of any length pass."
            )
        found += [
            "Power is summed from the Liberty tables with the transition times of OpenSTA.",
            glitches,
        ]
    return tuple(found)
