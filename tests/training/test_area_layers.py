"""Our own gate layer: its gradients, what it decides, and what becomes of it when converted."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import nn

import lgn_hdl
from lgn_hdl.errors import NetworkError
from lgn_hdl.network import GroupSum as Scores
from lgn_hdl.network import LutLayer
from lgn_hdl.training import GroupSum, LogicLayer, area_loss
from lgn_hdl.training.logic import _Choose, _Gates, _Mix


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Operations this small take longer on two threads, and far longer on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


AREAS = [0, 6, 6, 0, 6, 0, 9, 5, 4, 9, 4, 6, 4, 6, 4, 0]


def layer(inputs: int = 9, gates: int = 12, candidates: int = 4, seed: int = 0) -> LogicLayer:
    torch.manual_seed(seed)
    return LogicLayer(inputs, gates, candidates=candidates)


def uniform(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, dtype=torch.float64).requires_grad_()


@pytest.mark.parametrize("candidates", [1, 3, 40])
def test_a_mixture_and_its_gradients(candidates: int) -> None:
    """With 40 inputs for 6 connections most inputs are nobody's candidate."""
    made = layer(40, 3, candidates)
    parts = made.candidates, made.order, made.first
    x, share = uniform(40, 5), uniform(6, candidates)
    found = cast(Any, _Mix.apply)(x, share, *parts)
    assert torch.allclose(found, (x[made.candidates] * share[:, :, None]).sum(1))
    assert torch.autograd.gradcheck(lambda *both: _Mix.apply(*both, *parts), (x, share))


def test_a_choice_has_the_gradients_of_the_mixture_it_is() -> None:
    """Those of shares that are one for the chosen candidate, and zero for the others."""
    made = layer()
    chosen = torch.cat(made.indices)
    hard = (made.candidates == chosen[:, None]).double().requires_grad_()
    assert hard.sum() == len(chosen)
    x, factor = uniform(9, 5), torch.rand(24, 5).double()
    parts = made.candidates, made.order, made.first
    (cast(Any, _Mix.apply)(x, hard, *parts) * factor).sum().backward()
    gradients, x.grad = (x.grad, hard.grad), None
    share = uniform(24, 4)
    found = cast(Any, _Choose.apply)(x, share, made.candidates, chosen)
    assert torch.equal(found, x[chosen])
    (found * factor).sum().backward()
    for ours, theirs in zip((x.grad, share.grad), gradients, strict=True):
        assert ours is not None
        assert theirs is not None
        assert torch.allclose(ours, theirs)


def test_gradients_of_the_gates() -> None:
    torch.manual_seed(0)
    assert torch.autograd.gradcheck(_Gates.apply, (uniform(7, 5), uniform(7, 5), uniform(7, 4)))


def test_training_decides_as_evaluation_does_when_hard() -> None:
    made = layer()
    x = (torch.rand(50, 9) > 0.5).float()
    soft = made(x)
    assert ((soft > 0) & (soft < 1)).all()
    made.hard = True
    hard = made(x)
    assert torch.allclose(hard, hard.round(), rtol=0, atol=1e-6)
    assert torch.equal(hard.round(), made.eval()(x))
    hard.sum().backward()
    assert made.entries.grad is not None
    assert made.choice.grad is not None
    assert made.choice.grad.abs().sum() > 0


def test_every_gate_by_its_printed_id() -> None:
    """Entry by entry: the digits of an id are the outputs for 00, 01, 10 and 11."""
    made = layer(2, 16, 2).eval()
    digits = torch.tensor([[int(d) for d in f"{gate:04b}"] for gate in range(16)])
    with torch.no_grad():
        made.entries.copy_(4.0 * digits - 2)
        made.choice.zero_()[:16, 0] = 1.0
        made.choice[16:, 1] = 1.0
    assert made.weights.argmax(1).tolist() == list(range(16))
    x = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]]).float()
    assert torch.equal(made(x).t().int(), digits.int())
    converted = lgn_hdl.convert(nn.Sequential(made)).network.nodes[0].layer
    assert isinstance(converted, LutLayer)
    assert [f"{int(t):04b}"[::-1] for t in converted.tables] == [f"{g:04b}" for g in range(16)]


@pytest.mark.parametrize("seed", range(3))
def test_a_converted_network_decides_as_the_module(seed: int) -> None:
    torch.manual_seed(seed)
    module = nn.Sequential(LogicLayer(20, 64), LogicLayer(64, 30, candidates=3), GroupSum(5, 2.0))
    x = (torch.rand(300, 20) > 0.5).float()
    scores = module.eval()(x)
    model = lgn_hdl.convert(module, classes=list("abcde"))
    assert model.network.group_sum == Scores(5, 2.0)
    assert np.array_equal(model.scores(x.numpy()), (2 * scores).int().numpy())
    assert np.array_equal(model.reference()(x.numpy()).numpy(), (2 * scores).int().numpy())


def test_a_state_dict_brings_everything_back() -> None:
    one, other = layer(seed=1), layer(seed=2)
    x = (torch.rand(40, 9) > 0.5).float().requires_grad_()
    other.load_state_dict(one.state_dict())
    one(x).square().sum().backward()
    gradient, x.grad = x.grad, None
    other(x).square().sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad, cast(torch.Tensor, gradient))


def test_what_is_bounded() -> None:
    made = layer()
    with torch.no_grad():
        made.entries.mul_(100)
        made.choice.mul_(1000)
    before = made.eval()(torch.eye(9))
    made.bound()
    assert made.entries.abs().max() == 2
    assert made.choice.abs().max() == 3
    assert before.shape == (9, 12)


def test_candidates_differ_and_may_be_all() -> None:
    assert all(len(set(row)) == 4 for row in layer().candidates.tolist())
    assert layer(3, 2, 9).candidates.tolist() == [[0, 1, 2]] * 4
    with pytest.raises(NetworkError, match="0 gates on 3 inputs with 4 candidates"):
        layer(3, 0)


def learned(weight: float) -> tuple[float, float]:
    """Accuracy and area of networks that learn (x0 and x1) or x2, and whether x3 = x4."""
    torch.manual_seed(0)
    bits = ((torch.arange(64)[:, None] >> torch.arange(6)) & 1).float()
    whole = bits.bool()
    target = (((whole[:, 0] & whole[:, 1]) | whole[:, 2]) ^ whole[:, 3] ^ whole[:, 4]).long()
    module = nn.Sequential(LogicLayer(6, 60), LogicLayer(60, 40), GroupSum(2, 2.0))
    layers = [part for part in module if isinstance(part, LogicLayer)]
    optimizer = torch.optim.Adam(module.parameters(), 0.03)
    for step in range(400):
        for part in layers:
            part.hard = step >= 100
        loss = nn.functional.cross_entropy(module(bits), target)
        if weight:
            loss = loss + weight * area_loss(module, AREAS)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        for part in layers:
            part.bound()
    correct = (module.eval()(bits).argmax(1) == target).float().mean().item()
    gates = torch.cat([part.weights.argmax(1) for part in layers])
    return correct, float(torch.tensor(AREAS)[gates].sum())


def test_training_learns_and_the_loss_saves_area() -> None:
    accuracy, area = learned(0.0)
    small_accuracy, small_area = learned(3e-4)
    assert accuracy > 0.9
    assert small_accuracy >= accuracy - 0.05
    assert small_area < 0.75 * area


def test_gates_need_no_brevitas() -> None:
    code = "import sys; sys.modules['brevitas'] = None; from lgn_hdl.training import LogicLayer"
    code += ", area_loss, GroupSum; assert area_loss(LogicLayer(4, 4), [1.0] * 16) > 3.99"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=100)
