"""The torchlogix frontend against outputs of the real library, and what it refuses.

The goldens were made by `tests/golden/make_torchlogix.py`. The small classes below only have the
names and attributes of the library's; they serve the error messages, no result is checked on them.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from lgn_hdl.errors import FormatError, LgnError, NetworkError
from lgn_hdl.frontends.torchlogix import architecture, convert, from_state_dict
from lgn_hdl.frontends.torchlogix.binarization import learned_thresholds
from lgn_hdl.frontends.torchlogix.luts import lut_tables
from lgn_hdl.network import BIT, REAL, FixedPoint, GroupSum, LutLayer, Network
from lgn_hdl.reference import Reference

GOLDENS = Path(__file__).parents[1] / "golden" / "torchlogix"
FAMILIES = ("dense_raw", "dense_warp", "dense_light", "binarization", "unclear", "structure")


@cache
def golden(family: str) -> dict[str, Any]:
    return torch.load(GOLDENS / f"{family}.pt", weights_only=True)


CASES = [(family, name) for family in FAMILIES for name in golden(family)]


def output(network: Network, x: torch.Tensor) -> torch.Tensor:
    """What the library puts out for our integers, in its single precision."""
    out = Reference(network)(x).float()
    layer = network.group_sum
    if layer is not None:
        out = out + layer.beta if layer.beta != 0 else out
        out = out / layer.tau if layer.tau != 1 else out
    return out


def test_the_goldens_cover_every_combination() -> None:
    names = {name for _, name in CASES}
    combinations = ["raw2", *(f"warp{n}" for n in (1, 2, 4, 6)), *(f"light{n}" for n in (2, 4, 6))]
    for combination in combinations:
        for wiring in ("fixed", "learnable", "learnable2", "gumbel", "gumbel2"):
            assert f"{combination}_{wiring}" in names
        for other in ("float64", "float16", "bfloat16", "materialized"):
            assert f"{combination}_{other}" in names


@pytest.mark.parametrize(("family", "name"), CASES)
def test_same_output_as_the_library(family: str, name: str) -> None:
    case = golden(family)[name]
    network = from_state_dict(case["state_dict"], case["architecture"])
    ours, theirs = output(network, case["x"]), case["out"].float()
    assert torch.equal(ours.reshape(theirs.shape), theirs)
    if network.scores:
        expected = [row.index(max(row)) for row in theirs.tolist()]
        assert Reference(network).predict(case["x"]).tolist() == expected
        assert network.outputs == ("class", "scores")
    if "thresholds" in case:
        thresholds = network.nodes[0].layer.thresholds  # pyright: ignore
        np.testing.assert_array_max_ulp(
            thresholds.flatten().astype(np.float32), case["thresholds"].flatten().numpy(), 4
        )


@pytest.mark.parametrize(("family", "name"), CASES)
def test_one_wrong_gate_is_noticed(family: str, name: str) -> None:
    """The goldens have teeth: with all gates of the last layer inverted they fail."""
    case = golden(family)[name]
    network = from_state_dict(case["state_dict"], case["architecture"])
    last = [i for i, n in enumerate(network.nodes) if isinstance(n.layer, LutLayer)][-1]
    layer = network.nodes[last].layer
    assert isinstance(layer, LutLayer)
    tables = layer.tables.copy()
    tables[0] ^= np.uint64((1 << (1 << layer.k)) - 1 if layer.k < 6 else 2**64 - 1)
    node = type(network.nodes[last])(
        network.nodes[last].name, LutLayer(layer.connections, tables), network.nodes[last].inputs
    )
    nodes = (*network.nodes[:last], node, *network.nodes[last + 1 :])
    broken = Network(network.inputs, nodes, network.outputs)
    assert not torch.equal(output(broken, case["x"]).flatten(), case["out"].float().flatten())


def test_near_zero_sums_are_reported() -> None:
    found = {}
    for name in ("warp2", "warp4", "warp6", "warp4_bfloat16"):
        case = golden("unclear")[name]
        network = from_state_dict(case["state_dict"], case["architecture"])
        found[name] = network.meta["warp_min_abs_sum"]
        assert "warnings" not in network.meta
    assert set(found.values()) == {0.0}
    case = golden("dense_warp")["warp4_fixed"]
    assert from_state_dict(case["state_dict"], case["architecture"]).meta["warp_min_abs_sum"] > 0


def test_a_materialised_basis_near_zero_is_warned_of() -> None:
    case = golden("unclear")["warp4"]
    described = json.loads(json.dumps(case["architecture"]))
    described["layers"][0]["materialize_basis"] = True
    network = from_state_dict(case["state_dict"], described)
    (warning,) = network.meta["warnings"]
    assert "Walsh sums are within rounding of zero" in warning
    assert json.loads(json.dumps(network.meta)) == network.meta


def test_the_order_of_the_additions_decides() -> None:
    """(0.1 + 0.2) - 0.3 is above zero in double precision, 0.1 + (0.2 - 0.3) is below."""
    weight = torch.tensor([[0.1, 0.2, -0.3, 0.0]], dtype=torch.float64)
    found = lut_tables("warp", 2, weight)
    assert int(found.tables[0]) & 1 == 0
    assert found.min_abs_sum == (0.1 + 0.2) - 0.3
    assert int(lut_tables("warp", 2, torch.zeros(1, 4)).tables[0]) == 0


@pytest.mark.parametrize("ids", [range(16)])
def test_raw_gate_ids_have_their_first_entry_on_top(ids: range) -> None:
    tables = lut_tables("raw", 2, torch.eye(16)[list(ids)]).tables
    assert [f"{int(t):04b}"[::-1] for t in tables] == [f"{i:04b}" for i in ids]


def test_raw_ties_go_to_the_first_gate() -> None:
    assert int(lut_tables("raw", 2, torch.ones(1, 16)).tables[0]) == 0


def test_names_input_and_classes() -> None:
    case = golden("structure")["nested"]
    network = from_state_dict(
        case["state_dict"],
        case["architecture"],
        input_format="ufixed<8,0>",
        classes=("a", "b", "c"),
    )
    assert [node.name for node in network.nodes] == [
        "binarization", "flatten", "dense0", "dense1", "scores", "class",
    ]  # fmt: skip
    assert network.inputs["x"].element == FixedPoint(8, 8)
    assert network.inputs["x"].shape == (3, 5)
    assert network.group_sum == GroupSum(3, 7.5, 2.25)
    assert network.classes == ("a", "b", "c")
    plain = from_state_dict(case["state_dict"], case["architecture"])
    assert plain.inputs["x"].element == REAL


def test_bits_need_no_format() -> None:
    case = golden("structure")["wrapper"]
    network = from_state_dict(case["state_dict"], case["architecture"])
    assert network.inputs["x"].element == BIT
    with pytest.raises(NetworkError, match="the network takes bits"):
        from_state_dict(case["state_dict"], case["architecture"], input_format="int8")
    with pytest.raises(NetworkError, match="not understood"):
        from_state_dict(case["state_dict"], case["architecture"], input_format="what")


def test_learned_thresholds_are_not_the_buffer() -> None:
    case = golden("binarization")["learnable_features"]
    buffer = case["state_dict"]["0.thresholds"]
    assert not torch.allclose(buffer, case["thresholds"])
    raw = torch.tensor([[-1.0, 0.5, -0.25]])
    thresholds = learned_thresholds(raw, 0.1)
    assert thresholds[0, 0] == -1.0
    assert (thresholds.diff() > 0).all()
    assert torch.equal(learned_thresholds(raw[:, :1], 0.1), raw[:, :1])


@pytest.mark.parametrize("wrapper", ["module.", "_orig_mod."])
def test_a_wrapper_in_front_of_every_key(wrapper: str) -> None:
    case = golden("structure")["nested"]
    state = {wrapper + key: value for key, value in case["state_dict"].items()}
    network = from_state_dict(state, case["architecture"])
    assert torch.equal(output(network, case["x"]), case["out"])


# --- what is refused -----------------------------------------------------------------------------


def changed(family: str = "structure", name: str = "nested") -> tuple[dict, dict]:
    """A state_dict and a description that a test may change."""
    case = golden(family)[name]
    return dict(case["state_dict"]), json.loads(json.dumps(case["architecture"]))


DENSE = "0.1.1"  # the first LogicDense of the nested case


def test_checkpoint_without_its_wiring() -> None:
    state, described = changed()
    del state[f"{DENSE}.connections.indices"]
    with pytest.raises(FormatError, match=r"layer '0\.1\.1': .*no '0\.1\.1\.connections\.indices'"):
        from_state_dict(state, described)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_not_finite(value: float) -> None:
    state, described = changed()
    weight = state[f"{DENSE}.weight"].clone()
    weight[3, 7] = value
    with pytest.raises(NetworkError, match=r"0\.1\.1.*not finite at \(3, 7\)"):
        from_state_dict({**state, f"{DENSE}.weight": weight}, described)


def test_connection_weights_that_are_not_finite() -> None:
    state, described = changed("dense_raw", "raw2_gumbel2")
    state["0.connections.weights"] = state["0.connections.weights"] * float("nan")
    with pytest.raises(NetworkError, match=r"connections\.weights is not finite"):
        from_state_dict(state, described)


def test_thresholds_that_are_not_finite() -> None:
    state, described = changed()
    state["0.0.0.thresholds"] = torch.tensor([0.1, float("nan")])
    with pytest.raises(NetworkError, match=r"threshold .* is not finite"):
        from_state_dict(state, described)


@pytest.mark.parametrize(
    ("key", "shape", "message"),
    [
        ("weight", (40, 15), r"expected floating-point numbers of shape \(neurons, 16\)"),
        ("weight", (39, 16), "weight is for 39 neurons, expected 40"),
        ("weight", (16,), "expected floating-point numbers"),
        ("connections.indices", (4, 39), r"shape \(4, 39\), expected \(4, 40\)"),
        ("connections.indices", (2, 40), r"shape \(2, 40\), expected \(4, 40\)"),
        ("connections.indices", (1, 4, 40), r"shape \(1, 4, 40\), expected \(4, 40\)"),
    ],
)
def test_shapes_that_do_not_match(key: str, shape: tuple[int, ...], message: str) -> None:
    state, described = changed()
    old = state[f"{DENSE}.{key}"]
    state[f"{DENSE}.{key}"] = torch.zeros(shape, dtype=old.dtype)
    with pytest.raises(LgnError, match=message):
        from_state_dict(state, described)


def test_candidates_and_their_weights_must_match() -> None:
    state, described = changed("dense_raw", "raw2_learnable2")
    state["0.connections.weights"] = state["0.connections.weights"][:1]
    with pytest.raises(NetworkError, match="expected the same"):
        from_state_dict(state, described)


@pytest.mark.parametrize("index", [-1, 30, 2**40])
def test_indices_out_of_range(index: int) -> None:
    state, described = changed()
    indices = state[f"{DENSE}.connections.indices"].clone()
    indices[2, 5] = index
    state[f"{DENSE}.connections.indices"] = indices
    with pytest.raises(NetworkError, match=rf"0\.1\.1.*neuron 5, input 2: index {index} is out of"):
        from_state_dict(state, described)


def test_indices_that_are_no_integers() -> None:
    state, described = changed()
    state[f"{DENSE}.connections.indices"] = state[f"{DENSE}.connections.indices"].float()
    with pytest.raises(FormatError, match="expected integers"):
        from_state_dict(state, described)


def test_the_state_of_another_network() -> None:
    state, described = changed()
    with pytest.raises(FormatError, match=r"'extra\.weight', which no layer of the architecture"):
        from_state_dict({**state, "extra.weight": torch.zeros(1)}, described)
    del described["layers"][-2:]
    with pytest.raises(FormatError, match="which no layer of the architecture"):
        from_state_dict(state, described)


def test_a_state_that_is_no_tensor() -> None:
    state, described = changed()
    with pytest.raises(FormatError, match="'epoch' is a int, expected a tensor"):
        from_state_dict({**state, "epoch": 3}, described)  # pyright: ignore


def test_layers_that_do_not_fit_together() -> None:
    state, described = changed()
    described["layers"][2]["in_dim"] = 31
    with pytest.raises(NetworkError, match=r"takes 31 inputs on the last axis"):
        from_state_dict(state, described)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("format"), "not a description of a torchlogix network"),
        (lambda d: d.update(version=3), "version 3 is not known"),
        (lambda d: d.update(version=0), "version 0 is not known"),
        (lambda d: d.update(layers=[]), "'layers' is not a list"),
        (lambda d: d.update(layers={}), "'layers' is not a list"),
        (lambda d: d.update(input_shape=[3, 0]), "'input_shape' is"),
        (lambda d: d["layers"].__setitem__(1, 5), "layer 1: has no 'type'"),
        (lambda d: d["layers"][2].pop("lut_rank"), "layer 2: LogicDense: 'lut_rank' is None"),
        (lambda d: d["layers"][2].update(lut_rank=True), "'lut_rank' is True"),
        (lambda d: d["layers"][2].update(lut_rank=3), "'light' with lut_rank 3 is not known"),
        (lambda d: d["layers"][2].update(parametrization="x"), "'x' with lut_rank 4"),
        (
            lambda d: d["layers"][2].update(type="LogicConvTranspose2d"),
            "LogicConvTranspose2d is not supported yet",
        ),
        (lambda d: d["layers"][2].update(type="Linear"), "Linear is not a layer this program"),
        (lambda d: d["layers"][0].update(feature_dim=0), "feature_dim 0 is not an axis"),
        (lambda d: d["layers"][0].update(feature_dim=-1), "feature_dim -1 is not an axis"),
        (lambda d: d["layers"][1].update(start_dim=0), r"Flatten\(0, -1\) does not fit"),
        (lambda d: d["layers"][-1].update(k=7), "cannot be split into 7 equal groups"),
        (lambda d: d["layers"][-1].update(tau=0), "tau > 0"),
        (lambda d: d["layers"][-1].update(tau=float("nan")), "tau is nan"),
        (lambda d: d["layers"].append(d["layers"][1]), "Flatten follows a GroupSum"),
    ],
)
def test_descriptions_that_are_wrong(change: Any, message: str) -> None:
    state, described = changed()
    change(described)
    with pytest.raises(LgnError, match=message):
        from_state_dict(state, described)


def test_an_input_shape_that_nobody_tells() -> None:
    state, described = changed()
    described["input_shape"] = None
    network = from_state_dict(state, described, input_shape=(3, 5))
    assert network.inputs["x"].shape == (3, 5)
    state, described = changed("binarization", "fixed_image_channels")
    described["input_shape"] = None
    with pytest.raises(NetworkError, match=r"does not follow from the layers .*give input_shape"):
        from_state_dict(state, described)


# --- live modules: only the walk and its errors --------------------------------------------------


def named(name: str, base: type[nn.Module] = nn.Module, **attributes: Any) -> nn.Module:
    """An object of a class with a library's name; it computes nothing."""
    cls = type(name, (base,), {"forward": lambda self, x: x})
    module = cls()
    for key, value in attributes.items():
        setattr(module, key, value)
    return module


@pytest.mark.parametrize("name", ["LogicConvTranspose2d", "LogicConvTranspose3d"])
def test_layers_of_later_versions(name: str) -> None:
    module = nn.Sequential(nn.Flatten(), nn.Sequential(named(name)))
    with pytest.raises(NetworkError, match=rf"layer '1\.0': {name} is not supported yet"):
        convert(module, 4)


def test_unknown_layers() -> None:
    with pytest.raises(NetworkError, match="layer '0': Linear is not a layer"):
        convert(nn.Sequential(nn.Linear(2, 2)), 2)
    module = nn.Module()
    module.first, module.second = nn.Sequential(), nn.Sequential()
    with pytest.raises(NetworkError, match="Module is not a layer"):
        convert(module, 2)
    own = type("Own", (nn.Sequential,), {"forward": lambda self, x: 1 - x})
    with pytest.raises(NetworkError, match=r"test_torchlogix\.py, line \d+: .*'__rsub__' is not"):
        convert(nn.Sequential(own(nn.Flatten(), nn.Flatten())), 2)


def test_a_layer_of_another_version_of_the_library() -> None:
    with pytest.raises(NetworkError, match=r"LogicDense is not as torchlogix 0\.2 makes it"):
        convert(nn.Sequential(named("LogicDense")), 2)
    odd = named("LogicDense", parametrization=named("NewParametrization"), connections=named("New"))
    with pytest.raises(NetworkError, match="its parametrization is NewParametrization"):
        convert(nn.Sequential(odd), 2)


def test_the_description_of_a_live_module() -> None:
    layers = named("DummyBinarization"), nn.Dropout(), nn.Flatten(), nn.Identity()
    module = nn.Module()
    module.model = nn.Sequential(*layers, named("GroupSum", k=2, tau=1.5, beta=0.0))
    described = architecture(module, (2, 4))
    assert json.loads(json.dumps(described)) == described
    assert described["input_shape"] == [2, 4]
    assert [(layer["type"], layer["path"]) for layer in described["layers"]] == [
        ("DummyBinarization", "model.0"),
        ("Flatten", "model.2"),
        ("GroupSum", "model.4"),
    ]
    network = convert(module, (2, 4))
    assert [node.name for node in network.nodes] == ["flatten", "scores", "class"]
