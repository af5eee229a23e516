"""Reads what OpenSTA leaves: slack, the worst path, transition times, power."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import ToolError
from ..activity.netlist import GateNetlist
from .power import INPUT_SLEW_NS, PowerParts

__all__ = [
    "Overload",
    "PathPoint",
    "overloads",
    "read_path",
    "read_slack",
    "read_slews",
    "read_totals",
]

_POINT = re.compile(r"\s*(-?[\d.]+)\s+(-?[\d.]+)\s+([v^])\s+(\S+)\s+\((\S+)\)\s*$")
_SLACK = re.compile(r"^\s*(-?[\d.]+)\s+slack \((?:MET|VIOLATED)\)", re.MULTILINE)
_ROW = re.compile(r"^Total\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)", re.MULTILINE)


@dataclass(frozen=True)
class PathPoint:
    """A pin on a path.

    Parameters
    ----------
    instance : str
        Empty for a port.
    cell : str
        Its type; `port` for a port.
    pin : str
        Or the name of the port's net.
    block : str
    delay_ns : float
        From the point before.
    arrival_ns : float
    rises : bool
    """

    instance: str
    cell: str
    pin: str
    block: str
    delay_ns: float
    arrival_ns: float
    rises: bool


@dataclass(frozen=True)
class Overload:
    """A net with more load than its driver may have by the library.

    Parameters
    ----------
    net, cell : str
        The net, and the type of its driver.
    load_pf, limit_pf : float
    """

    net: str
    cell: str
    load_pf: float
    limit_pf: float


def _read(path: Path) -> str:
    if not path.is_file():
        raise ToolError(f"did not write {path.name}", where="OpenSTA", hint=str(path.parent))
    return path.read_text()


def read_slack(path: Path) -> float | None:
    """Return the slack of a report's path, in ns; None if it has no path."""
    match = _SLACK.search(_read(path))
    return None if match is None else float(match[1])


def read_path(netlist: GateNetlist, text: str, blocks: tuple[str, ...]) -> list[PathPoint]:
    """Return the points of a report's path, with the names of the netlist."""
    points: list[PathPoint] = []
    for line in text.split("data arrival time")[0].splitlines():
        match = _POINT.match(line)
        if match is None:
            continue
        name, _, pin = match[4].partition("/")
        number = int(name[1:])
        instance, block = "", "port"
        if pin:
            instance, block = netlist.instances[number].name, blocks[number]
        else:
            pin = netlist.nets[number]
        cell = match[5] if instance else "port"
        delay, arrival = float(match[1]), float(match[2])
        points.append(PathPoint(instance, cell, pin, block, delay, arrival, match[3] == "^"))
    return points


def read_slews(netlist: GateNetlist, folder: Path) -> np.ndarray:
    """Return transition times of every net, float64 of shape (nets, 2), in s."""
    slews = np.full((len(netlist.nets), 2), INPUT_SLEW_NS * 1e-9)
    lines = iter(_read(folder / "slews.txt").splitlines())
    for instance in netlist.instances:
        for pin, net in instance.pins.items():
            if netlist.electric[instance.type].pins[pin].direction != "output":
                continue
            try:
                pair = [float(value) * 1e-9 for value in next(lines).split()]
            except (StopIteration, ValueError):
                raise ToolError("is no list of transition times", where=f"{folder}") from None
            # What never changes has no transition time.
            slews[net] = [value if abs(value) < 1e-6 else INPUT_SLEW_NS * 1e-9 for value in pair]
    return slews


def overloads(netlist: GateNetlist, wire_capacitance: float) -> tuple[Overload, ...]:
    """Return the nets with more load than their drivers may have, the worst first.

    Behind a clock gate a clock tree will be.
    """
    loads, found = netlist.loads(wire_capacitance), []
    for instance in netlist.instances:
        if netlist.electric[instance.type].gate is not None:
            continue
        for pin, net in instance.pins.items():
            limit = netlist.electric[instance.type].pins[pin].max_capacitance
            if loads[net] > limit:
                found.append(
                    Overload(
                        netlist.nets[net], instance.type, 1e12 * float(loads[net]), 1e12 * limit
                    )
                )
    return tuple(sorted(found, key=lambda overload: -overload.load_pf))


def read_totals(path: Path) -> PowerParts:
    """Return the total of a report of power."""
    match = _ROW.search(_read(path))
    if match is None:
        raise ToolError("reports no total power", where=str(path))
    return PowerParts(*(float(match[place]) for place in (1, 2, 3)))
