"""Reads the JSON netlist that Yosys writes: what it uses, and how deep it is."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .targets import Target

__all__ = [
    "NO_CELLS",
    "Resources",
    "Usage",
    "count_cells",
    "logic_depth",
    "read_netlist",
    "sum_cells",
    "usage_by_block",
]

Module = Mapping[str, Any]

#: What stands in a netlist and takes nothing.
NO_CELLS = ("$scopeinfo", "VCC", "GND")


@dataclass(frozen=True)
class Usage:
    """How much of a device something takes.

    Parameters
    ----------
    lut, ff, carry, dsp, bram : int
        LUTs of any size (an inverter that stayed is one), flip-flops, carry cells as the family
        counts them (a CARRY4 is one and four bits long; a CCU2C also takes two LUTs, a Gowin ALU
        one), multipliers, block memories.
    cells : dict of str to int
        The cells of the netlist by type.
    """

    lut: int = 0
    ff: int = 0
    carry: int = 0
    dsp: int = 0
    bram: int = 0
    cells: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Resources(Usage):
    """What the whole design takes, and its blocks one by one.

    Parameters
    ----------
    by_block : dict of str to Usage
        For every submodule of the top, mapped on its own; `top` is what lies outside them. Blocks
        do not see each other then, so the sum is not the total, which is usually smaller.
    """

    by_block: Mapping[str, Usage] = field(default_factory=dict)


def read_netlist(path: Path) -> Mapping[str, Module]:
    """Return the modules of a netlist, without the descriptions of library cells."""
    modules = json.loads(path.read_text())["modules"]
    return {
        name: module
        for name, module in modules.items()
        if not module["attributes"].keys() & {"blackbox", "whitebox"}
    }


def count_cells(modules: Mapping[str, Module], top: str) -> Counter[str]:
    """Count the cells of a module and of everything in it, by type."""
    total: Counter[str] = Counter()
    for cell in modules[top]["cells"].values():
        if cell["type"] in modules:
            total += count_cells(modules, cell["type"])
        elif cell["type"] not in NO_CELLS:
            total[cell["type"]] += 1
    return total


def sum_cells(cells: Mapping[str, int], target: Target) -> Resources:
    """Return what cells take on a target."""
    total: Counter[str] = Counter()
    for cell_type, count in cells.items():
        for resource, amount in target.takes(cell_type).items():
            total[resource] += amount * count
    lut, ff, carry, dsp, bram = (total[name] for name in ("lut", "ff", "carry", "dsp", "bram"))
    return Resources(lut, ff, carry, dsp, bram, dict(sorted(cells.items())))


def usage_by_block(modules: Mapping[str, Module], top: str, target: Target) -> Mapping[str, Usage]:
    """Return what each submodule of the top takes, and what is left in the top itself."""
    blocks = {
        name: sum_cells(count_cells(modules, cell["type"]), target)
        for name, cell in modules[top]["cells"].items()
        if cell["type"] in modules
    }
    inside: Counter[str] = Counter()
    for block in blocks.values():
        inside.update(block.cells)
    rest = count_cells(modules, top) - inside
    return blocks | ({"top": sum_cells(rest, target)} if rest else {})


def logic_depth(module: Module, target: Target) -> int:
    """Return the largest number of LUTs on a path between registers and ports.

    Carry cells and wide multiplexers are passed through and count nothing.
    """
    drives: dict[int, list[str]] = defaultdict(list)  # net → combinational cells that read it
    waits: dict[str, int] = {}
    outputs: dict[str, list[int]] = {}
    lut = set()
    for name, cell in module["cells"].items():
        takes = target.takes(cell["type"])
        if takes.keys() & {"ff", "dsp", "bram"}:
            continue
        if target.is_lut(cell["type"]):
            lut.add(name)
        nets: dict[str, list[int]] = {"input": [], "output": []}
        for port, bits in cell["connections"].items():
            direction = cell.get("port_directions", {}).get(port)
            if direction in nets:
                nets[direction] += [bit for bit in bits if isinstance(bit, int)]
        outputs[name] = nets["output"]
        waits[name] = 0
        for net in set(nets["input"]):
            drives[net].append(name)
    driven = {net for nets in outputs.values() for net in nets}
    for net in driven:
        for name in drives[net]:
            waits[name] += 1
    depth = dict.fromkeys(waits, 0)
    ready = [name for name, count in waits.items() if count == 0]
    deepest = 0
    while ready:
        name = ready.pop()
        level = depth[name] + (name in lut)
        deepest = max(deepest, level)
        for net in outputs[name]:
            for reader in drives[net]:
                depth[reader] = max(depth[reader], level)
                waits[reader] -= 1
                if waits[reader] == 0:
                    ready.append(reader)
    return deepest
