"""Internal energy of cells from the tables of their Liberty file.

For every transition of an output its cell takes an energy from a table over the transition time of
the input that caused it and the load; where several inputs could have caused it, each counts by how
often it changes and how probable it is that the output follows, with inputs taken as independent.
Inputs have tables of their own. Rising and falling edges are equally many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ..activity.netlist import GateNetlist
from ..activity.nodes import cofactors
from ..electric import EnergyTable

__all__ = ["InternalEnergy"]


class InternalEnergy:
    """Energy that cells take for the transitions of their pins, beyond that of their loads.

    Parameters
    ----------
    netlist : GateNetlist
    toggles, ones : ndarray of float64, shape (nets,)
        Transitions in a clock, and probability of 1.
    slews : ndarray of float64, shape (nets, 2)
        Transition times of rising and falling edges, in s.
    loads : ndarray of float64, shape (nets,)
        In F.
    """

    def __init__(
        self,
        netlist: GateNetlist,
        toggles: np.ndarray,
        ones: np.ndarray,
        slews: np.ndarray,
        loads: np.ndarray,
    ):
        self._netlist, self._toggles, self._ones = netlist, toggles, ones
        self._slews, self._loads = slews, loads
        self._members: dict[str, list[int]] = {}
        for number, instance in enumerate(netlist.instances):
            self._members.setdefault(instance.type, []).append(number)

    def pins(self) -> Iterator[tuple[str, str, np.ndarray, np.ndarray]]:
        """Yield cell type, pin, and the instances where it is connected with their nets."""
        for name, members in self._members.items():
            for pin in self._netlist.electric[name].pins:
                instances = self._netlist.instances
                used = [number for number in members if pin in instances[number].pins]
                if used:
                    yield name, pin, np.array(used), self._nets(used, pin)

    def _nets(self, members: Sequence[int] | np.ndarray, pin: str) -> np.ndarray:
        return np.array([self._netlist.instances[number].pins[pin] for number in members])

    def energies(self, name: str, pin: str, members: np.ndarray, nets: np.ndarray) -> np.ndarray:
        """Return the energy in a clock of each instance for the transitions of a pin, in J."""
        electric = self._netlist.electric[name].pins[pin]
        if not electric.energies:
            return np.zeros(len(members))
        if electric.direction != "output":
            each = sum(_energy(table, self._slews[nets], 0.0) for table in electric.energies)
            return each * self._toggles[nets]
        weights, energies = [], []
        for table in electric.energies:
            weights.append(self._weight(name, pin, table.related, members))
            slews = self._slews[self._nets(members, table.related) if table.related else nets]
            energies.append(_energy(table, slews, self._loads[nets]))
        weight = np.array(weights)
        total = weight.sum(axis=0)
        weight = np.where(total > 0, weight, 1.0)
        return (weight * energies).sum(axis=0) / weight.sum(axis=0) * self._toggles[nets]

    def _weight(self, name: str, pin: str, related: str, members: np.ndarray) -> np.ndarray:
        """How often an input makes the output change."""
        cell = self._netlist.cells.get(name)
        if cell is None or related not in cell.arguments:
            return np.ones(len(members))  # a clock, which is the only cause
        place, inputs = cell.arguments.index(related), len(cell.arguments)
        if cell.register is not None:
            return np.ones(len(members))
        low, high = cofactors(cell.tables[pin], inputs, place)
        others = [
            self._ones[self._nets(members, other)] for other in cell.arguments if other != related
        ]
        follows = _probability(low ^ high, others, len(members))
        return self._toggles[self._nets(members, related)] * follows


def _probability(table: int, ones: Sequence[np.ndarray], count: int) -> np.ndarray:
    """Probability that a function of independent inputs is 1."""
    if not ones:
        return np.full(count, float(table & 1))
    half = 1 << len(ones) - 1
    low, high = table & (1 << (1 << len(ones) - 1)) - 1, table >> half
    first, rest = ones[0], ones[1:]
    return (1 - first) * _probability(low, rest, count) + first * _probability(high, rest, count)


def _energy(table: EnergyTable, slews: np.ndarray, loads: np.ndarray | float) -> np.ndarray:
    """Mean energy of a transition, for slews of shape (n, 2), which the mean stands for."""
    slew = slews.mean(axis=1)
    grid = (table.rise + table.fall) / 2
    return _bilinear(grid, table.slews, table.loads)(slew, np.broadcast_to(loads, slew.shape))


def _bilinear(
    grid: np.ndarray, rows: np.ndarray, columns: np.ndarray
) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Interpolate a table, and beyond its edges go on straight, as Liberty asks."""

    def place(axis: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if len(axis) == 1:
            zero = np.zeros(len(at), np.intp)
            return zero, zero, np.zeros(len(at))
        index = np.clip(np.searchsorted(axis, at) - 1, 0, len(axis) - 2)
        return index, index + 1, (at - axis[index]) / (axis[index + 1] - axis[index])

    def at(row: np.ndarray, column: np.ndarray) -> np.ndarray:
        r0, r1, r = place(rows, row)
        c0, c1, c = place(columns, column)
        near = grid[r0, c0] * (1 - r) + grid[r1, c0] * r
        return near * (1 - c) + (grid[r0, c1] * (1 - r) + grid[r1, c1] * r) * c

    return at
