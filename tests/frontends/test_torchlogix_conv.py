"""Convolutions and pooling of torchlogix against outputs of the real library, and what is refused.

The goldens were made by `tests/golden/make_torchlogix.py`.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torchlogix_goldens import cases, changed, golden, named, output, populate, same

from lgn_hdl.errors import FormatError, LgnError, NetworkError
from lgn_hdl.frontends import load_network
from lgn_hdl.frontends.modules import kind_of
from lgn_hdl.frontends.torchlogix import architecture, convert, from_state_dict
from lgn_hdl.network import LogicConv, LutLayer, Network, Node, OrPool
from lgn_hdl.reference import Reference

CHAINS = [
    (family, name)
    for family, name in cases("conv", "conv3d", "pool", "conv_models")
    if golden(family)[name]["architecture"]["version"] == 1
]
CONV = ("conv", "light4_depth2_strided_padded")


def test_the_goldens_cover_every_tree() -> None:
    names = " ".join(golden("conv"))
    for kind, depths in {
        "raw2": 4, "warp1": 1, "warp2": 4, "warp4": 3, "warp6": 2, "light2": 4, "light4": 3,
        "light6": 2,
    }.items():  # fmt: skip
        for depth in range(1, depths + 1):
            assert f"{kind}_depth{depth}_" in names
    for geometry in ("plain", "padded", "padded2", "strided", "strided_padded", "groups", "whole"):
        assert f"_{geometry}" in names


@pytest.mark.parametrize(("family", "name"), cases("conv", "conv3d", "pool", "conv_models"))
def test_same_output_as_the_library(family: str, name: str) -> None:
    case = golden(family)[name]
    network = from_state_dict(case["state_dict"], case["architecture"])
    assert same(network, case)


@pytest.mark.parametrize(("family", "name"), CHAINS)
def test_a_live_module_gives_the_same(family: str, name: str) -> None:
    case = golden(family)[name]
    module = populate(nn.Sequential(), family, name)
    shape = case["architecture"]["input_shape"]
    assert architecture(module, shape) == case["architecture"]
    assert same(convert(module, shape), case)


@pytest.mark.parametrize(("family", "name"), cases("conv", "conv3d", "conv_models"))
def test_one_wrong_table_is_noticed(family: str, name: str) -> None:
    """The goldens have teeth: with the last table of a kernel, or a gate, inverted they fail."""
    case = golden(family)[name]
    network = from_state_dict(case["state_dict"], case["architecture"])
    kinds = (LogicConv, LutLayer)
    last = [i for i, node in enumerate(network.nodes) if isinstance(node.layer, kinds)][-1]
    node = network.nodes[last]
    layer: Any = node.layer
    tables = layer.tables.copy()
    tables[(0, -1) if tables.ndim == 2 else 0] ^= np.uint64(2 ** (1 << layer.k) - 1)
    broken = Node(node.name, replace(layer, tables=tables), node.inputs)
    nodes = (*network.nodes[:last], broken, *network.nodes[last + 1 :])
    changed_network = Network(network.inputs, nodes, network.outputs)
    theirs = case["out"].float().flatten()
    assert not torch.equal(output(changed_network, case["x"]).flatten(), theirs)


@pytest.mark.parametrize("name", golden("pool"))
def test_pooling_is_of_ones_and_reaches_every_place(name: str) -> None:
    """A single one at any place of a sample is seen, unless it lies between or behind windows."""
    case = golden("pool")[name]
    network = from_state_dict({}, case["architecture"])
    shape = case["architecture"]["input_shape"]
    single = torch.eye(int(np.prod(shape))).reshape(-1, *shape)
    (layer,) = (node.layer for node in network.nodes)
    assert isinstance(layer, OrPool)
    pool = {2: torch.nn.functional.max_pool2d, 3: torch.nn.functional.max_pool3d}[len(shape) - 1]
    expected = pool(single, layer.window, layer.stride, layer.padding)
    assert torch.equal(Reference(network)(single).reshape(expected.shape), expected.long())
    assert 0 < case["out"].float().mean() < 1


def test_all_positions_share_their_taps() -> None:
    for family, name in cases("conv", "conv3d"):
        case = golden(family)[name]
        network = from_state_dict(case["state_dict"], case["architecture"])
        layer = network.nodes[0].layer
        assert isinstance(layer, LogicConv)
        assert layer.shared == (name != "positions")


def test_taps_are_channel_and_place() -> None:
    """Input r of node s of kernel k, at the first position: the corner is that of the padding."""
    case = golden("conv")["raw2_depth2_padded"]
    stored = case["state_dict"]["connections._indices_L0"]
    layer = from_state_dict(case["state_dict"], case["architecture"]).nodes[0].layer
    assert isinstance(layer, LogicConv)
    assert layer.taps.dtype == np.int32
    assert layer.taps.shape == (2, 3, 1, 2, 3)
    height, width, channel = stored[1, 2, 0, 1].tolist()
    assert layer.taps[1, 2, 0, 1].tolist() == [channel, height, width]
    assert (layer.window, layer.stride, layer.padding) == ((2, 2), (1, 1), (1, 1))


def test_one_input_tables_become_one_table_of_two() -> None:
    layer = from_state_dict(
        *(golden("conv")["warp1_depth3_pixels"][k] for k in ("state_dict", "architecture"))
    ).nodes[0].layer  # fmt: skip
    assert isinstance(layer, LogicConv)
    assert (layer.k, layer.tables.shape) == (2, (3, 1))
    assert (layer.taps[0] == layer.taps[1]).all()
    assert {int(t) for t in layer.tables.flat} <= {0b0000, 0b0011, 0b1100, 0b1111}


def test_names_of_the_nodes() -> None:
    case = golden("conv_models")["colours"]
    network = from_state_dict(case["state_dict"], case["architecture"], input_format="ufixed<8,0>")
    assert [node.name for node in network.nodes] == [
        "binarization", "conv0", "pool0", "conv1", "flatten", "dense0", "scores", "class",
    ]  # fmt: skip
    assert network.inputs["x"].shape == (3, 4, 4)
    assert network.meta["warp_min_abs_sum"] > 0
    assert "warnings" not in network.meta


def test_a_materialised_basis_near_zero_is_warned_of() -> None:
    state, described = changed("conv", "warp_materialized")
    state["tree_weights.1"] = torch.zeros_like(state["tree_weights.1"])
    network = from_state_dict(state, described)
    (warning,) = network.meta["warnings"]
    assert "48 Walsh sums are within rounding of zero" in warning
    assert network.meta["warp_min_abs_sum"] == 0
    described["layers"][0]["materialize_basis"] = False
    assert "warnings" not in from_state_dict(state, described).meta


@pytest.mark.parametrize("name", ["classifier", "colours", "volume"])
def test_the_input_shape_follows_from_the_layers(name: str) -> None:
    case = golden("conv_models")[name]
    described = {**case["architecture"], "input_shape": None}
    if name != "colours":
        assert case["architecture"]["input_shape"] is None
    network = from_state_dict(case["state_dict"], described)
    assert network.inputs["x"].shape == tuple(case["x"].shape[1:])


def test_a_file_beside_its_architecture(tmp_path: Path) -> None:
    case = golden("conv_models")["classifier"]
    torch.save(case["state_dict"], tmp_path / "net.pth")
    (tmp_path / "net.json").write_text(json.dumps(case["architecture"]))
    assert same(load_network(tmp_path / "net.pth"), case)


def test_sizes_that_are_one_number() -> None:
    """As a person writes them; the library's attributes are of either kind."""
    state, described = changed("conv", "raw2_depth2_padded")
    described["layers"][0].update(receptive_field_size=2, stride=1, padding=1)
    assert same(from_state_dict(state, described), golden("conv")["raw2_depth2_padded"])
    pool = named("OrPooling3d", kernel_size=2, stride=None, padding=0)
    (layer,) = architecture(pool, (1, 2, 2, 2))["layers"]
    assert (layer["kernel_size"], layer["stride"]) == ([2, 2, 2], [2, 2, 2])


def test_the_public_class_behind_a_private_forward() -> None:
    assert kind_of(named("LogicConv2d")) == "LogicConv2d"
    own = type("Own", (type(named("LogicConv2d")),), {})
    assert kind_of(own()) == "LogicConv2d"
    other = type("Other", (type(named("LogicConv2d")),), {"forward": lambda self, x: x})
    assert kind_of(other()) == "Other"


# --- what is refused -----------------------------------------------------------------------------


def test_places_that_were_not_saved() -> None:
    state, described = changed(*CONV)
    del state["connections._indices_L0"]
    with pytest.raises(FormatError, match=r"no 'connections\._indices_L0' \(without its wiring"):
        from_state_dict(state, described)


def test_weights_that_were_not_saved() -> None:
    state, described = changed(*CONV)
    del state["tree_weights.1"]
    with pytest.raises(FormatError, match=r"layer '': the state_dict has no 'tree_weights\.1'"):
        from_state_dict(state, described)


def test_a_deeper_tree_than_the_description_says() -> None:
    state, described = changed(*CONV)
    described["layers"][0]["tree_depth"] = 1
    with pytest.raises(FormatError, match="has the shape"):
        from_state_dict(state, described)
    state, described = changed("conv", "warp1_depth3_pixels")
    described["layers"][0]["tree_depth"] = 2
    with pytest.raises(FormatError, match=r"'tree_weights\.2', which no layer"):
        from_state_dict(state, described)


@pytest.mark.parametrize(
    ("coordinate", "value", "message"),
    [
        (0, 9, r"kernel 1, position 3, node 1, input 2: \(9, "),
        (1, -1, r"is outside the receptive field at \(2, 0\) of 3 channels"),
        (2, 3, r"_indices_L0: kernel 1, position 3, .*, 3\) is outside"),
        (2, -1, r", -1\) is outside the receptive field"),
    ],
)
def test_places_out_of_range(coordinate: int, value: int, message: str) -> None:
    state, described = changed(*CONV)
    indices = state["connections._indices_L0"].to(torch.int64)
    assert indices.shape == (4, 2, 6, 4, 3)
    indices[2, 1, 3, 1, coordinate] = value
    with pytest.raises(NetworkError, match=message):
        from_state_dict({**state, "connections._indices_L0": indices}, described)


def test_places_that_do_not_fit_in_32_bits() -> None:
    state, described = changed(*CONV)
    indices = state["connections._indices_L0"].to(torch.int64) + 2**32
    with pytest.raises(NetworkError, match="is outside the receptive field"):
        from_state_dict({**state, "connections._indices_L0": indices}, described)


@pytest.mark.parametrize(
    ("key", "change", "message"),
    [
        ("connections._indices_L0", lambda t: t[:, :, :5], r"expected \(4, 2, 6, 4, 3\)"),
        ("connections._indices_L0", lambda t: t[..., :2], r"expected \(4, 2, 6, 4, 3\)"),
        ("connections._indices_L0", lambda t: t.float(), "is torch.float32, expected integers"),
        ("connections._indices_L1", lambda t: t.flip(0), "do not join neighbouring nodes"),
        ("connections._indices_L1", lambda t: t[:3], "do not join neighbouring nodes"),
        ("tree_weights.0", lambda t: t[:3], r"tree_weights\.0 has the shape .* \(4, 2, entries\)"),
        ("tree_weights.0", lambda t: t[:, 1:], r"expected \(4, 2, entries\)"),
        ("tree_weights.0", lambda t: t[..., 1:], r"tree_weights\.0: weight is .*\(neurons, 16\)"),
        ("tree_weights.1", lambda t: t[0], r"expected \(1, 2, entries\)"),
        ("tree_weights.1", lambda t: t * float("nan"), r"tree_weights\.1: weight is not finite"),
        ("tree_weights.1", lambda t: t.int(), "expected floating-point"),
    ],
)
def test_tensors_that_do_not_fit(key: str, change: Any, message: str) -> None:
    state, described = changed(*CONV)
    state[key] = change(state[key])
    with pytest.raises(LgnError, match=message):
        from_state_dict(state, described)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"connections": "learnable"}, "'learnable'; convolutions have fixed ones only"),
        ({"lut_rank": 3}, "'light' with lut_rank 3 is not known"),
        ({"parametrization": "raw"}, "'raw' with lut_rank 4 is not known"),
        ({"tree_depth": 0}, "tree_depth is 0"),
        ({"tree_depth": 10**9}, "tree_depth is 1000000000"),
        ({"num_kernels": 0}, "num_kernels is 0"),
        ({"channels": 4}, r"takes images of shape \(4, 4, 5\), its input is bit\[3x4x5\]"),
        ({"in_dim": [5, 5]}, r"takes images of shape \(3, 5, 5\)"),
        ({"stride": 0}, "stride"),
        ({"stride": 1}, r"expected \(4, 2, 20, 4, 3\)"),
        ({"receptive_field_size": [9, 9]}, "does not fit"),
        ({"in_dim": [4]}, r"'in_dim' is \[4\]"),
        ({"in_dim": [4, True]}, r"'in_dim' is \[4, True\]"),
        ({"padding": [-1, 0]}, r"'padding' is \[-1, 0\]"),
        ({"padding": None}, "'padding' is None"),
        ({"type": "LogicConv3d"}, r"LogicConv3d: 'in_dim' is \[4, 5\]"),
        ({"type": "LogicConvTranspose2d"}, "LogicConvTranspose2d is not supported yet"),
    ],
)
def test_descriptions_that_are_wrong(change: dict[str, Any], message: str) -> None:
    state, described = changed(*CONV)
    described["layers"][0].update(change)
    with pytest.raises(LgnError, match=message):
        from_state_dict(state, described)


def test_pooling_of_another_number_of_axes() -> None:
    _, described = changed("pool", "even")
    with pytest.raises(NetworkError, match=r"takes images of 2 axes with channels, .* bit\[4x6\]"):
        from_state_dict({}, described, input_shape=(4, 6))
    described["layers"][0]["kernel_size"] = [9, 9]
    with pytest.raises(NetworkError, match="does not fit"):
        from_state_dict({}, described)


def test_connections_of_another_kind() -> None:
    case = golden("conv_models")["classifier"]
    module = populate(nn.Sequential(), "conv_models", "classifier")
    first = module.get_submodule("0")
    first.connections = named("LearnableConvConnections")
    with pytest.raises(NetworkError, match=r"layer '0'.*its connections are LearnableConvConn"):
        convert(module, tuple(case["x"].shape[1:]))
