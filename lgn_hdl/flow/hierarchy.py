"""Tells in which block of a design a net of the flat, mapped netlist is driven.

Flattening keeps the path in the names of nets, but a net has a name in every block it passes. The
block that drives it is the deepest one in which its name is not an input port. What synthesis
made has no such name at all: it counts to the block of the nearest named net it drives, or else
of the nearest that drives it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .netlist import NO_CELLS, Usage, read_netlist, sum_cells
from .targets import Target

__all__ = ["driver_blocks", "usage_by_driver"]

_MODULE = re.compile(r"^module \\(\S+)")
_CELL = re.compile(r"^  cell \\(\S+) \\(\S+)$")  # type, name
_WIRE = re.compile(r"^  wire (.*)\\(\S+)$")  # width and direction, name


@dataclass
class _Source:
    """A module of the design before it is flattened."""

    cells: dict[str, str] = field(default_factory=dict)  # name → type
    wires: set[str] = field(default_factory=set)  # without input ports


def driver_blocks(rtlil: str, mapped: Path, top: str = "top") -> Mapping[str, str]:
    """Return the block that drives each net.

    Parameters
    ----------
    rtlil : str
        The design before synthesis.
    mapped : Path
        The netlist that Yosys wrote as JSON, flat.
    top : str

    Returns
    -------
    mapping of str to str
        Net, as nextpnr names it (`a.b[3]`) → block (`a`); the top is the empty string.
    """
    module = read_netlist(mapped)[top]
    known = _bit_blocks(module, _read_sources(rtlil), top)
    blocks = {}
    for name, net in module["netnames"].items():
        single = len(net["bits"]) == 1
        for index, bit in enumerate(net["bits"], net.get("offset", 0)):
            if bit in known:
                blocks[name if single else f"{name}[{index}]"] = known[bit]
    return blocks


def usage_by_driver(
    rtlil: str, mapped: Path, target: Target, top: str = "top"
) -> Mapping[str, Usage]:
    """Return what each block takes of a design that was mapped whole; the sum is the total.

    A cell counts to the block of what it drives, or else of what drives it; see `driver_blocks`.
    What several blocks share, or what synthesis moved from one to another, counts to one of them.

    Parameters
    ----------
    rtlil, mapped, top
        As for `driver_blocks`.
    target : Target

    Returns
    -------
    mapping of str to Usage
        By the name of the block; the top is the empty string.
    """
    module = read_netlist(mapped)[top]
    known = _bit_blocks(module, _read_sources(rtlil), top)
    cells: dict[str, Counter[str]] = defaultdict(Counter)
    for cell in module["cells"].values():
        if cell["type"] in NO_CELLS:
            continue
        inputs, outputs = _ends(cell)
        block = next((known[bit] for bit in (*outputs, *inputs) if bit in known), "")
        cells[block][cell["type"]] += 1
    return {block: sum_cells(cells[block], target) for block in sorted(cells)}


def _bit_blocks(
    module: Mapping[str, Any], sources: Mapping[str, _Source], top: str
) -> Mapping[int, str]:
    """The block that drives each bit of a netlist."""
    owners: dict[int, tuple[int, str]] = {}  # bit → depth and name of its block
    for name, net in module["netnames"].items():
        block = None if net["hide_name"] else _block(name, sources, top)
        for bit in net["bits"]:
            if block is not None and isinstance(bit, int):
                owners[bit] = max(owners.get(bit, block), block)
    known = {bit: block for bit, (_, block) in owners.items()}
    drives, driven = _links(module["cells"].values())
    _spread(known, driven)
    _spread(known, drives)
    return known


def _read_sources(rtlil: str) -> Mapping[str, _Source]:
    sources: dict[str, _Source] = {}
    current = _Source()
    for line in rtlil.split("\n"):
        if match := _MODULE.match(line):
            current = sources[match[1]] = _Source()
        elif match := _CELL.match(line):
            current.cells[match[2]] = match[1]
        elif (match := _WIRE.match(line)) and "input " not in match[1]:
            current.wires.add(match[2])
    return sources


def _block(name: str, sources: Mapping[str, _Source], top: str) -> tuple[int, str] | None:
    """Depth and path of the block that a wire is declared in.

    None if it only enters there, or is none of the design: Yosys makes names from those of the
    cells that a net leads to.
    """
    path: list[str] = []
    source = sources[top]
    parts = name.split(".")
    while len(parts) > 1 and source.cells.get(parts[0]) in sources:
        source = sources[source.cells[parts[0]]]
        path.append(parts.pop(0))
    return (len(path), ".".join(path)) if ".".join(parts) in source.wires else None


def _links(
    cells: Iterable[Mapping[str, Any]],
) -> tuple[Mapping[int, list[int]], Mapping[int, list[int]]]:
    """Bit → bits of the outputs it leads to, and the other way round, through single cells."""
    forward: dict[int, list[int]] = defaultdict(list)
    back: dict[int, list[int]] = defaultdict(list)
    for cell in cells:
        inputs, outputs = _ends(cell)
        for output in outputs:
            back[output] += inputs
            for bit in inputs:
                forward[bit].append(output)
    return forward, back


def _ends(cell: Mapping[str, Any]) -> tuple[list[int], list[int]]:
    """Bits at the inputs and at the outputs of a cell."""
    bits: dict[str, list[int]] = {"input": [], "output": []}
    for port, connected in cell["connections"].items():
        direction = cell.get("port_directions", {}).get(port)
        if direction in bits:
            bits[direction] += [bit for bit in connected if isinstance(bit, int)]
    return bits["input"], bits["output"]


def _spread(known: dict[int, str], links: Mapping[int, list[int]]) -> None:
    """Give each unknown bit the block of the nearest known one, along the links."""
    waiting = deque(known)
    while waiting:
        bit = waiting.popleft()
        for other in links.get(bit, ()):
            if other not in known:
                known[other] = known[bit]
                waiting.append(other)
