"""What the gates of a network take as standard cells, one for each, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..errors import BuildError
from ..flow import CellNames, Liberty, area_by_layer
from ..logic.absorb import absorb
from ..logic.lower import layer_of_gates, lower
from ..logic.program import LogicProgram
from ..network import Network

__all__ = ["LayerCells", "cell_names", "one_to_one_layers"]


@dataclass(frozen=True)
class LayerCells:
    """A layer, one cell for each gate that is neither constant, wire nor inverter.

    Parameters
    ----------
    name : str
    trained : int
        Gates of the layer.
    unread : int
        Those among them that no output depends on, but for constants, wires and inverters.
    unread_um2 : float
        What these would take.
    cells : int
        Gates that are left.
    area_um2 : float
        What they take.
    """

    name: str
    trained: int
    unread: int
    unread_um2: float
    cells: int
    area_um2: float


def cell_names(logic: Network) -> CellNames:
    """Names of the cells of a network's gates, one to one."""
    layer = layer_of_gates(logic)
    _, first = np.unique(layer.astype(str), return_index=True)
    begin = {str(layer[place]): int(place) for place in first}
    _, origin = absorb(lower(logic))
    names = [str(layer[gate]) if gate >= 0 else "" for gate in origin.tolist()]
    inverters = np.cumsum(origin < 0) - 1
    place = [
        gate - begin[name] if name else inverter
        for gate, name, inverter in zip(origin.tolist(), names, inverters.tolist(), strict=True)
    ]
    return CellNames(names, np.array(place, np.int64))


def one_to_one_layers(logic: Network, liberty: Liberty) -> list[LayerCells]:
    """Cells and area of each layer, one to one; empty if a gate has no cell of its own."""
    program = lower(logic)
    whole, all_of_it = absorb(_all_read(program))
    left, origin = absorb(program)
    layer = layer_of_gates(logic).astype(str)
    try:
        every = area_by_layer(whole, _of_layers(layer, all_of_it), liberty)
        kept = area_by_layer(left, _of_layers(layer, origin), liberty)
    except BuildError:
        return []

    def of(places: np.ndarray, name: str) -> int:
        return int(np.sum(layer[places[places >= 0]] == name))

    return [
        LayerCells(
            name,
            int(np.sum(layer == name)),
            of(all_of_it, name) - of(origin, name),
            round(every.get(name, 0.0) - kept.get(name, 0.0), 4),
            of(origin, name),
            round(kept.get(name, 0.0), 4),
        )
        for name in dict.fromkeys(layer.tolist())
    ]


def _of_layers(layer: np.ndarray, origin: np.ndarray) -> CellNames:
    names = [str(layer[gate]) if gate >= 0 else "" for gate in origin.tolist()]
    return CellNames(names, origin)


def _all_read(program: LogicProgram) -> LogicProgram:
    """The program with every gate among its outputs, so that none counts as unread."""
    own = np.arange(program.first_gate, program.num_signals, dtype=np.int32)
    wires = np.concatenate([program.bits, own])
    return replace(program, bits=wires)
