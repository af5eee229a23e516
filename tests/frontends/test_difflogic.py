"""The difflogic frontend against outputs of the real library, and what it refuses.

The goldens were made by `tests/golden/make_difflogic.py`. What becomes of a live module is checked
against the recorded outputs too (see `difflogic_goldens`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from difflogic_goldens import check, goldens, live, named, stored
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import lgn_hdl
from lgn_hdl.errors import LgnError, NetworkError
from lgn_hdl.frontends import convert, load_network
from lgn_hdl.frontends.difflogic import from_state_dict, indices, save_indices
from lgn_hdl.network import BIT, GroupSum, LutLayer, Network, Node
from lgn_hdl.network.storage import network_digest
from lgn_hdl.reference import Reference

CASES = list(goldens())
#: Cases whose layers do not simply follow each other, which a state_dict cannot tell.
LIVE_ONLY = {"leading_axes"}
STORED = [name for name in CASES if name not in LIVE_ONLY]


@pytest.mark.parametrize("name", CASES)
def test_a_live_module_has_the_output_of_the_library(name: str) -> None:
    case = goldens()[name]
    network = convert(live(case), case["x"].shape[1:])
    check(network, case)
    assert network.meta == {"source": "difflogic"}
    assert network.inputs["x"].element == BIT


@pytest.mark.parametrize("name", STORED)
def test_a_state_dict_has_the_output_of_the_library(name: str, tmp_path: Path) -> None:
    case = goldens()[name]
    state, wiring = stored(case)
    check(from_state_dict(state, wiring), case)
    torch.save(state, tmp_path / "net.pth")
    save_indices(live(case), tmp_path / "net.indices.npz")
    network = load_network(tmp_path / "net.pth")
    check(network, case)
    flat = convert(live(case), network.inputs["x"].shape)
    assert network_digest(flat) == network_digest(network), "both ways make the same network"


@pytest.mark.parametrize("name", STORED)
def test_one_wrong_gate_is_noticed(name: str) -> None:
    """The goldens have teeth: with one gate of the last layer inverted they fail."""
    case = goldens()[name]
    network = from_state_dict(*stored(case))
    last = [i for i, n in enumerate(network.nodes) if isinstance(n.layer, LutLayer)][-1]
    layer = network.nodes[last].layer
    assert isinstance(layer, LutLayer)
    tables = layer.tables.copy()
    tables[-1] ^= np.uint64(15)
    node = Node(
        network.nodes[last].name, LutLayer(layer.connections, tables), network.nodes[last].inputs
    )
    nodes = (*network.nodes[:last], node, *network.nodes[last + 1 :])
    with pytest.raises(AssertionError):
        check(Network(network.inputs, nodes, network.outputs), case)


def test_what_the_goldens_cover() -> None:
    weights = {
        name: [value for key, value in goldens()[name]["state_dict"].items() if "weights" in key]
        for name in CASES
    }
    used = {int(gate) for layers in weights.values() for w in layers for gate in w.argmax(1)}
    assert used == set(range(16))
    tied = [w.double().topk(2).values for w in weights["ties"]]
    assert sum(int((pair[:, 0] == pair[:, 1]).sum()) for pair in tied) > 5
    for name in ("near_ties", "near_ties_float64", "near_ties_bfloat16"):
        (top, next_) = weights[name][0].topk(2).values.T
        assert (torch.nextafter(next_, top) == top).all()
        assert (next_ < top).all()
    taus = {layer.get("tau", 1.0) for name in CASES for layer in goldens()[name]["layers"]}
    assert len(taus) > 5


@given(st.integers(1, 9), st.lists(st.integers(1, 12), min_size=1, max_size=4), st.integers(0, 99))
def test_every_gate_is_the_heaviest_of_sixteen(inputs: int, sizes: list[int], seed: int) -> None:
    """Against the gates as difflogic prints them, for random weights with many ties."""
    rng = np.random.default_rng(seed)
    widths = [inputs, *sizes]
    state, wiring = {}, []
    x = rng.integers(0, 2, (20, inputs), np.uint8)
    expected = x
    for i, (before, after) in enumerate(zip(widths, sizes, strict=False)):
        weights = rng.integers(-2, 3, (after, 16))
        a, b = rng.integers(0, before, (2, after))
        state[f"{i}.weights"] = torch.from_numpy(weights).float()
        wiring.append((torch.from_numpy(a), torch.from_numpy(b)))
        gates = [row.index(max(row)) for row in weights.tolist()]
        # The binary digits of a gate's id are its outputs for (0, 0), (0, 1), (1, 0), (1, 1).
        expected = np.array(
            [[int(f"{g:04b}"[2 * s[i] + s[j]]) for g, i, j in zip(gates, a, b, strict=True)]
             for s in expected]
        )  # fmt: skip
    network = from_state_dict(state, wiring, inputs=inputs)
    assert np.array_equal(Reference(network)(x).numpy(), expected)


# --- live modules --------------------------------------------------------------------------------


def test_what_is_written_for_a_state_dict() -> None:
    case = goldens()["flatten"]
    found = indices(live(case))
    assert list(found) == ["inputs", "1.indices", "2.indices", "groups", "tau"]
    assert (found["inputs"], found["groups"], found["tau"]) == (16, 10, 1.5)
    assert np.array_equal(found["2.indices"], case["indices"][1].numpy())
    assert list(indices(live(goldens()["bits"]))) == ["inputs", "0.indices", "1.indices"]
    with pytest.raises(NetworkError, match=r"layer '3': takes 20 inputs, the layer before has 5"):
        indices(live(goldens()["leading_axes"]))


def test_names_and_shape_of_a_live_network() -> None:
    module = live(goldens()["flatten"])
    network = convert(module, (1, 4, 4), classes=[str(i) for i in range(10)])
    assert [node.name for node in network.nodes] == [
        "flatten", "gates0", "gates1", "scores", "class",
    ]  # fmt: skip
    assert network.inputs["x"].shape == (1, 4, 4)
    assert network.group_sum == GroupSum(10, 1.5)
    assert len(network.classes) == 10
    assert convert(module).inputs["x"].shape == convert(module, 16).inputs["x"].shape == (16,)
    own = nn.Module()
    own.model = module
    assert network_digest(convert(own)) == network_digest(convert(module))
    assert list(indices(own))[1:3] == ["model.1.indices", "model.2.indices"]
    with pytest.raises(NetworkError, match="the network takes bits"):
        convert(module, input_format="int8")
    with pytest.raises(NetworkError, match=r"layer '1': takes 16 inputs .* its input is bit\[12\]"):
        convert(module, (3, 4))


def logic(**changes: Any) -> nn.Module:
    """A LogicLayer of 2 inputs and 4 gates."""
    pair = torch.tensor([[0, 1, 0, 1], [1, 0, 0, 1]])
    options = {"in_dim": 2, "out_dim": 4, "weights": torch.eye(4, 16), "indices": tuple(pair)}
    return named("LogicLayer", **{**options, **changes})


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([logic(), nn.Tanh()], "layer '1': Tanh is not a layer this program knows in a difflogic"),
        ([logic(), named("LogicDense")], "layer '1': LogicDense is not a layer .* a difflogic net"),
        ([logic(weights=None)], "layer '0': weights are a NoneType, not a tensor"),
        ([logic(weights=torch.zeros(4, 4))], r"layer '0': weights are torch.float32 .* \(4, 4\)"),
        ([logic(weights=torch.full((4, 16), -torch.inf))], "layer '0': .* is not finite"),
        ([logic(indices=torch.tensor([[0, 1, 2, 0]] * 2))], "index 2 is out of range"),
        ([logic(indices=torch.tensor([[0, 1, -1, 0]] * 2))], "neuron 2, input 0: index -1 is out"),
        ([logic(indices=torch.zeros(2, 4))], "layer '0': the indices are float32"),
        ([logic(indices=torch.zeros(2, 3, dtype=torch.int32))], "4 neurons, the indices for 3"),
        ([logic(), nn.Sequential(nn.Tanh())], r"layer '1\.0': Tanh is not a layer"),
        ([named("LogicLayer")], "LogicLayer is not as difflogic 0.1 makes it: .*in_dim"),
        ([named("LogicLayer", in_dim=2)], "LogicLayer is not as difflogic 0.1 makes it: .*indices"),
        ([logic(), logic()], r"layer '1': takes 2 inputs on the last axis, its input is bit\[4\]"),
        ([logic(), named("GroupSum", k=3, tau=1.0)], "layer '1': 4 bits cannot be split into 3"),
        ([logic(), named("GroupSum", k=2, tau=0.0)], "layer '1': tau is 0.0"),
        ([logic(), named("GroupSum", k=2, tau=torch.nan)], "layer '1': tau is nan"),
        ([logic(), named("GroupSum", k=2)], "layer '1': GroupSum is not as difflogic .*'tau'"),
        (
            [logic(), named("GroupSum", k=2, tau=1.0, beta=0.0)],
            "layer '1': the GroupSum is of another library",
        ),
        (
            [logic(), named("GroupSum", k=2, tau=1.0), nn.Flatten()],
            "layer '2': Flatten follows a GroupSum",
        ),
        ([nn.Flatten(0), logic()], r"layer '0': Flatten\(0, -1\) does not fit"),
    ],
)
def test_modules_that_are_wrong(layers: list[nn.Module], message: str) -> None:
    with pytest.raises(LgnError, match=message):
        convert(nn.Sequential(*layers))


def test_a_group_sum_alone_is_no_difflogic_network() -> None:
    with pytest.raises(NetworkError, match=r"GroupSum is not as torchlogix 0\.2 makes it"):
        convert(nn.Sequential(named("GroupSum", k=2, tau=1.0)), 4)
    with pytest.raises(NetworkError, match="there is no LogicLayer in the module"):
        indices(nn.Sequential(nn.Flatten()))


# --- to hardware ---------------------------------------------------------------------------------


def test_from_a_checkpoint_to_simulated_hardware(tmp_path: Path) -> None:
    case = goldens()["trained"]
    torch.save(stored(case)[0], tmp_path / "net.pth")
    save_indices(live(case), tmp_path / "net.indices.npz")
    model = lgn_hdl.load(tmp_path / "net.pth")
    x = case["x"].numpy()
    assert np.array_equal(model.logits(x).astype(np.float32), case["out"].numpy())
    built = lgn_hdl.build(model, tmp_path / "out", target="verilog", vectors=50)
    assert lgn_hdl.simulate(built.path).samples == 50
    assert lgn_hdl.simulate(built.path, x).samples == len(x)
