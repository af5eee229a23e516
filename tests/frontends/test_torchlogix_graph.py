"""torchlogix modules with a `forward` of their own: traced, as JSON, and what is refused.

The forwards are those of `tests/golden/torchlogix_forwards.py`; the outputs were recorded from the
real library. Whether torch moves elements as we say, `test_torchlogix_moves.py` checks.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchlogix_goldens import changed, golden, named, output, populate, same

from lgn_hdl.errors import FormatError, LgnError, NetworkError
from lgn_hdl.frontends import load_network
from lgn_hdl.frontends.torchlogix import architecture, convert, from_state_dict
from lgn_hdl.network import Concat, Permute, Reshape, Slice
from lgn_hdl.reference import Reference

sys.path.append(str(Path(__file__).parents[1] / "golden"))

import torchlogix_forwards as forwards

#: Whose forward it is; what holds the layers where that is no Sequential.
ROOTS: dict[str, tuple[type[nn.Module], tuple[str, ...]]] = {
    "feature_major": (forwards.FeatureMajor, ()),
    "channels": (forwards.Channels, ()),
    "channels_learned": (forwards.Channels, ()),
    "halves": (forwards.Halves, ()),
    "branches": (forwards.Branches, ("layers",)),
    "wrapped": (forwards.Wrapped, ()),
}


def module_of(name: str) -> nn.Module:
    """The module of a case, with layers that have the library's names and attributes."""
    if name == "in_sequential":
        module = populate(nn.Sequential(), "graph", name)
        return module.append(nn.Sequential(nn.Unflatten(1, (5, 2)))).append(forwards.Last())
    root, lists = ROOTS[name]
    return populate(root(), "graph", name, **{key: nn.ModuleList() for key in lists})


def test_all_cases_are_traced() -> None:
    assert {*ROOTS, "in_sequential"} == set(golden("graph"))


@pytest.mark.parametrize("name", golden("graph"))
def test_from_a_state_dict(name: str) -> None:
    case = golden("graph")[name]
    network = from_state_dict(case["state_dict"], case["architecture"])
    assert same(network, case)
    assert not torch.equal(output(network, 1 - case["x"]), output(network, case["x"]))


@pytest.mark.parametrize("name", golden("graph"))
def test_from_a_live_module(name: str) -> None:
    case = golden("graph")[name]
    shape = case["architecture"]["input_shape"]
    module = module_of(name)
    before = dict(module.__dict__)
    described = architecture(module, shape)
    assert described == case["architecture"]
    assert json.loads(json.dumps(described)) == described
    assert module.__dict__ == before
    assert all(m.training for m in module.modules()), "tracing has changed the module"
    assert same(convert(module, shape), case)


def test_a_file_beside_its_architecture(tmp_path: Path) -> None:
    case = golden("graph")["channels"]
    torch.save({"state_dict": case["state_dict"]}, tmp_path / "net.pth")
    (tmp_path / "architecture.json").write_text(json.dumps(case["architecture"]))
    network = load_network(tmp_path / "net.pth", input_format="ufixed<8,0>", classes=list("abc"))
    assert network.classes == ("a", "b", "c")
    assert same(load_network(tmp_path / "net.pth"), case)


def test_the_two_orders_of_bits_are_not_the_same() -> None:
    """What separates them is what the module says, not what it may have meant."""
    case = golden("graph")["channels"]
    other = convert(populate(forwards.FeatureMajor(), "graph", "channels"), 13)
    assert not any(isinstance(node.layer, Permute) for node in other.nodes)
    assert not torch.equal(output(other, case["x"]), case["out"])


def test_the_nodes_of_a_graph() -> None:
    case = golden("graph")["channels"]
    network = from_state_dict(case["state_dict"], case["architecture"])
    found = {node.name: (node.layer, node.inputs) for node in network.nodes}
    assert [*found] == [
        "binarization", "slice0", "reshape0", "permute0", "conv0", "pool0", "slice1", "reshape1",
        "concat0", "dense0", "dense1", "scores", "class",
    ]  # fmt: skip
    assert found["slice0"] == (Slice(0, 5, 65), ("binarization",))
    assert found["slice1"] == (Slice(0, 0, 5), ("binarization",))
    assert found["reshape0"] == (Reshape((4, 3, 5)), ("slice0",))
    assert found["permute0"] == (Permute((2, 0, 1)), ("reshape0",))
    assert found["concat0"] == (Concat(0), ("slice1", "reshape1"))
    assert network.outputs == ("class", "scores")


@pytest.mark.parametrize("name", ["feature_major", "channels_learned", "in_sequential"])
def test_the_input_shape_follows_from_the_first_layer(name: str) -> None:
    assert architecture(module_of(name)) == golden("graph")[name]["architecture"]


@pytest.mark.parametrize("name", ["halves", "branches", "wrapped"])
def test_an_input_shape_that_nobody_tells(name: str) -> None:
    with pytest.raises(NetworkError, match=r"give input_shape|input_shape is the shape"):
        architecture(module_of(name))


def test_a_forward_that_only_calls_its_layers_is_a_chain() -> None:
    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = populate(nn.Sequential(), "conv_models", "classifier")

        def forward(self, x: Tensor) -> Tensor:
            return F.dropout(self.model(x), training=self.training)

    case = golden("conv_models")["classifier"]
    described = architecture(Plain())
    assert (described["version"], described["input_shape"]) == (1, None)
    assert [layer["path"] for layer in described["layers"]] == [f"model.{i}" for i in range(8)]
    assert same(convert(Plain()), case)


def test_the_only_child_is_not_all_of_a_forward() -> None:
    """The module is what its forward says: once its only child was taken for all of it."""
    network = convert(module_of("wrapped"), 10)
    assert network.inputs["x"].shape == (10,)
    assert isinstance(network.nodes[0].layer, Slice)


class Cut(nn.Module):
    """Reads what it is told to; it has a layer more than it calls."""

    def __init__(self, features: slice | None) -> None:
        super().__init__()
        self.features = features
        self.net = module_of("wrapped").get_submodule("net")
        self.auxiliary = nn.Sequential(self.net.get_submodule("0"))

    def forward(self, x: Tensor) -> Tensor:
        net: Any = self.net
        return net(x if self.features is None else x[:, self.features])


def test_an_input_that_is_cut_is_not_guessed() -> None:
    """Eight bits would do for this forward, but how many it drops only its author knows."""
    with pytest.raises(NetworkError, match="shape of the input does not follow"):
        convert(Cut(slice(0, 8)))
    assert convert(Cut(slice(0, 8)), 11).inputs["x"].shape == (11,)


def test_a_layer_beside_a_chain() -> None:
    described = architecture(Cut(None))
    assert described["version"] == 2
    assert described["unused"] == ["auxiliary.0.weight", "auxiliary.0.connections.indices"]
    x = golden("graph")["wrapped"]["x"][:, 2:]
    assert torch.equal(output(convert(Cut(None)), x), golden("graph")["wrapped"]["out"])


@pytest.mark.parametrize("kind", ["OptimizedModule", "DataParallel"])
def test_a_wrapper_around_a_traced_module(kind: str) -> None:
    case = golden("graph")["wrapped"]
    child = "_orig_mod" if kind == "OptimizedModule" else "module"
    wrapper = named(kind, **{child: module_of("wrapped")})
    if kind == "OptimizedModule":  # whose forward is an attribute, its class has none
        wrapper = type(kind, (nn.Module,), {})()
        wrapper.add_module(child, module_of("wrapped"))
        wrapper.forward = lambda x: x
    assert same(convert(wrapper, 10), case)
    described = architecture(wrapper, 10)
    assert described["layers"][1]["path"] == f"{child}.net.0"
    state = {f"{child}.{key}": value for key, value in case["state_dict"].items()}
    assert same(from_state_dict(state, case["architecture"]), case)


def test_a_residual_block_is_an_or() -> None:
    """Its layers are in the goldens; here is the block itself, with the attributes of theirs."""
    case = golden("conv_models")["residual"]
    paths = {la["path"] for la in case["architecture"]["layers"] if "path" in la}
    assert {"0", "0.main.0", "0.main.2", "1", "1.main.0", "3"} <= paths
    module = nn.Sequential()
    filled = populate(nn.Sequential(), "conv_models", "residual")
    for name in "01":
        block = named("ResidualLogicBlock", shortcut=nn.Identity())
        block.main = filled.get_submodule(f"{name}.main")
        module.append(block)
    module.append(nn.Flatten()).append(filled.get_submodule("3"))
    assert architecture(module) == case["architecture"]
    assert same(convert(module), case)
    module[1].shortcut = named("OrPooling2d", kernel_size=3, stride=1, padding=0)
    with pytest.raises(NetworkError, match=r"residual block are \(2, 3, 3\) and \(2, 1, 1\)"):
        convert(module)


def layer(name: str, described: dict[str, Any]) -> dict[str, Any]:
    return next(la for la in described["layers"] if la["name"] == name)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: layer("slice0", d).pop("name"), "'name' is None"),
        (lambda d: layer("slice0", d).update(name="no name"), "'name' is 'no name'"),
        (lambda d: layer("slice0", d).update(name="x"), "the name 'x' is taken already"),
        (lambda d: layer("slice0", d).update(name="class"), "the name 'class' is taken already"),
        (lambda d: layer("slice1", d).update(name="slice0"), "layer 6: the name 'slice0' is taken"),
        (lambda d: layer("slice0", d).pop("inputs"), "'inputs' is None"),
        (lambda d: layer("slice0", d).update(inputs="x"), "'inputs' is 'x'"),
        (lambda d: layer("slice0", d).update(inputs=[]), r"'inputs' is \[\]"),
        (lambda d: layer("slice0", d).update(inputs=["pool0"]), "reads 'pool0', which no earlier"),
        (lambda d: layer("slice0", d).update(inputs=["x", "x"]), "reads 2 tensors, expected one"),
        (lambda d: layer("slice0", d).update(stop=99), "layer 'slice0': 5 to 99 is no range"),
        (lambda d: layer("slice0", d).pop("axis"), "layer 1: Slice: 'axis' is None"),
        (lambda d: layer("reshape0", d).update(shape=[4, -3, 5]), r"'shape' is \[4, -3, 5\]"),
        (lambda d: layer("reshape0", d).update(shape=[4, 4, 5]), "cannot be reshaped"),
        (lambda d: layer("reshape0", d).update(shape=12), "'shape' is 12"),
        (lambda d: layer("permute0", d).update(axes=[0, 1, 1]), "no order of the axes"),
        (lambda d: layer("concat0", d).update(axis=1), "axis 1 is not an axis"),
        (lambda d: layer("concat0", d).update(axis=True), "'axis' is True"),
        (lambda d: layer("concat0", d).update(inputs=["slice1", "pool0"]), "do not concatenate"),
        (lambda d: layer("permute0", d).update(axes=[0, 1, 2]), "takes images of shape"),
        (lambda d: layer("dense0", d).update(type="Gather"), "Gather is not a layer this program"),
        (lambda d: layer("dense0", d).pop("path"), "'path' is None"),
        (lambda d: d.update(output="y"), "'output' is 'y', which is no layer"),
        (lambda d: d.update(output=["scores"]), "'output' is"),
        (lambda d: d.update(output="dense1"), "GroupSum 'scores' is not the output"),
        (lambda d: d.update(unused="x"), "'unused' is 'x'"),
        (lambda d: d.update(input_shape=[12]), "thresholds of shape"),
        (lambda d: d.update(version=1), "Slice is not a layer this program knows"),
    ],
)
def test_descriptions_that_are_wrong(change: Any, message: str) -> None:
    state, described = changed("graph", "channels")
    change(described)
    with pytest.raises(LgnError, match=message):
        from_state_dict(state, described)


def test_what_a_description_may_leave_out() -> None:
    state, described = changed("graph", "channels")
    del described["unused"], described["input_shape"]
    assert same(from_state_dict(state, described, input_shape=13), golden("graph")["channels"])
    with pytest.raises(NetworkError, match="give input_shape"):
        from_state_dict(state, described)


def test_tensors_that_are_not_used() -> None:
    state, described = changed("graph", "branches")
    assert described["unused"] == ["auxiliary.weight", "auxiliary.connections.indices"]
    del described["unused"][0]
    with pytest.raises(FormatError, match=r"'auxiliary\.weight', which no layer"):
        from_state_dict(state, described)


def test_a_layer_that_changes_nothing_has_no_node() -> None:
    state, described = changed("graph", "channels")
    flat = {"name": "flat", "inputs": ["dense0"], "type": "Flatten", "path": ""}
    described["layers"].insert(-2, {**flat, "start_dim": 1, "end_dim": -1})
    layer("dense1", described)["inputs"] = ["flat"]
    network = from_state_dict(state, described)
    assert "flat" not in network.types
    assert same(network, golden("graph")["channels"])


def test_thresholds_of_parts_of_the_input() -> None:
    """Two binarizations, as where features of two kinds come together."""

    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for name, shape in (("first", (2, 3)), ("second", (3, 2))):
                child = named("FixedBinarization", feature_dim=1)
                child.register_buffer("thresholds", torch.arange(6.0).reshape(shape))
                self.add_module(name, child)

        def forward(self, x: Tensor) -> Tensor:
            first: Any = self.first
            second: Any = self.second
            return torch.cat([second(x[:, 2:]), first(x[:, :2])], 1)

    network = convert(Two(), 5, input_format="uint4")
    x = torch.arange(5.0).repeat(7, 1) + torch.arange(-3, 4)[:, None] + 3
    bits = Reference(network)(x)
    second = x[:, 2:, None] > torch.arange(6.0).reshape(3, 2)
    first = x[:, :2, None] > torch.arange(6.0).reshape(2, 3)
    assert torch.equal(bits, torch.cat([second.flatten(1), first.flatten(1)], 1).long())
    assert [node.name for node in network.nodes][1] == "binarization"


def test_a_layer_that_runs_twice() -> None:
    """Names tell the two apart, the path is the same."""
    case = golden("graph")["in_sequential"]
    dense = {**case["architecture"]["layers"][0]}
    first = {**dense, "name": "first"}
    cut = {"name": "cut", "inputs": ["first"], "type": "Slice", "axis": 0, "start": 0, "stop": 8}
    described = {
        **{key: case["architecture"][key] for key in ("format", "version", "input_shape")},
        "layers": [first, cut, {**dense, "name": "second", "inputs": ["cut"]}],
        "output": "second",
    }
    twice = from_state_dict(case["state_dict"], described)
    once = from_state_dict(case["state_dict"], {**described, "output": "first"})
    x = case["x"]
    assert torch.equal(Reference(twice)(x), Reference(once)(Reference(once)(x)[:, :8].float()))
