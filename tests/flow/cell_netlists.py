"""Netlists of standard cells for tests, and a slow simulator that shares nothing with the fast one.

The simulator takes one clock after the other and one event after the other.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from lgn_hdl.flow.activity.netlist import GateNetlist, gate_netlist
from lgn_hdl.flow.electric import electric_cells

PREFIX = "sky130_fd_sc_hd__"
LOGIC = [
    "inv_1",
    "nand2_1",
    "nor3_1",
    "xor2_1",
    "xnor2_1",
    "a21oi_1",
    "o21ba_1",
    "mux2_1",
    "maj3_1",
    "a2111oi_0",
    "o221ai_1",
    "and4b_1",
    "fa_1",
    "ha_1",
    "buf_1",
    "a32o_1",
]


def liberty_of(shared: Path) -> Path:
    return shared / "pdk/sky130hd/sky130_fd_sc_hd__tt_025C_1v80.lib"


def netlist_of(
    liberty: Path,
    ports: Mapping[str, str],
    cells: Mapping[str, tuple[str, Mapping[str, str]]],
) -> GateNetlist:
    """A netlist: ports of one bit with their direction, cells with their type and nets by pin."""
    return gate_netlist({"top": module_of(ports, cells)}, "top", liberty)


def module_of(ports, cells) -> dict:
    """The same as Yosys writes it."""
    bits: dict[str, int | str] = {"0": "0", "1": "1"}

    def bit(net):
        return bits.setdefault(net, len(bits))

    return {
        "attributes": {},
        "ports": {name: {"direction": way, "bits": [bit(name)]} for name, way in ports.items()},
        "cells": {
            name: {
                "type": PREFIX + kind,
                "connections": {pin: [bit(net)] for pin, net in pins.items()},
            }
            for name, (kind, pins) in cells.items()
        },
        "netnames": {
            net: {"bits": [number], "hide_name": 0}
            for net, number in bits.items()
            if net not in ("0", "1")
        },
    }


def random_netlist(
    liberty: Path, seed: int, *, logic: int = 60, registers: int = 12, feedback: bool = True
) -> GateNetlist:
    """Logic between registers, some of them with an enable or behind a clock gate.

    With feedback the registers read any net, so that they depend on themselves; without it there
    are three stages.
    """
    rng = np.random.default_rng(seed)
    shapes = electric_cells(liberty, [PREFIX + kind for kind in LOGIC])
    ports = {"clk": "input", **{f"i{number}": "input" for number in range(6)}}
    known = ["0", "1", *(f"i{number}" for number in range(6))]
    cells: dict[str, tuple[str, dict[str, str]]] = {}
    names = [f"q{number}" for number in range(registers)]
    if feedback:
        known += names

    def pick():
        return str(rng.choice(known[-20:] if rng.random() < 0.7 else known))

    def add_logic(stage, count):
        for number in range(count):
            kind = str(rng.choice(LOGIC))
            shape = shapes[PREFIX + kind].pins
            outputs = [pin for pin, of in shape.items() if of.direction == "output"]
            pins = {pin: pick() for pin in shape if pin not in outputs}
            nets = {pin: f"s{stage}n{number}{pin}" for pin in outputs}
            cells[f"stage{stage}.c{number}"] = (kind, pins | nets)
            known.extend(nets.values())

    def add_registers(stage, some):
        cells[f"stage{stage}.gate"] = (
            "dlclkp_1",
            {"CLK": "clk", "GATE": pick(), "GCLK": f"gclk{stage}"},
        )
        for name in some:
            kind = str(rng.choice(["dfxtp_1", "edfxtp_1", "dfxtp_1", "dfxbp_1"]))
            clock = f"gclk{stage}" if rng.random() < 0.4 else "clk"
            pins = {"CLK": clock, "D": pick(), "Q": name}
            pins |= {"DE": pick()} if kind == "edfxtp_1" else {}
            pins |= {"Q_N": name + "n"} if kind == "dfxbp_1" else {}
            cells[f"stage{stage}.{name}"] = (kind, pins)

    if feedback:
        add_logic(0, logic)
        add_registers(0, names)
    else:
        for stage in range(3):
            add_logic(stage, logic // 3)
            add_registers(stage, names[stage::3])
            known += names[stage::3]
    for number, net in enumerate(known[-4:]):
        ports[f"o{number}"] = "output"
        cells[f"out{number}"] = ("buf_1", {"A": net, "X": f"o{number}"})
    return netlist_of(liberty, ports, cells)


class SlowSimulation:
    """One clock after the other.

    Parameters
    ----------
    netlist : GateNetlist
    stimulus : mapping of str to ndarray of bool, shape (clocks,)
        Of every port of one bit.
    delays : mapping of str to int
        By type of cell.

    Attributes
    ----------
    settled : ndarray of bool, shape (clocks, nets)
    changes : ndarray of int64, shape (clocks, nets)
        Transitions from one clock to the next, with delays.
    enabled : dict of int to list of bool
        Whether each gate lets the next edge pass.
    """

    def __init__(self, netlist, stimulus, delays=None):
        self.netlist, self.delays = netlist, delays or {}
        self.values = dict.fromkeys(range(len(netlist.nets)), 0) | {1: 1}
        clocks = len(next(iter(stimulus.values())))
        self.settled = np.zeros((clocks, len(netlist.nets)), bool)
        self.changes = np.zeros((clocks, len(netlist.nets)), np.int64)
        self.enabled = defaultdict(list)
        self.logic, self.registers, self.gates = [], [], []
        for instance in netlist.instances:
            cell = netlist.cells.get(instance.type)
            if cell is None or not cell.plain:
                self.gates.append(instance)
            else:
                (self.registers if cell.register else self.logic).append((instance, cell))
        self.state = {instance.name: 0 for instance, _ in self.registers}
        self.readers = defaultdict(list)
        for instance, cell in self.logic:
            for pin in cell.inputs:
                self.readers[instance.pins[pin]].append((instance, cell))
        for clock in range(clocks):
            sources = {}
            for name, bits in stimulus.items():
                sources[netlist.inputs[name][0]] = int(bits[clock])
            for instance, cell in self.registers:
                for pin, table in cell.tables.items():
                    if pin in instance.pins:
                        sources[instance.pins[pin]] = self.look(instance, cell, table)
            self.settle(sources, clock)
            self.settled[clock] = [self.values[net] for net in range(len(netlist.nets))]
            self.step()

    def look(self, instance, cell, table):
        index = 0
        for pin in cell.arguments:
            bit = self.state[instance.name] if pin == "IQ" else self.values[instance.pins[pin]]
            index = 2 * index + bit
        return table >> index & 1

    def settle(self, sources, clock):
        """Transport delays: what an input change makes of a cell arrives a fixed time later."""
        queue = [(0, order, net, value) for order, (net, value) in enumerate(sources.items())]
        if clock == 0:  # nothing has a value yet
            for instance, cell in self.logic:
                for pin, table in cell.tables.items():
                    if pin in instance.pins:
                        value = self.look(instance, cell, table)
                        queue.append((1, len(queue), instance.pins[pin], value))
        heapq.heapify(queue)
        order = len(queue)
        while queue:
            now, touched = queue[0][0], {}
            while queue and queue[0][0] == now:
                _, _, net, value = heapq.heappop(queue)
                if self.values[net] != value:
                    self.values[net] = value
                    self.changes[clock, net] += 1
                    for instance, cell in self.readers[net]:
                        touched[instance.name] = (instance, cell)
            for instance, cell in touched.values():
                delay = self.delays.get(instance.type, 1)
                for pin, table in cell.tables.items():
                    if pin in instance.pins:
                        order += 1
                        value = self.look(instance, cell, table)
                        heapq.heappush(queue, (now + delay, order, instance.pins[pin], value))

    def step(self):
        passes = {}
        for gate in self.gates:
            passes[gate.pins["GCLK"]] = self.values[gate.pins["GATE"]]
            self.enabled[gate.pins["GCLK"]].append(bool(passes[gate.pins["GCLK"]]))
        following = {}
        for instance, cell in self.registers:
            if passes.get(instance.pins[cell.register.clock], 1):
                following[instance.name] = self.look(instance, cell, cell.register.next)
        self.state |= following
