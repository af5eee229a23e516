"""How much logic a network is: MACs in gate equivalents, gates of an LGN, and what is left of them.

A multiply-accumulate of a-bit activations and w-bit weights counts as an array multiplier and an
adder for the sum: a·w AND gates, and 5 two-input gates for each of the (w - 1)·a full adders of the
array and the a + w full adders of the accumulator. Memory for weights, activations and registers
come on top for the conventional networks and are not counted.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from math import prod
from pathlib import Path

import torch
from torch import nn

from ..logic import lower, optimize
from ..model import Model
from ..network import OrPool
from .configs import ConvConfig, DenseConfig

__all__ = ["Row", "config_row", "gates_per_mac", "macs", "model_row", "module_row", "write_table"]

_FULL_ADDER = 5


def gates_per_mac(activation_bits: int = 8, weight_bits: int = 8) -> int:
    """Two-input gates of one multiply-accumulate."""
    a, w = activation_bits, weight_bits
    return a * w + _FULL_ADDER * ((w - 1) * a + a + w)


def macs(module: nn.Module, features: int) -> int:
    """Multiplications of a module of linear and convolution layers for one sample."""
    found = 0

    def count(layer: nn.Module, _: object, output: torch.Tensor) -> None:
        nonlocal found
        weight = layer.weight
        assert isinstance(weight, torch.Tensor)
        places = output[0].numel() // len(weight)
        found += weight.numel() * places

    kinds = (nn.Linear, nn.Conv2d)
    hooks = [m.register_forward_hook(count) for m in module.modules() if isinstance(m, kinds)]
    try:
        module.eval()
        with torch.no_grad():
            module(torch.zeros(1, features))
    finally:
        for hook in hooks:
            hook.remove()
    return found


@dataclass(frozen=True)
class Row:
    """A line of the table; None where a column does not apply or was not measured.

    Parameters
    ----------
    name : str
    features : int
    parameters : int
        Trained numbers of a conventional network.
    macs : int
        Multiply-accumulates for a sample.
    gate_equivalents : int
        macs · `gates_per_mac`.
    trained_gates : int
        Of an LGN, a kernel once.
    gates_in_place : int
        The same with every position of a kernel as gates of its own.
    simplified_gates : int
        What the compiler's passes leave of these.
    lut6 : int
        Of the whole design (comparators, gates, sums, argmax), mapped.
    cells, area_um2 : int
        The same as standard cells.
    """

    name: str
    features: int
    parameters: int | None = None
    macs: int | None = None
    gate_equivalents: int | None = None
    trained_gates: int | None = None
    gates_in_place: int | None = None
    simplified_gates: int | None = None
    lut6: int | None = None
    cells: int | None = None
    area_um2: int | None = None


HEADINGS: Mapping[str, str] = {
    "name": "Network",
    "features": "Features",
    "parameters": "Parameters",
    "macs": "MACs",
    "gate_equivalents": "Gate equivalents of the MACs",
    "trained_gates": "Trained gates",
    "gates_in_place": "Gates in place",
    "simplified_gates": "After simplification",
    "lut6": "LUT6, whole design",
    "cells": "Standard cells",
    "area_um2": "Area, µm²",
}


def module_row(name: str, module: nn.Module, features: int) -> Row:
    """A conventional network at 8 bits."""
    multiplications = macs(module, features)
    return Row(
        name,
        features,
        parameters=sum(p.numel() for p in module.parameters()),
        macs=multiplications,
        gate_equivalents=multiplications * gates_per_mac(),
    )


def config_row(name: str, config: DenseConfig | ConvConfig) -> Row:
    """An LGN that is not trained here: only its size is known."""
    in_place = config.gates_in_parallel if isinstance(config, ConvConfig) else config.gates
    return Row(name, config.features, trained_gates=config.gates, gates_in_place=in_place)


def model_row(name: str, model: Model, trained_gates: int | None = None) -> Row:
    """A trained LGN, simplified."""
    lowered = lower(model.network)
    program, _ = optimize(lowered)
    pooling = sum(
        model.network.types[node.name].size * (prod(node.layer.window) - 1)
        for node in model.network.nodes
        if isinstance(node.layer, OrPool)
    )
    in_place = lowered.num_gates - pooling
    (tensor,) = model.network.inputs.values()
    return Row(
        name,
        tensor.size,
        trained_gates=trained_gates or in_place,
        gates_in_place=in_place,
        simplified_gates=program.num_gates,
    )


def write_table(rows: Iterable[Row], folder: Path) -> list[Path]:
    """`gates.csv` and `gates.md`; columns that no line fills are left out."""
    lines = [asdict(row) for row in rows]
    names = [f.name for f in fields(Row)]
    used = [n for n in names if any(line[n] is not None for line in lines)]
    table, text = folder / "gates.csv", folder / "gates.md"
    with table.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow([HEADINGS[n] for n in used])
        out.writerows([["" if line[n] is None else line[n] for n in used] for line in lines])
    out = ["| " + " | ".join(HEADINGS[n] for n in used) + " |"]
    out.append("|---" + "|---:" * (len(used) - 1) + "|")
    for line in lines:
        out.append("| " + " | ".join(_shown(line[n]) for n in used) + " |")
    text.write_text("\n".join(out) + "\n")
    return [table, text]


def _shown(value: object) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
