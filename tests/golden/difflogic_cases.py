"""The difflogic networks that goldens are made of. Needs difflogic 0.1.0.

A case is a function without arguments that gives a live module, the shape of a sample and a batch
of inputs. Every network is of the library's Python implementation, on the CPU.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from types import ModuleType

import torch
from torch import nn

# The library imports its CUDA extension first of all. The Python implementation never calls it;
# a call would fail, for there is nothing in this module.
sys.modules.setdefault("difflogic_cuda", ModuleType("difflogic_cuda"))

from difflogic import GroupSum, LogicLayer  # noqa: E402

SAMPLES = 48


@dataclass
class Case:
    """A module, a batch and the shape of a sample."""

    module: nn.Module
    x: torch.Tensor
    shape: tuple[int, ...]


def logic(inputs: int, outputs: int, **options) -> LogicLayer:
    return LogicLayer(inputs, outputs, device="cpu", implementation="python", **options)


def group_sum(groups: int, tau: float) -> GroupSum:
    return GroupSum(groups, tau, device="cpu")


def bits(*shape: int) -> torch.Tensor:
    return torch.randint(0, 2, (SAMPLES, *shape)).float()


def net(inputs: int, sizes: Sequence[int], groups: int = 0, tau: float = 1.0, **options) -> Case:
    """Layers of random weights, as the library makes them."""
    widths = [inputs, *sizes]
    layers = [logic(a, b, **options) for a, b in zip(widths, sizes, strict=False)]
    end = [group_sum(groups, tau)] if groups else []
    return Case(nn.Sequential(*layers, *end), bits(inputs), (inputs,))


def of_type(dtype: torch.dtype) -> Case:
    case = net(14, [20, 20], 5, 3.0)
    case.module.to(dtype)
    return case


def all_gates() -> Case:
    """One gate of every kind, on all values of its inputs."""
    layer = logic(2, 16)
    with torch.no_grad():
        layer.weights.copy_(torch.eye(16))
    layer.indices = torch.zeros(16, dtype=torch.int64), torch.ones(16, dtype=torch.int64)
    return Case(nn.Sequential(layer), torch.tensor(list(product((0.0, 1.0), repeat=2))), (2,))


def ties() -> Case:
    """Several largest weights of the same value; -0.0 and 0.0 among them."""
    case = net(14, [24, 24], 4)
    with torch.no_grad():
        for layer in case.module[:2]:
            layer.weights.round_()
            layer.weights[:3] = -0.0
            layer.weights[1, 9:] = 0.0
    return case


def near_ties(dtype: torch.dtype) -> Case:
    """The two largest weights are neighbours in their number type, in either order."""
    case = net(14, [32, 32], 4)
    case.module.to(dtype)
    with torch.no_grad():
        for layer in case.module[:2]:
            first = torch.randint(0, 15, (32,))
            second = first + 1 + (torch.rand(32) * (15 - first)).long()
            value = layer.weights.amax(1).abs() + 1
            above = torch.nextafter(value, value * 2)
            swap = torch.rand(32) < 0.5
            row = torch.arange(32)
            layer.weights[row, first] = torch.where(swap, value, above)
            layer.weights[row, second] = torch.where(swap, above, value)
    return case


def trained() -> Case:
    """Trained to tell whether bits 0 to 3 hold more ones than bits 4 to 7 (of 12)."""
    case = net(12, [48, 48, 40], 2, 5.0, connections="unique", grad_factor=1.5)
    optimizer = torch.optim.Adam(case.module.parameters(), 0.05)
    for _ in range(120):
        x = torch.randint(0, 2, (128, 12)).float()
        loss = nn.functional.cross_entropy(
            case.module(x), (x[:, :4].sum(1) > x[:, 4:8].sum(1)).long()
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return case


def flatten() -> Case:
    layers = nn.Flatten(), logic(16, 30), logic(30, 30, connections="unique"), group_sum(10, 1.5)
    return Case(nn.Sequential(*layers), bits(1, 4, 4), (1, 4, 4))


def nested() -> Case:
    inner = nn.Sequential(nn.Identity(), logic(12, 18), nn.Dropout(0.5))
    outer = nn.Sequential(nn.Sequential(nn.Flatten(), inner), logic(18, 12, connections="unique"))
    return Case(nn.Sequential(outer, group_sum(3, 7.5)), bits(3, 4), (3, 4))


def wrapper() -> Case:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = nn.Sequential(logic(10, 12), logic(12, 12), group_sum(4, 0.3))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.model(x)

    return Case(Own(), bits(10), (10,))


def many_layers() -> Case:
    """More than ten: "10.weights" stands after "2.weights"."""
    return net(12, [12] * 12, 3, grad_factor=2.0)


def twice() -> Case:
    """One layer that runs two times."""
    layer = logic(14, 14)
    return Case(nn.Sequential(layer, layer, group_sum(7, 2.0)), bits(14), (14,))


def leading_axes() -> Case:
    layers = logic(6, 8), logic(8, 5), nn.Flatten(), logic(20, 24), group_sum(2, 1.5)
    return Case(nn.Sequential(*layers), bits(4, 6), (4, 6))


def stored_indices() -> Case:
    """The indices as a parameter, as the library's users do to have them in the state_dict.

    As int32: the Python implementation assigns the attribute anew if it is int64.
    """
    case = net(14, [16, 20], 5, 2.0)
    for layer in case.module[:2]:
        pair = torch.stack(layer.indices).int()
        del layer.indices
        layer.indices = nn.Parameter(pair, requires_grad=False)
    return case


def single_layer() -> Case:
    return Case(logic(11, 9), bits(11), (11,))


CASES: dict[str, Callable[[], Case]] = {
    "random": lambda: net(14, [16, 20], 5, 2.0),
    "unique": lambda: net(14, [16, 20], 5, 2.0, connections="unique"),
    "random_odd": lambda: net(15, [23, 21], 7, 0.3),
    "unique_odd": lambda: net(15, [23, 21], 3, 10.0, connections="unique"),
    "halving": lambda: net(32, [16, 8, 4], 2),
    "unread_input": lambda: net(15, [8, 6], 2, connections="unique"),
    "wide": lambda: net(3, [40, 60], 10, 12.5),
    "one_class": lambda: net(9, [12, 12], 1, 4.0),
    "bits": lambda: net(13, [17, 19]),
    "float64": lambda: of_type(torch.float64),
    "float16": lambda: of_type(torch.float16),
    "bfloat16": lambda: of_type(torch.bfloat16),
    "all_gates": all_gates,
    "ties": ties,
    "near_ties": lambda: near_ties(torch.float32),
    "near_ties_float64": lambda: near_ties(torch.float64),
    "near_ties_bfloat16": lambda: near_ties(torch.bfloat16),
    "trained": trained,
    "many_layers": many_layers,
    "flatten": flatten,
    "nested": nested,
    "wrapper": wrapper,
    "twice": twice,
    "leading_axes": leading_axes,
    "stored_indices": stored_indices,
    "single_layer": single_layer,
}
