"""A netlist of standard cells, by the functions of its Liberty file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ToolError, VerifyError
from ..flow.cells import CLOCK_GATE
from ..flow.liberty import STATE, Cell, Liberty
from .netlist import Driver, Net, Netlist, Register

__all__ = ["cell_netlist"]


def cell_netlist(path: Path, liberty: Liberty, *, top: str = "top") -> Netlist:
    """Read a flat netlist of cells.

    A flip-flop behind a clock gate is one with an enable: the gate lets an edge pass if the enable
    was high before it.

    Parameters
    ----------
    path : Path
        JSON of Yosys.
    liberty : Liberty
    top : str

    Raises
    ------
    ToolError
        If a cell has no function in the Liberty file.
    VerifyError
        If a flip-flop has another clock than `clk`, a net has two drivers, or a pin none.
    """
    module = json.loads(path.read_text())["modules"][top]
    ports = {name: port["bits"] for name, port in module["ports"].items()}
    is_input = {name: port["direction"] == "input" for name, port in module["ports"].items()}
    clock = ports["clk"][0] if "clk" in ports else None
    enable = _clock_gates(module["cells"], clock)
    driver: dict[Net, Driver] = {}
    given = {net for name, nets in ports.items() if is_input[name] for net in nets} | enable.keys()

    def drive(net: Net, table: int, operands: list[Net], name: str) -> None:
        # A second driver would win silently.
        if net in driver or net in given or net in ("0", "1", "x"):
            raise VerifyError(f"{name} drives a net that something else drives, or a constant")
        driver[net] = (table, operands)

    registers = []
    for name, instance in module["cells"].items():
        if instance["type"] == CLOCK_GATE:
            continue
        cell = liberty.cells.get(instance["type"])
        if cell is None or not cell.plain:
            raise ToolError(
                f"cell {name} is a {instance['type']}, whose function is not known",
                where=str(liberty.path),
            )
        nets = {pin: bits[0] for pin, bits in instance["connections"].items() if bits}
        read = [pin for pin in cell.inputs if pin not in nets or nets[pin] in ("x", "z")]
        if read:
            raise VerifyError(f"nothing drives the pin {read[0]} of {name}")
        state = f"{name}.{STATE}"
        if cell.register is not None:
            net = nets[cell.register.clock]
            if net != clock and net not in enable:
                raise VerifyError(f"the clock of {name} is not the port clk")
            state = _state_net(cell, nets, state)
            drive(state, cell.register.next, _operands(cell, nets, state), name)
            registers.append(Register(state, enable.get(net)))
        for pin, table in cell.tables.items():
            if pin in nets and nets[pin] != state:
                drive(nets[pin], table, _operands(cell, nets, state), name)
    wires = {
        name: wire["bits"] for name, wire in module["netnames"].items() if not wire["hide_name"]
    }
    return Netlist(ports, is_input, driver, registers, wires)


def _clock_gates(cells: Mapping[str, Any], clock: Net | None) -> dict[Net, Net]:
    """Enable by the clock that a gate gives."""
    found = {}
    for name, cell in cells.items():
        if cell["type"] == CLOCK_GATE:
            nets = cell["connections"]
            if nets["CLK"][0] != clock:
                raise VerifyError(f"the clock of {name} is not the port clk")
            if nets["GCLK"][0] in found:
                raise VerifyError(f"{name} drives the output of another clock gate")
            found[nets["GCLK"][0]] = nets["GATE"][0]
    return found


def _state_net(cell: Cell, nets: Mapping[str, Net], name: str) -> Net:
    """The output that is the content of a flip-flop itself; a net of its own if there is none."""
    place = len(cell.arguments) - 1 - cell.arguments.index(STATE)
    size = 1 << len(cell.arguments)
    itself = sum(1 << index for index in range(size) if index >> place & 1)
    for pin, table in cell.tables.items():
        if table == itself and pin in nets:
            return nets[pin]
    return name


def _operands(cell: Cell, nets: Mapping[str, Net], state: Net) -> list[Net]:
    return [state if pin == STATE else nets[pin] for pin in cell.arguments]
