"""A flat netlist of standard cells with numbered nets, for timing, activity and power."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...errors import BuildError, ToolError
from ..electric import Electric, electric_cells
from ..liberty import Cell, Liberty, read_liberty
from ..netlist import NO_CELLS

__all__ = ["GateNetlist", "Instance", "block_of_name", "gate_netlist"]

Module = Mapping[str, Any]

#: Nets of every netlist: the constants.
_CONSTANTS = ("0", "1")


class Instance(NamedTuple):
    """A cell in the netlist: its name, its type, and the net on each pin that is connected."""

    name: str
    type: str
    pins: Mapping[str, int]


@dataclass(frozen=True, eq=False)
class GateNetlist:
    """A netlist of standard cells.

    Parameters
    ----------
    top : str
    liberty : Path
    nets : tuple of str
        Names; net 0 is the constant 0 and net 1 the constant 1.
    inputs, outputs : mapping of str to tuple of int
        Nets of each port, the least significant bit first.
    instances : tuple of Instance
    cells : mapping of str to Cell
        What the cells in use compute; a clock gate is not among them.
    electric : mapping of str to Electric
        Their loads and energies.
    """

    top: str
    liberty: Path
    nets: tuple[str, ...]
    inputs: Mapping[str, tuple[int, ...]]
    outputs: Mapping[str, tuple[int, ...]]
    instances: tuple[Instance, ...]
    cells: Mapping[str, Cell]
    electric: Mapping[str, Electric]

    def drivers(self) -> np.ndarray:
        """Instance that drives each net, int64 of shape (nets,); -1 for ports and constants."""
        found = np.full(len(self.nets), -1, np.int64)
        for number, instance in enumerate(self.instances):
            for pin, net in instance.pins.items():
                if self.electric[instance.type].pins[pin].direction == "output":
                    found[net] = number
        return found

    def loads(self, wire_capacitance: float = 0.0) -> np.ndarray:
        """Capacitance of the pins on each net, float64 of shape (nets,) in F.

        Parameters
        ----------
        wire_capacitance : float
            Of the wire to each of the pins, in F.
        """
        found = np.zeros(len(self.nets))
        for instance in self.instances:
            pins = self.electric[instance.type].pins
            for pin, net in instance.pins.items():
                if pins[pin].direction == "input":
                    found[net] += pins[pin].capacitance + wire_capacitance
        return found

    def blocks(self, of: Callable[[str], str] | None = None) -> tuple[str, ...]:
        """Block of each instance; `top` is what belongs to none.

        Names decide, if there is a block in any of them. In a netlist that was flattened before ABC
        gave new names to what it maps there is none: there a cell belongs to the block of the net
        that it drives, and if that has no name of the design either, to that of its nearest reader.

        Parameters
        ----------
        of : callable, optional
            Block of a name, or an empty string; `block_of_name` by default.
        """
        of = block_of_name if of is None else of
        found = [of(instance.name) for instance in self.instances]
        if any(found):
            return tuple(block or "top" for block in found)
        for number, instance in enumerate(self.instances):
            pins = self.electric[instance.type].pins
            for pin, net in instance.pins.items():
                if pins[pin].direction == "output":
                    found[number] = found[number] or of(self.nets[net])
        ready = [number for number, block in enumerate(found) if block]
        drivers = self.drivers()
        while ready:  # breadth first, so that the nearest reader decides
            following = []
            for number in ready:
                instance = self.instances[number]
                for net in instance.pins.values():
                    driver = int(drivers[net])
                    if driver >= 0 and not found[driver]:
                        found[driver] = found[number]
                        following.append(driver)
            ready = following
        return tuple(block or "top" for block in found)


def block_of_name(name: str) -> str:
    """Return what stands before the first point or slash of a hierarchical name."""
    name = name.lstrip("\\")
    # Names that a tool made up say nothing about the design.
    if name.startswith(("$", "_")):
        return ""
    places = [place for place in (name.find("."), name.find("/")) if place > 0]
    return name[: min(places)] if places else ""


def gate_netlist(modules: Mapping[str, Module], top: str, liberty: Path | Liberty) -> GateNetlist:
    """Take a flat netlist of standard cells from the JSON of Yosys.

    Parameters
    ----------
    modules : mapping
        What `lgn_hdl.flow.netlist.read_netlist` gives.
    top : str
    liberty : Path or Liberty

    Raises
    ------
    BuildError
        If the Liberty file lacks a cell, or a bit is connected to neither 0, 1 nor a net.
    ToolError
        If the netlist has no such module, or is not flat.
    """
    if top not in modules:
        raise ToolError(f"has no module {top}", where="netlist")
    library = liberty if isinstance(liberty, Liberty) else read_liberty(liberty)
    module = modules[top]
    found = {name: cell for name, cell in module["cells"].items() if cell["type"] not in NO_CELLS}
    inside = sorted({cell["type"] for cell in found.values()} & modules.keys())
    if inside:
        raise ToolError(f"holds the module {inside[0]}", where=top, hint="flatten it first")
    types = sorted({cell["type"] for cell in found.values()})
    electric = electric_cells(library.path, types)
    nets = _Nets(module)
    inputs, outputs = {}, {}
    for name, port in module["ports"].items():
        side = {"input": inputs, "output": outputs}.get(port["direction"])
        if side is None:
            raise BuildError(f"port {name} is {port['direction']}", where=top)
        side[name] = tuple(nets.number(bit, f"port {name}") for bit in port["bits"])
    instances = []
    for name, cell in found.items():
        pins = {}
        for pin, bits in cell["connections"].items():
            if pin not in electric[cell["type"]].pins:
                raise BuildError(f"has no pin {pin}", where=f"{library.path}, {cell['type']}")
            if len(bits) == 1:
                pins[pin] = nets.number(bits[0], f"{name}/{pin}")
        instances.append(Instance(name, cell["type"], pins))
    cells = {name: library.cells[name] for name in types if name in library.cells}
    return GateNetlist(
        top,
        library.path,
        tuple(nets.names),
        inputs,
        outputs,
        tuple(instances),
        cells,
        electric,
    )


class _Nets:
    """Numbers of the bits of a module, and their names."""

    def __init__(self, module: Module):
        self.names: list[str] = list(_CONSTANTS)
        self._numbers: dict[Any, int] = {"0": 0, "1": 1}
        # Names of the design come before those that a tool made up.
        named = sorted(module["netnames"].items(), key=lambda item: bool(item[1]["hide_name"]))
        self._names: dict[int, str] = {}
        for made_up in (False, True):
            for name, net in named:
                if name.startswith(("_", "$")) is not made_up:
                    continue
                bits = net["bits"]
                for place, bit in enumerate(bits):
                    text = name if len(bits) == 1 else f"{name}[{place + net.get('offset', 0)}]"
                    self._names.setdefault(bit, text)

    def number(self, bit: Any, where: str) -> int:
        if bit not in self._numbers:
            if not isinstance(bit, int):
                raise BuildError(f"is connected to the constant {bit!r}", where=where)
            self._numbers[bit] = len(self.names)
            self.names.append(self._names.get(bit, f"net{bit}"))
        return self._numbers[bit]
