"""What timing and power need of a Liberty file and Yosys does not keep: loads, energies, leakage.

Only the cells that are asked for are read: the file of a process has hundreds of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import BuildError, FormatError
from .library import Group, cell_places, energy_unit, library_text, parse_cell, units

__all__ = ["Electric", "EnergyTable", "Pin", "electric_cells"]

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


@dataclass(frozen=True, eq=False)
class EnergyTable:
    """Energy of a transition in a cell, beyond that of the load.

    Parameters
    ----------
    related : str
        Input pin whose transition is the cause; empty for the transitions of an input itself.
    slews : ndarray of float64, shape (s,)
        Transition times of that pin, in s.
    loads : ndarray of float64, shape (c,)
        Capacitances at the output, in F; one zero if the energy does not depend on it.
    rise, fall : ndarray of float64, shape (s, c)
        In J.
    """

    related: str
    slews: np.ndarray
    loads: np.ndarray
    rise: np.ndarray
    fall: np.ndarray


@dataclass(frozen=True)
class Pin:
    """A pin as load and as source of energy.

    Parameters
    ----------
    direction : str
    capacitance : float
        In F; of rising and falling edges the mean.
    max_capacitance : float
        Largest load that the library allows at an output, in F; infinite if it states none.
    energies : tuple of EnergyTable
    """

    direction: str
    capacitance: float
    max_capacitance: float
    energies: tuple[EnergyTable, ...]


@dataclass(frozen=True)
class Electric:
    """A cell.

    Parameters
    ----------
    name : str
    area : float
        In µm².
    leakage : float
        Mean over the states of the inputs as the library states it, in W.
    pins : mapping of str to Pin
    gate : tuple of three str, optional
        Clock, enable and output pin of a clock gate with a latch that is open while the clock is
        low, so that its output follows the next pulse if the enable was set before.
    """

    name: str
    area: float
    leakage: float
    pins: Mapping[str, Pin]
    gate: tuple[str, str, str] | None


def electric_cells(path: Path, names: Iterable[str]) -> dict[str, Electric]:
    """Read cells of a Liberty file.

    Parameters
    ----------
    path : Path
    names : iterable of str

    Returns
    -------
    dict of str to Electric

    Raises
    ------
    BuildError
        If there is no such file, or it lacks a cell.
    FormatError
        If a table is not one of transition time and load.
    """
    text, wanted = library_text(path), set(names)
    head = text[: cell_places(text)[0][1]]
    capacitance, leakage = units(head)
    energy = energy_unit(head)
    found = {}
    for name, start, end in cell_places(text):
        if name in wanted:
            group = parse_cell(text[start:end], path)
            found[name] = _electric(group, capacitance, leakage, energy, path)
    missing = sorted(wanted - found.keys())
    if missing:
        raise BuildError(f"has no cell {missing[0]}", where=str(path))
    return found


def _electric(
    cell: Group,
    capacitance: float,
    leakage: float,
    energy: tuple[float, float],
    path: Path,
) -> Electric:
    pins, roles = {}, {}
    for pin in cell.of("pin"):
        values = pin.values
        edges = [values[key] for key in ("rise_capacitance", "fall_capacitance") if key in values]
        load = [float(value) for value in edges or [values.get("capacitance", "0")]]
        where = f"{path}, {cell.name}/{pin.name}"
        pins[pin.name] = Pin(
            values.get("direction", ""),
            capacitance * sum(load) / len(load),
            capacitance * float(values.get("max_capacitance", "inf")),
            tuple(_table(group, capacitance, energy, where) for group in pin.of("internal_power")),
        )
        for role in ("clock_gate_clock_pin", "clock_gate_enable_pin", "clock_gate_out_pin"):
            if values.get(role) == "true":
                roles[role] = pin.name
    gate = None
    if cell.values.get("clock_gating_integrated_cell", "").startswith("latch_posedge"):
        test = any("clock_gate_test_pin" in pin.values for pin in cell.of("pin"))
        if len(roles) == 3 and not test:
            gate = tuple(roles[f"clock_gate_{role}_pin"] for role in ("clock", "enable", "out"))
    value = leakage * float(cell.values.get("cell_leakage_power", "0"))
    area = float(cell.values.get("area", "0"))
    return Electric(cell.name, area, value, pins, gate)  # pyright: ignore[reportArgumentType]


def _numbers(text: str) -> np.ndarray:
    return np.array([float(number) for number in _NUMBER.findall(text)])


def _table(
    group: Group, capacitance: float, energy: tuple[float, float], where: str
) -> EnergyTable:
    """The two tables of an `internal_power` group, on the grid of the rising one."""
    time, joule = energy
    tables = {table.kind: table.values for table in group.groups}
    both = [tables.get(f"{edge}_power", tables.get("power", {})) for edge in ("rise", "fall")]
    grid = max(both, key=lambda table: len(table.get("values", "")))
    slews = _numbers(grid.get("index_1", "0")) * time
    loads = _numbers(grid.get("index_2", "0")) * capacitance
    shape, parts = (len(slews), len(loads)), []
    for table in both:
        values = _numbers(table.get("values", "0")) * joule
        if values.size not in (1, shape[0] * shape[1]):
            raise FormatError(f"has {values.size} energies on a grid of {shape}", where=where)
        parts.append(np.broadcast_to(values.reshape(shape if values.size > 1 else (1, 1)), shape))
    return EnergyTable(group.values.get("related_pin", ""), slews, loads, *parts)
