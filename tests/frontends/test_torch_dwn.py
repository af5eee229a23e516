"""The torch-dwn frontend against outputs of the real library, and what it refuses.

The goldens were made by `tests/golden/make_dwn.py`; the predictions in the shared folder by the
library on a GPU. The small classes below only have the names and attributes of the library's.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.torch_version import TorchVersion

import lgn_hdl
from lgn_hdl.errors import FormatError, LgnError, NetworkError
from lgn_hdl.frontends import load_network
from lgn_hdl.frontends.torch_dwn import convert, from_checkpoint, is_module
from lgn_hdl.network import BIT, REAL, GroupSum, LutLayer, Network, Node
from lgn_hdl.reference import Reference

GOLDEN = Path(__file__).parents[1] / "golden" / "dwn" / "cases.pt"
NETWORKS = (
    "t200_distributive_50_l_b100",
    "t4_distributive_300-100_lr",
    "t8_distributive_300-100_lr",
)


@cache
def goldens() -> dict[str, dict[str, Any]]:
    return torch.load(GOLDEN, weights_only=True)


CASES = list(goldens())
STORED = [name for name in CASES if goldens()[name]["in_checkpoint"]]


def stored(name: str) -> Network:
    saved = goldens()[name]["checkpoint"]
    return from_checkpoint(saved["state_dict"], saved)


def output(network: Network, x: Tensor) -> Tensor:
    """What the library puts out for our integers, in its single precision."""
    out = Reference(network)(x).float()
    return out if network.group_sum is None else out / network.group_sum.tau


def named(kind: str, **attributes: Any) -> nn.Module:
    """An object of a class with a library's name; it computes nothing."""
    module = type(kind, (nn.Module,), {"forward": lambda self, x: x})()
    for key, value in attributes.items():
        setattr(module, key, value)
    return module


def likeness(case: dict[str, Any]) -> nn.Sequential:
    """A module with the names, attributes and tensors of the library's."""
    state, layers = case["checkpoint"]["state_dict"], []
    for number, described in enumerate(case["module"]):
        attributes = dict(described)
        kind = attributes.pop("kind")
        if kind in ("Flatten", "Dropout"):
            layers.append(getattr(nn, kind)())
            continue
        layer = named(kind, **attributes)
        for key, value in state.items():
            path, _, name = key.partition(".")
            if path != str(number):
                continue
            parameter = nn.Parameter(value, requires_grad=False)
            if name == "mapping.weights":
                layer.mapping = named("LearnableMapping", weights=parameter)
            else:
                setattr(layer, name, parameter)
        layers.append(layer)
    return nn.Sequential(*layers)


def thermometer(case: dict[str, Any]) -> Any:
    return case["checkpoint"].get("thermometer", {}).get("thresholds")


# --- the same as the library ---------------------------------------------------------------------


def test_the_goldens_cover_what_the_library_has() -> None:
    for n in range(1, 7):
        for mapping in ("random", "arange", "learnable", "learnable2", "tensor"):
            assert f"n{n}_{mapping}" in STORED
    assert {layer["kind"] for case in goldens().values() for layer in case["module"]} == {
        "LUTLayer", "LearnableMapping", "STE", "GroupSum", "Flatten", "Dropout",
    }  # fmt: skip
    met = [c for c in goldens().values() if thermometer(c) is not None and c["x"].ndim == 2]
    equal = [bool((c["x"][..., None] == thermometer(c)).any()) for c in met]
    assert sum(equal) > 30  # x = threshold must be met to tell > from >=


@pytest.mark.parametrize("name", STORED)
def test_checkpoint(name: str) -> None:
    case, network = goldens()[name], stored(name)
    assert torch.equal(output(network, case["x"]), case["out"])
    if network.scores:
        expected = [row.index(max(row)) for row in case["out"].tolist()]
        assert Reference(network).predict(case["x"]).tolist() == expected
        assert lgn_hdl.Model(network).predict(case["x"].numpy()).tolist() == expected
        assert network.outputs == ("class", "scores")


@pytest.mark.parametrize("name", CASES)
def test_live_module(name: str) -> None:
    case = goldens()[name]
    module = likeness(case)
    assert is_module(module)
    network = convert(module, thresholds=thermometer(case))
    assert torch.equal(output(network, case["x"]), case["out"])


@pytest.mark.parametrize("name", CASES)
def test_one_wrong_table_is_noticed(name: str) -> None:
    """The goldens have teeth: with one table of the last layer inverted they fail."""
    case = goldens()[name]
    network = convert(likeness(case), thresholds=thermometer(case))
    last = [i for i, n in enumerate(network.nodes) if isinstance(n.layer, LutLayer)][-1]
    node = network.nodes[last]
    assert isinstance(node.layer, LutLayer)
    tables = node.layer.tables.copy()
    tables[0] ^= np.uint64((1 << (1 << node.layer.k)) - 1)
    broken = Node(node.name, LutLayer(node.layer.connections, tables), node.inputs)
    nodes = (*network.nodes[:last], broken, *network.nodes[last + 1 :])
    assert not torch.equal(output(replace(network, nodes=nodes), case["x"]), case["out"])


def test_the_first_input_is_the_least_significant_bit_there() -> None:
    """Address 1 of n = 2 is slot 0 alone: a AND NOT b, whose index here is 2."""
    state = {
        "0.luts": torch.tensor([[-1.0, 0.5, -1.0, -1.0]]),
        "0.mapping": torch.tensor([[0, 1]], dtype=torch.int32),
    }
    network = from_checkpoint(state)
    bits = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]])
    assert Reference(network)(bits).flatten().tolist() == [0, 0, 1, 0]


@given(data=st.data(), n=st.integers(1, 6), neurons=st.integers(1, 5), inputs=st.integers(1, 8))
def test_any_tables_and_wiring(data: st.DataObject, n: int, neurons: int, inputs: int) -> None:
    """The entry at the sum of bit l times 2^l, above zero."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    luts = rng.integers(-1, 2, (neurons, 1 << n)) * rng.random((neurons, 1 << n))
    mapping = rng.integers(0, inputs, (neurons, n))
    bits = rng.integers(0, 2, (20, inputs))
    address = (bits[:, mapping] << np.arange(n)).sum(axis=2)
    expected = luts[np.arange(neurons), address] > 0
    state = {"luts": torch.tensor(luts), "mapping": torch.tensor(mapping)}
    network = from_checkpoint(state, inputs=inputs)
    assert np.array_equal(Reference(network)(bits).numpy(), expected)
    assert np.array_equal(lgn_hdl.Model(network).bits(bits), expected)


@pytest.mark.parametrize("name", NETWORKS)
def test_jet_networks_of_others(shared: Path, name: str) -> None:
    """Every thermometer bit and every decision on 1,000 events, as the library gave them."""
    folder = shared / "data" / "dwn_jsc"
    model = lgn_hdl.load(folder / f"dwn_jsc_{name}_checkpoint.pt")
    with np.load(folder / f"dwn_jsc_{name}_testvectors.npz", allow_pickle=False) as file:
        x, bits, predicted = file["x_raw"], file["x_binarized"], file["pred"]
    assert len(x) == len(predicted) == 1000
    assert model.classes == ("g", "q", "t", "w", "z")
    assert model.network.inputs["x"].element == REAL
    reference = model.reference()
    assert np.array_equal(reference.tensor(x, "binarization").numpy(), bits)
    assert np.array_equal(reference.predict(x).numpy(), predicted)
    assert np.array_equal(model.predict(x), predicted)
    assert model.network.group_sum == GroupSum(5, 10 / 3)
    assert any("scaler" in text for text in model.network.meta["warnings"])


# --- what a file says, and what is given ---------------------------------------------------------


def saved(folder: Path, content: Any) -> Path:
    torch.save(content, folder / "dwn.pt")
    return folder / "dwn.pt"


def test_file_with_everything_in_it(tmp_path: Path) -> None:
    case = goldens()["n6_learnable"]
    around = {"classes": ["a", "b", "c"], "torch": TorchVersion("2.10.0+cu128"), "epochs": [1, 2]}
    path = saved(tmp_path, case["checkpoint"] | around)
    network = load_network(path, input_format="fixed<8,3>")
    assert network.classes == ("a", "b", "c")
    assert str(network.inputs["x"].element) == "fixed<8,3>"
    assert load_network(path, groups=3, classes="xyz").classes == ("x", "y", "z")
    assert torch.equal(output(load_network(path), case["x"]), case["out"])


def test_a_mapping_on_its_own_in_a_file(tmp_path: Path) -> None:
    """Its tensor is called `weights`, as those of difflogic are."""
    case = goldens()["mapping_alone"]
    network = load_network(saved(tmp_path, case["checkpoint"]))
    assert [node.name for node in network.nodes] == ["luts0", "luts1", "scores", "class"]
    assert torch.equal(output(network, case["x"]), case["out"])


def test_plain_state_dict(tmp_path: Path) -> None:
    case = goldens()["n4_learnable"]
    checkpoint = case["checkpoint"]
    path = saved(tmp_path, checkpoint["state_dict"])
    bits = load_network(path)
    assert bits.inputs["x"].element == BIT
    assert bits.inputs["x"].shape == (20,)
    assert bits.types[bits.outputs[0]].shape == (6,)
    thresholds = checkpoint["thermometer"]["thresholds"].numpy()
    np.savez(tmp_path / "t.npz", thresholds=thresholds)
    for source in (thresholds, tmp_path / "t.npz"):
        network = load_network(path, groups=3, thresholds=source)
        assert torch.equal(Reference(network).predict(case["x"]), case["out"].argmax(1))


def test_fixed_wiring_does_not_tell_the_number_of_inputs(tmp_path: Path) -> None:
    state = {"net.0.luts": torch.ones(2, 4), "net.0.mapping": torch.tensor([[0, 1], [3, 0]])}
    path = saved(tmp_path, {"model_state_dict": state})
    assert load_network(path).inputs["x"].shape == (4,)
    assert load_network(path, inputs=9).inputs["x"].shape == (9,)
    assert load_network(path, inputs=6, thresholds=np.ones((2, 3))).inputs["x"].shape == (2,)
    with pytest.raises(FormatError, match="3 inputs are given, but it reads input 3"):
        load_network(path, inputs=3)


def test_public_convert() -> None:
    case = goldens()["uniform_image"]
    thresholds = thermometer(case)
    fitted = type("Thermometer", (), {"thresholds": thresholds})()
    model = lgn_hdl.convert(likeness(case), thresholds=fitted, classes="abc")
    assert model.network.inputs["x"].shape == (2, 3, 2)
    assert np.array_equal(model.predict(case["x"].numpy()), case["out"].argmax(1))
    flat = convert(likeness(case), 12, thresholds=thresholds.numpy())
    assert flat.inputs["x"].shape == (12,)
    with pytest.raises(NetworkError, match=r"input shape \(5,\) is given, but there are 12"):
        convert(likeness(case), (5,), thresholds=thresholds)


def test_filled_groups_are_reported() -> None:
    (warning,) = stored("padded").meta["warnings"]
    assert "7 outputs cannot be split into 3 equal groups" in warning
    assert "warnings" not in stored("n2_random").meta


# --- what is refused -----------------------------------------------------------------------------


def changed(name: str = "n4_learnable") -> tuple[dict[str, Any], dict[str, Any]]:
    """A state_dict and a checkpoint around it that a test may change."""
    case = dict(goldens()[name]["checkpoint"])
    return dict(case["state_dict"]), case


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("1.mapping", None, r"layer '1': the state_dict has no 'mapping'"),
        ("0.luts", None, r"layer '0': the state_dict has no 'luts'"),
        ("0.luts", torch.ones(12, 12), "luts have 12 entries each"),
        ("0.luts", torch.ones(12, 128), "luts have 128 entries each, expected 2\\^n"),
        ("0.luts", torch.ones(12, 1), "luts have 1 entries"),
        ("0.luts", torch.ones(16), "expected a matrix of floating-point"),
        ("0.luts", torch.ones(12, 16, dtype=torch.int32), "expected a matrix of floating-point"),
        ("0.luts", torch.full((12, 16), torch.nan), r"layer '0': luts are not finite at \(0, 0\)"),
        ("0.mapping.weights", torch.ones(20, 47), r"expected \(inputs, 48\)"),
        ("0.mapping.weights", torch.full((20, 48), torch.inf), r"mapping\.weights are not finite"),
        ("1.mapping", torch.ones(6, 3, dtype=torch.int32), r"\(6, 3\), expected \(6, 4\)"),
        ("1.mapping", torch.ones(6, 4), "indices are float32, expected integers"),
        ("1.mapping", torch.full((6, 4), -1), "neuron 0, input 0: index -1 is out of range"),
        ("1.mapping", torch.full((6, 4), 12), "index 12 is out of range"),
        ("2.weight", torch.ones(3, 6), "'2.weight', which is no tensor of a torch-dwn layer"),
        ("1.mapping", [1, 2], "'1.mapping' as a list, which is no tensor"),
        ("a.luts", torch.ones(12, 16), "order of the layers .* cannot be known"),
    ],
)
def test_state_dicts_that_are_wrong(key: str, value: Any, message: str) -> None:
    state, around = changed()
    if value is None:
        del state[key]
    else:
        state[key] = value
    with pytest.raises(LgnError, match=message):
        from_checkpoint(state, around)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("thermometer", {"kind": "uniform"}, "thermometer: it has no tensor 'thresholds'"),
        ("thermometer", {"thresholds": torch.ones(5, 3)}, "give 15 bits, the first layer has 20"),
        ("thermometer", {"thresholds": torch.tensor([torch.nan])}, "threshold is not finite"),
        ("thermometer", {"thresholds": torch.ones(0, 3)}, "expected numbers of shape"),
        ("config", {"num_classes": 3.0}, "config: 'num_classes' is 3.0"),
        ("config", {"num_classes": 0}, "config: 'num_classes' is 0"),
        ("config", {"num_classes": 3, "tau": "x"}, "config: 'tau' is 'x'"),
        ("config", {"num_classes": 3, "tau": 0}, "tau > 0"),
        ("classes", "abc", "classes: found str, expected a list of names"),
        ("classes", ["a", "b"], "2 class names are given for 3 scores"),
    ],
)
def test_checkpoints_that_are_wrong(key: str, value: Any, message: str) -> None:
    state, around = changed()
    with pytest.raises(LgnError, match=message):
        from_checkpoint(state, around | {key: value})


def test_no_layers_at_all() -> None:
    with pytest.raises(FormatError, match="the state_dict is empty"):
        from_checkpoint({})


def test_options_that_contradict_the_file(tmp_path: Path) -> None:
    path = saved(tmp_path, goldens()["n4_learnable"]["checkpoint"])
    with pytest.raises(FormatError, match=r"dwn\.pt: 4 groups are given, .* 3 classes"):
        load_network(path, groups=4)
    with pytest.raises(FormatError, match="thresholds are given, but the checkpoint has its own"):
        load_network(path, thresholds=np.ones((5, 4)))
    with pytest.raises(FormatError, match="21 inputs are given, but it takes 20"):
        load_network(path, inputs=21)
    with pytest.raises(FormatError, match="'architecture' does not apply to a torch-dwn check"):
        load_network(path, architecture={})


def test_layers_of_other_widths() -> None:
    state, around = changed("n2_learnable2")
    state["1.mapping.weights"] = torch.cat([state["1.mapping.weights"]] * 2)
    with pytest.raises(NetworkError, match=r"layer '1': takes 24 inputs, .* has 12 outputs"):
        from_checkpoint(state, around)


def lut(**changes: Any) -> nn.Module:
    tensors = {"luts": nn.Parameter(torch.ones(2, 4)), "input_size": 3, "ste": True}
    mapping = nn.Parameter(torch.tensor([[0, 1], [2, 0]]), requires_grad=False)
    return named("LUTLayer", **(tensors | {"mapping": mapping} | changes))


def group_sum(**changes: Any) -> nn.Module:
    return named("GroupSum", **({"k": 2, "tau": 1, "randperm": None} | changes))


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([lut(), nn.Linear(2, 2)], "layer '1': Linear is not a layer this program knows"),
        ([group_sum(), lut()], "there is no LUTLayer in front of the GroupSum"),
        ([lut(), group_sum(), lut()], "LUTLayer follows a GroupSum"),
        ([lut(ste=False), group_sum()], "layer '0': has ste=False: .* go to the GroupSum"),
        ([lut(ste=False)], "go to the end of the network"),
        ([lut(), lut()], "layer '1': takes 3 inputs, the layer before it has 2 outputs"),
        ([lut(), nn.Flatten(0)], "layer '1': Flatten must keep the batch axis"),
        ([lut(), group_sum(randperm=torch.tensor([0, 2]))], "randperm does not number the 2 bits"),
        ([lut(), group_sum(tau=-1.0)], "tau > 0"),
        ([named("LUTLayer", luts=nn.Parameter(torch.ones(2, 4)))], "has no 'mapping'"),
        ([lut(input_size=None)], "LUTLayer is not as torch-dwn makes it"),
        ([lut(input_size=2)], "2 inputs"),
    ],
)
def test_modules_that_are_refused(layers: list[nn.Module], message: str) -> None:
    with pytest.raises(LgnError, match=message):
        convert(nn.Sequential(*layers))


def test_thresholds_that_are_none() -> None:
    unfitted = type("Thermometer", (), {"thresholds": None})()
    with pytest.raises(FormatError, match="thresholds: found object"):
        convert(nn.Sequential(lut()), thresholds=unfitted)
    with pytest.raises(NetworkError, match="the network takes bits"):
        convert(nn.Sequential(lut()), input_format="int8")


def test_modules_of_other_libraries() -> None:
    assert not is_module(nn.Sequential(nn.Linear(2, 2), named("LUTLayer", k=3)))
    with pytest.raises(NetworkError, match="there is no LUTLayer"):
        convert(nn.Sequential())
