"""The functions of a netlist, one node for every driven net, with what is constant taken out.

A register is a node whose value comes one clock later. Clock gates and enables become part of its
next-state function, so that a register that always takes its input is no loop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ...errors import BuildError
from ..liberty import STATE
from .netlist import GateNetlist, Instance

__all__ = ["Node", "Nodes", "cell_nodes", "cofactors", "without_constants"]


@dataclass
class Node:
    """What drives a row of values.

    Parameters
    ----------
    row : int
        Number of the net; the state of a register that no pin shows has one beyond the nets.
    reads : tuple of int
        Rows, the most significant of the table's index first.
    table : int
        Bit i is the value at index i.
    register : bool
        Whether the value comes one clock later.
    instance : int
        Of the netlist.
    """

    row: int
    reads: tuple[int, ...]
    table: int
    register: bool
    instance: int


@dataclass(frozen=True, eq=False)
class Nodes:
    """All of a netlist.

    Parameters
    ----------
    rows : int
        Nets and hidden states.
    nodes : list of Node
    clocks : frozenset of int
        Nets that are ports of a clock.
    gated : mapping of int to tuple of int
        Net of a gated clock → the enables, all of which must be set.
    """

    rows: int
    nodes: list[Node]
    clocks: frozenset[int]
    gated: Mapping[int, tuple[int, ...]]


@dataclass
class _Clocks:
    """Ways from the clock pins back to the ports."""

    netlist: GateNetlist
    drivers: np.ndarray
    ports: set[int] = field(default_factory=set)
    gated: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def enables(self, net: int) -> tuple[int, ...]:
        """Nets that must be set for an edge to come to this net."""
        if net in self.gated:
            return self.gated[net]
        if self.drivers[net] < 0:
            if net < 2:
                raise BuildError("a clock pin is constant", where=self.netlist.top)
            self.ports.add(net)
            return ()
        instance = self.netlist.instances[self.drivers[net]]
        gate = self.netlist.electric[instance.type].gate
        if gate is not None:
            clock, enable, _ = gate
            found = (*self.enables(instance.pins[clock]), instance.pins[enable])
        else:
            cell = self.netlist.cells.get(instance.type)
            if cell is None or len(cell.inputs) != 1 or set(cell.tables.values()) != {0b10}:
                raise BuildError(
                    f"clock goes through {instance.name} ({instance.type})",
                    where=self.netlist.top,
                    hint="only clock gates and buffers can be followed",
                )
            found = self.enables(instance.pins[cell.inputs[0]])
        self.gated[net] = found
        return found


def cell_nodes(netlist: GateNetlist) -> Nodes:
    """Return the functions of a netlist.

    Raises
    ------
    BuildError
        If a cell is a latch, has asynchronous pins or no known function, if an input of it is not
        connected, or if a clock comes neither from a port nor through gates and buffers.
    """
    clocks = _Clocks(netlist, netlist.drivers())
    rows, nodes = len(netlist.nets), []
    for number, instance in enumerate(netlist.instances):
        cell = netlist.cells.get(instance.type)
        if netlist.electric[instance.type].gate is not None:
            clocks.enables(instance.pins[netlist.electric[instance.type].gate[2]])  # pyright: ignore
            continue
        if cell is None or not cell.plain:
            raise BuildError(
                f"{instance.name} is of type {instance.type}, which cannot be simulated",
                where=netlist.top,
                hint="latches, asynchronous pins and tri-state outputs are not supported",
            )
        outputs = [(pin, instance.pins[pin]) for pin in cell.outputs if pin in instance.pins]
        if cell.register is None:
            reads = _reads(instance, cell.arguments, netlist)
            nodes += [Node(net, reads, cell.tables[pin], False, number) for pin, net in outputs]
            continue
        arguments = tuple(pin for pin in cell.arguments if pin != STATE)
        reads = _reads(instance, arguments, netlist)
        size = 1 << len(cell.arguments)
        own = sum(1 << index for index in range(1, size, 2))  # the state is the last argument
        plain = [net for pin, net in outputs if cell.tables[pin] == own]
        state = plain[0] if plain else rows
        rows += not plain
        reads += (state,)
        enables = clocks.enables(instance.pins[cell.register.clock])
        table = _enabled(cell.register.next, own, size, len(enables))
        nodes.append(Node(state, (*enables, *reads), table, True, number))
        nodes += [
            Node(net, reads, cell.tables[pin], False, number)
            for pin, net in outputs
            if net != state
        ]
    return Nodes(rows, nodes, frozenset(clocks.ports), clocks.gated)


def _reads(instance: Instance, arguments: tuple[str, ...], netlist: GateNetlist) -> tuple[int, ...]:
    open_pins = [pin for pin in arguments if pin not in instance.pins]
    if open_pins:
        raise BuildError(f"{instance.name}/{open_pins[0]} is not connected", where=netlist.top)
    return tuple(instance.pins[pin] for pin in arguments)


def _enabled(following: int, own: int, size: int, enables: int) -> int:
    """The next state with enables in front of the arguments: without all of them it stays."""
    table = 0
    for index in range(1 << enables):
        part = following if index == (1 << enables) - 1 else own
        table |= part << index * size
    return table


def without_constants(
    nodes: Nodes, constants: Mapping[int, int]
) -> tuple[list[Node], dict[int, int]]:
    """Take out what is constant, and inputs on which a function does not depend.

    A register whose next state is constant counts as constant, as it is from its second clock on;
    one that never takes anything but its own state is 0 for good.

    Parameters
    ----------
    nodes : Nodes
    constants : mapping of int to int
        Rows that are 0 or 1 at every clock.

    Returns
    -------
    list of Node
        What is left, each with inputs that matter only.
    dict of int to int
        All rows that are constant.
    """
    known = dict(constants)
    readers: dict[int, list[int]] = {}
    left: list[Node | None] = []
    for number, node in enumerate(nodes.nodes):
        left.append(node)
        for row in node.reads:
            readers.setdefault(row, []).append(number)
    waiting = list(range(len(left)))
    fresh = set(waiting)
    while waiting:
        number = waiting.pop()
        fresh.discard(number)
        node = left[number]
        if node is None:
            continue
        reads, table = _support(node.reads, node.table, known)
        value = table if not reads else None
        if node.register and reads == (node.row,) and table == 0b10:
            value = 0
        if value is None:
            left[number] = Node(node.row, reads, table, node.register, node.instance)
            continue
        known[node.row], left[number] = value, None
        for reader in readers.get(node.row, ()):
            if reader not in fresh:
                fresh.add(reader)
                waiting.append(reader)
    return [node for node in left if node is not None], known


def _support(
    reads: tuple[int, ...], table: int, known: Mapping[int, int]
) -> tuple[tuple[int, ...], int]:
    """The function over the inputs that matter and are not known."""
    rows, kept = list(reads), 0
    while kept < len(rows):
        row = rows[kept]
        low, high = cofactors(table, len(rows), kept)
        if row in known:
            table = high if known[row] else low
        elif low == high:
            table = low
        elif row in rows[:kept]:  # the same net on two pins
            table = _merged(table, len(rows), rows.index(row), kept)
        else:
            kept += 1
            continue
        del rows[kept]
    # Merging may have made an earlier input idle.
    if any(len(set(cofactors(table, len(rows), place))) == 1 for place in range(len(rows))):
        return _support(tuple(rows), table, known)
    return tuple(rows), table


def cofactors(table: int, inputs: int, place: int) -> tuple[int, int]:
    """Return the tables without one input: for its value 0 and for its value 1."""
    width = 1 << inputs - 1 - place
    part, low, high = (1 << width) - 1, 0, 0
    for index in range(1 << place):
        low |= (table >> 2 * index * width & part) << index * width
        high |= (table >> (2 * index + 1) * width & part) << index * width
    return low, high


def _merged(table: int, inputs: int, first: int, second: int) -> int:
    """The table without the second of two inputs, which always equals the first."""
    low, high = cofactors(table, inputs, second)
    place = inputs - 2 - first
    mask = sum(1 << index for index in range(1 << inputs - 1) if index >> place & 1)
    return low & ~mask | high & mask
