"""The area loss against expectations computed one gate at a time, and what it refuses.

The small classes have the names and attributes of torchlogix's and difflogic's layers; they compute
nothing, as the loss only reads them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from lgn_hdl.errors import NetworkError
from lgn_hdl.training import LogicLayer, area_loss

#: Sixteen different areas but for the free ones, in the order of gate ids.
AREAS = np.array([0, 6.3, 6.4, 0, 6.5, 0, 8.8, 5.1, 3.7, 8.9, 3.5, 6.6, 3.6, 6.7, 3.8, 0])


def named(name: str, **attributes: Any) -> Any:
    """An object of a class with a library's name."""
    module = type(name, (nn.Module,), {})()
    for key, value in attributes.items():
        setattr(module, key, value)
    return module


def raw(weight: torch.Tensor, temperature: float = 1.0, **changes: Any) -> nn.Module:
    """A LogicDense of torchlogix."""
    parametrization = named("RawLUTParametrization", temperature=temperature)
    attributes = {"lut_rank": 2, "parametrization": parametrization} | changes
    return named("LogicDense", weight=nn.Parameter(weight), **attributes)


def difflogic(weights: torch.Tensor) -> nn.Module:
    return named("LogicLayer", weights=nn.Parameter(weights))


def expected(weights: torch.Tensor, temperature: float = 1.0) -> float:
    total = 0.0
    for row in weights.tolist():
        powers = [math.exp(weight / temperature) for weight in row]
        total += sum(p * a for p, a in zip(powers, AREAS.tolist(), strict=True)) / sum(powers)
    return total


def random(rows: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(rows, 16, generator=torch.Generator().manual_seed(seed)).double()


@pytest.mark.parametrize("temperature", [1.0, 0.3, 4.0])
def test_one_layer_has_its_expected_area(temperature: float) -> None:
    weights = random(7)
    found = area_loss(raw(weights, temperature), AREAS)
    assert found.shape == ()
    assert found.item() == pytest.approx(expected(weights, temperature), rel=1e-12)
    if temperature == 1:
        assert area_loss(difflogic(weights), AREAS).item() == found.item()


def test_layers_add_up_wherever_they_stand() -> None:
    a, b, c = random(3), random(5, 1), random(2, 2)
    inner = nn.Sequential(nn.Flatten(), difflogic(b))
    derived = type("OwnLayer", (type(difflogic(c)),), {})()
    derived.weights = nn.Parameter(c)
    module = nn.Sequential(nn.Flatten(), raw(a, 0.5), nn.ModuleDict({"x": inner}), derived)
    total = expected(a, 0.5) + expected(b) + expected(c)
    assert area_loss(module, AREAS).item() == pytest.approx(total, rel=1e-12)


@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.bfloat16])
def test_the_type_is_that_of_the_weights(kind: torch.dtype) -> None:
    found = area_loss(raw(random(4).to(kind)), AREAS.tolist())
    assert found.dtype == kind
    assert found.item() == pytest.approx(expected(random(4).to(kind).double()), rel=0.02)


def test_gradients_are_those_of_finite_differences() -> None:
    def loss(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        one = raw(torch.zeros(1, 16).double(), 0.7)
        two = difflogic(torch.zeros(1, 16).double())
        del one.weight, two.weights
        one.weight, two.weights = first, second
        return area_loss(nn.ModuleList([one, two]), AREAS)

    pair = random(3).requires_grad_(), random(2, 1).requires_grad_()
    assert torch.autograd.gradcheck(loss, pair)
    loss(*pair).backward()
    assert pair[0].grad is not None
    assert pair[0].grad[:, 6].min() > 0, "away from xor"
    assert pair[0].grad[:, 3].max() < 0, "towards wires"


@pytest.mark.parametrize("gate", range(16))
def test_a_decided_gate_has_its_own_area(gate: int) -> None:
    weights = torch.zeros(1, 16)
    weights[0, gate] = 1000.0
    assert area_loss(difflogic(weights), AREAS).item() == np.float32(AREAS[gate])
    assert area_loss(raw(weights), AREAS).item() == np.float32(AREAS[gate])


def test_the_gates_of_our_own_layer_are_products_of_its_entries() -> None:
    torch.manual_seed(0)
    layer = LogicLayer(6, 5).double()
    ones = torch.sigmoid(layer.entries).tolist()
    total = 0.0
    for row in ones:
        for gate, area in enumerate(AREAS.tolist()):
            digits = f"{gate:04b}"
            share = math.prod(p if d == "1" else 1 - p for p, d in zip(row, digits, strict=True))
            total += area * share
    assert area_loss(layer, AREAS).item() == pytest.approx(total, rel=1e-6)
    area_loss(layer, AREAS).backward()
    assert layer.entries.grad is not None
    assert layer.choice.grad is None


def test_descent_ends_at_gates_that_cost_nothing() -> None:
    layer = raw(random(20).float())
    optimizer = torch.optim.Adam(layer.parameters(), 0.1)
    for _ in range(200):
        optimizer.zero_grad()
        area_loss(layer, AREAS).backward()
        optimizer.step()
    weight = layer.get_parameter("weight")
    assert set(weight.argmax(1).tolist()) <= {0, 3, 5, 15}


@pytest.mark.parametrize(
    ("areas", "message"),
    [
        (AREAS[:15], r"areas have the shape \(15,\), expected \(16,\)"),
        (AREAS[None], r"areas have the shape \(1, 16\)"),
        (5.0, r"areas have the shape \(\)"),
        (np.where(np.arange(16) == 9, -1, AREAS), "the area of gate 9 is -1.0, expected 0 or more"),
        (np.where(np.arange(16) == 2, np.nan, AREAS), "the area of gate 2 is nan"),
        (np.where(np.arange(16) == 1, np.inf, AREAS), "the area of gate 1 is inf"),
        (["a"] * 16, "areas are not numbers"),
        (None, "areas are not numbers"),
    ],
)
def test_areas_that_are_none(areas: Any, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        area_loss(difflogic(random(2)), areas)


LIGHT, WARP = named("LightLUTParametrization"), named("WarpLUTParametrization")


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (
            nn.Linear(3, 3),
            "there is no layer of gates in the module .*expected layers of two-input",
        ),
        (raw(random(2), parametrization=LIGHT), "layer 'gates': its parametrization is LightLUT"),
        (raw(random(2), parametrization=WARP), "its parametrization is WarpLUTParametrization"),
        (raw(random(2), lut_rank=4), "RawLUTParametrization with lut_rank 4"),
        (named("LogicDense"), "its parametrization is NoneType with lut_rank None"),
        (raw(random(2)[:, :4]), r"weight have the shape \(2, 4\), expected \(neurons, 16\)"),
        (difflogic(random(2)[0]), r"weights have the shape \(16,\), expected \(neurons, 16\)"),
        (
            named("LogicLayer", weights=torch.zeros(2, 16, dtype=torch.int64)),
            "weights is no tensor",
        ),
        (named("LogicLayer"), "weights is no tensor of floating-point numbers"),
        (named("LogicConv2d"), "layer 'gates': the area of a LogicConv2d depends on how"),
    ],
)
def test_layers_without_a_weight_per_gate(layer: nn.Module, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        area_loss(nn.ModuleDict({"gates": layer}), AREAS)
