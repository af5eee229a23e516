"""A netlist of Yosys as an and-inverter graph, with its registers counted and then seen through.

A pipeline that stands still as a whole computes what its logic computes without the registers,
provided that every path crosses the same number of them; `registers` proves the latter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from ..errors import ToolError, VerifyError
from ..flow.tools import find_yosys, relative
from .aig import FALSE, TRUE, Aig

__all__ = ["BUFFER", "Net", "Netlist", "Register", "gate_netlist", "literals"]

#: A number, or a constant: "0", "1", "x".
Net = int | str
Driver = tuple[int, list[Net]]
BUFFER = 0b10

_FLATTEN = """\
proc
flatten -noscopeinfo
"""
_TO_GATES = """\
opt_clean
{registers}simplemap
techmap
opt_clean
"""
_ENABLES = "opt_dff -keepdc\n"
_MEMORIES = "memory -nordff\n"
_WRITE = """\
read_rtlil {rtlil}
hierarchy -check -top {top}
{flatten}tee -q -o {check} check
{to_gates}write_json {json}
"""

# Yosys' flip-flops: S for a synchronous reset, E for an enable (CE: the enable has priority over
# the reset), then the polarities of clock, reset, reset value and enable.
_REGISTER = re.compile(r"\$_(S?)DFF(C?E)?_([PN])(?:([PN])([01]))?([PN])?_")
#: A reset that is data, as a truth table of (reset, data): by polarity and value.
_RESET = {"P0": 0b0010, "P1": 0b1110, "N0": 0b1000, "N1": 0b1011}


@dataclass(frozen=True)
class Register:
    """A flip-flop: the nets of its output and of its enable (None: always on).

    Parameters
    ----------
    inverted : bool
        Whether the enable is active low.
    cleared : bool
        Whether it becomes 0 while `rst` is high, whatever the enable.
    """

    output: Net
    enable: Net | None
    inverted: bool = False
    cleared: bool = False


@dataclass(frozen=True)
class Netlist:
    """A flat netlist of gates, LUTs and registers.

    Parameters
    ----------
    ports : mapping of str to list
        Nets of each port, least significant first.
    is_input : mapping of str to bool
    driver : mapping of net to (int, list of nets)
        What makes a net: a truth table and what it is read at, the most significant first. A
        register is a buffer here.
    registers : list of Register
    wires : mapping of str to list
        Nets of every named wire, `block.wire` in a block.
    initial : mapping of net to int
        What registers start with, where that is known.
    """

    ports: Mapping[str, list[Net]]
    is_input: Mapping[str, bool]
    driver: Mapping[Net, Driver]
    registers: list[Register]
    wires: Mapping[str, list[Net]]
    initial: Mapping[Net, int] = field(default_factory=dict)

    @cached_property
    def names(self) -> Mapping[Net, str]:
        """A name for each net, as `wire[bit]`; that of a port if it has one."""
        return {
            net: f"{wire}[{place}]" if len(nets) > 1 else wire
            for wire, nets in chain(self.wires.items(), self.ports.items())
            for place, net in enumerate(nets)
        }

    @cached_property
    def register_outputs(self) -> frozenset[Net]:
        """Nets that are outputs of registers."""
        return frozenset(register.output for register in self.registers)

    def order(self) -> Iterator[Net]:
        """Nets that something drives, each after the nets it is made from.

        Raises
        ------
        VerifyError
            If there is a loop, through registers or not.
        """
        done: set[Net] = set()
        for last in self.driver:
            stack, open_nets = [last], set()
            while stack:
                net = stack[-1]
                if net in done or net not in self.driver:
                    stack.pop()
                    continue
                missing = [n for n in self.driver[net][1] if n not in done and n in self.driver]
                if not missing:
                    done.add(stack.pop())
                    yield net
                elif net in open_nets:
                    raise VerifyError(
                        "the netlist has a loop, and a pipeline has none", where=self.names.get(net)
                    )
                else:
                    open_nets.add(net)
                    stack += missing


def gate_netlist(
    rtlil: Path, workdir: Path, *, mapped: bool = False, plain: bool = False, top: str = "top"
) -> Netlist:
    """Flatten an RTLIL design into gates and registers.

    Parameters
    ----------
    rtlil : Path
    workdir : Path
        Takes the script, its log and the netlist.
    mapped : bool
        Whether the design is mapped to generic LUTs already, which are then kept.
    plain : bool
        Whether the registers of a design that is not mapped are kept as they are written, with
        enables and resets as gates in front of them.

    Raises
    ------
    ToolError
        If Yosys refuses it, or a cell is left that is neither.
    VerifyError
        If a net has two drivers, or a register another clock than `clk`.
    """
    path = workdir / ("luts.json" if mapped else "gates.json")
    check = path.with_suffix(".check")
    script = _WRITE.format(
        rtlil=relative(rtlil, workdir),
        top=top,
        flatten="" if mapped else _FLATTEN,
        check=check.name,
        to_gates="" if mapped else _TO_GATES.format(registers=_MEMORIES if plain else _ENABLES),
        json=path.name,
    )
    find_yosys().run(script, workdir, name=path.stem, expect=(check.name, path.name))
    # Before anything is optimised: Yosys would choose one driver, or drop one, on its own.
    if conflict := re.search(r"Warning: (.*conflicting.*):\n((?:    .*\n)*)", check.read_text()):
        drivers = ", ".join(line.strip() for line in conflict[2].splitlines())
        raise VerifyError(f"{conflict[1]}: {drivers}")
    return _read(path, top)


def _read(path: Path, top: str) -> Netlist:
    module = json.loads(path.read_text())["modules"][top]
    ports = {name: port["bits"] for name, port in module["ports"].items()}
    driver: dict[Net, Driver] = {}
    registers = []
    for name, cell in module["cells"].items():
        kind, nets = cell["type"], cell["connections"]
        if found := _REGISTER.fullmatch(kind):
            output = nets["Q"][0]
            driver[output] = _data(found, nets, ports)
            enable = nets["E"][0] if "E" in nets else None
            cleared = nets.get("R") == ports.get("rst") and found[2] != "CE" and found[5] == "0"
            registers.append(Register(output, enable, found[6] == "N", cleared))
        elif kind == "$lut":
            driver[nets["Y"][0]] = (int(cell["parameters"]["LUT"], 2), nets["A"][::-1])
        elif kind in _GATES:
            inputs, table = _GATES[kind]
            driver[nets["Y"][0]] = (table, [nets[port][0] for port in inputs])
        else:
            raise ToolError(f"cell {name} is a {kind}, expected gates and registers", where=top)
    wires = {
        name: wire["bits"] for name, wire in module["netnames"].items() if not wire["hide_name"]
    }
    is_input = {name: port["direction"] == "input" for name, port in module["ports"].items()}
    return Netlist(ports, is_input, driver, registers, wires, _initial(module["netnames"]))


def _initial(wires: Mapping[str, Any]) -> dict[Net, int]:
    """What registers start with, by the attributes of their wires."""
    found: dict[Net, int] = {}
    for wire in wires.values():
        init = wire["attributes"].get("init", "")
        for net, value in zip(wire["bits"], reversed(init), strict=False):
            if value in "01":
                found[net] = int(value)
    return found


def _data(
    kind: re.Match[str], nets: Mapping[str, list[Net]], ports: Mapping[str, list[Net]]
) -> Driver:
    """What a register takes on when it is enabled, out of reset."""
    synchronous, enable, clock, polarity, value, _ = kind.groups()
    if clock != "P":
        raise ToolError(f"a register is a {kind[0]}, expected the rising edge of the clock")
    if nets["C"] != ports.get("clk"):
        raise VerifyError(f"the clock of a {kind[0]} is not the port clk")
    if "R" not in nets:
        return (BUFFER, nets["D"])
    if nets["R"] == ports.get("rst"):
        if polarity == "N":
            raise VerifyError(f"a {kind[0]} is held in reset while rst is low")
        return (BUFFER, nets["D"])
    # Yosys made a reset of a signal of the data. That is sound behind the enable only.
    if enable == "E" or not synchronous:
        raise ToolError(f"a register is a {kind[0]} that data can reset while it stands still")
    return (_RESET[polarity + value], [*nets["R"], *nets["D"]])


#: Input ports, most significant first, and truth table of Yosys' gates.
_GATES: dict[str, tuple[str, int]] = {
    "$_BUF_": ("A", 0b10),
    "$_NOT_": ("A", 0b01),
    "$_AND_": ("AB", 0b1000),
    "$_NAND_": ("AB", 0b0111),
    "$_OR_": ("AB", 0b1110),
    "$_NOR_": ("AB", 0b0001),
    "$_XOR_": ("AB", 0b0110),
    "$_XNOR_": ("AB", 0b1001),
    "$_ANDNOT_": ("AB", 0b0100),
    "$_ORNOT_": ("AB", 0b1101),
    "$_MUX_": ("SBA", 0b11001010),
}


def literals(aig: Aig, netlist: Netlist, inputs: Mapping[str, Sequence[int]]) -> dict[Net, int]:
    """Literals of all nets, registers seen through.

    Parameters
    ----------
    aig : Aig
    netlist : Netlist
    inputs : mapping of str to sequence of int
        Literals of the input ports; a port that is not named (the clock) has no value.

    Raises
    ------
    ToolError
        If a net that is read, or leaves, has no value.
    VerifyError
        If there is a loop.
    """
    known: dict[Net, int] = {"0": FALSE, "1": TRUE}
    for port, bits in inputs.items():
        if port in netlist.ports:
            known.update(zip(netlist.ports[port], bits, strict=True))

    def read(nets: Sequence[Net]) -> list[int]:
        for net in nets:
            if net not in known:
                raise ToolError(
                    "is read and has no value: nothing drives it, or it is x or the clock",
                    where=netlist.names.get(net, f"net {net}"),
                )
        return [known[net] for net in nets]

    for net in netlist.order():
        table, operands = netlist.driver[net]
        known[net] = aig.lookup(table, read(operands))
    for port, nets in netlist.ports.items():
        if not netlist.is_input[port]:
            read(nets)
    read([register.enable for register in netlist.registers if register.enable is not None])
    return known
