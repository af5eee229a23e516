"""Models of sparsepixels 0.3 against what the library itself gives, layer by layer.

The goldens were made by `tests/golden/make_sparsepixels.py`, where Keras is.
"""

from __future__ import annotations

import copy
import json
import zipfile
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sparsepixels_goldens import GOLDENS, Recorded, differences, golden, names, tensors
from sparsepixels_likeness import likeness, named, quantizer

import lgn_hdl
from lgn_hdl.errors import FormatError, LgnError, NetworkError
from lgn_hdl.frontends import convert
from lgn_hdl.frontends.sparsepixels import (
    describe,
    from_description,
    is_model,
)
from lgn_hdl.network import ArgMax, FixedPoint, InputReduce, Network, Quantize, SparseConv2d
from lgn_hdl.network.storage import network_digest

CASES = names()
FILES = sorted(path.stem for path in GOLDENS.glob("*.keras"))


def network_of(name: str) -> Network:
    described, input_format, _, _ = golden(name)
    return from_description(described, input_format=input_format)


# --- the same as the library ---------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_every_layer_is_exact(name: str) -> None:
    described, input_format, x, expected = golden(name)
    network = from_description(described, input_format=input_format)
    assert list(differences(network, described, x, expected)) == []
    assert len(expected) >= 3


def test_a_wrong_weight_is_seen() -> None:
    described, input_format, x, expected = golden("two_stages")
    changed = copy.deepcopy(described)
    row = next(layer for layer in changed["layers"] if layer["type"] == "QConv2DSparse")
    row["kernel"]["integers"][1][1][0][0] += 1
    network = from_description(changed, input_format=input_format)
    found = list(differences(network, changed, x, expected))
    assert found[0].startswith("conv1: ")


def test_the_goldens_have_the_edges_of_the_semantics() -> None:
    met: Counter[str] = Counter()
    for name in CASES:
        x = golden(name)[2]
        network = network_of(name)
        found = tensors(network, x)
        for node in network.nodes:
            values = found[node.name]
            if isinstance(node.layer, InputReduce):
                active = (x[..., 0] > node.layer.threshold).sum((1, 2))
                met["empty image"] += int((active == 0).sum())
                met["overflowing image"] += int((active > node.layer.slots).sum())
                used = values[..., -1] != 0
                met["slot on an edge"] += int((used & (values[..., -3:-1] == 0).any(-1)).sum())
            elif isinstance(node.layer, SparseConv2d):
                used = values[..., -1:] != 0
                without = used & (node.layer.bias != 0) & (values[..., :-3] == 0)
                met["slot without its bias"] += int(without.sum())
                pixels = found[node.inputs[0]]
                dark = (pixels[..., -1] != 0) & (pixels[..., :-3] == 0).all(-1)
                met["active slot rounded to zero"] += int(dark.sum())
            elif isinstance(node.layer, Quantize) and node.inputs[0] in found:
                source = network.types[node.inputs[0]]
                before = found[node.inputs[0]][..., : -3 if source.masked else None]
                assert isinstance(source.element, FixedPoint)
                ratio = source.element.step / node.layer.format.step
                up, down = ratio.numerator, ratio.denominator
                met["tie"] += int((2 * before * up % (2 * down) == down).sum())
                met["saturation"] += int((before * up > node.layer.format.max_int * down).sum())
    for what, count in met.items():
        assert count > 50, what
    assert len(met) == 7


@pytest.mark.parametrize("name", FILES)
def test_files_that_keras_saved(name: str, tmp_path: Path) -> None:
    input_format = golden(name)[1]
    expected = network_of(name)
    model = lgn_hdl.load(GOLDENS / f"{name}.keras", input_format=input_format)
    assert network_digest(model.network) == network_digest(expected)
    assert isinstance(model.network.nodes[-1].layer, ArgMax)
    with zipfile.ZipFile(GOLDENS / f"{name}.keras") as archive:
        archive.extract("model.weights.h5", tmp_path)
    weights = (tmp_path / "model.weights.h5").rename(tmp_path / "net.weights.h5")
    beside = lgn_hdl.load(
        weights, architecture=GOLDENS / f"{name}.keras", input_format=input_format
    )
    assert network_digest(beside.network) == network_digest(expected)


def test_slots_and_threshold_are_in_the_file() -> None:
    path = GOLDENS / f"{FILES[0]}.keras"
    for option in ({"slots": 3}, {"threshold": 0.5}):
        with pytest.raises(FormatError, match=f"option '{next(iter(option))}' does not apply to"):
            lgn_hdl.load(path, **option, input_format="uint8")


@pytest.mark.parametrize("name", CASES)
def test_live_models_are_described_as_the_file_says(name: str) -> None:
    described, input_format, _, _ = golden(name)
    model = likeness(described)
    assert is_model(model)
    assert describe(model) == described
    network = convert(model, input_format=input_format)
    assert network_digest(network) == network_digest(network_of(name))
    json.dumps(describe(model))


def test_slots_are_rounded_as_the_layer_itself_does() -> None:
    model = likeness(golden("basic")[0])
    reduce = model.layers[1]
    # In double precision 7 times this share is a little above 2.5, in float32 it is a tie.
    for n, share, slots in ((7, 0.35714287, 2), (11, 0.5, 6), (10, 0.35, 4), (1000, 3.0, 144)):
        reduce.n_init, reduce.learn_n, reduce.n_frac = n, True, np.float32(share)
        assert describe(model)["layers"][0]["slots"] == slots
    reduce.learn_threshold, reduce.threshold_w = True, np.float32(0.1)
    assert describe(model)["layers"][0]["threshold"] == float(np.float32(0.1))


# --- the form of the network ---------------------------------------------------------------------


def test_a_relu_is_one_with_the_quantiser_behind_it() -> None:
    nodes = [(node.name, type(node.layer).__name__) for node in network_of("two_stages").nodes]
    assert nodes == [
        ("reduce", "InputReduce"),
        ("conv1_iq", "Quantize"),
        ("conv1", "SparseConv2d"),
        ("conv1_relu", "Quantize"),
        ("pool2", "SparsePool2d"),
        ("conv3_iq", "Quantize"),
        ("conv3", "SparseConv2d"),
        ("conv3_relu", "Quantize"),
        ("pool4", "SparsePool2d"),
        ("dense5_iq", "Quantize"),
        ("flatten", "SparseFlatten"),
        ("dense5", "Dense"),
        ("class", "ArgMax"),
    ]
    direct = [node.name for node in network_of("conv_conv").nodes]
    assert "conv2_iq" not in direct
    assert "conv1_relu" in direct


def test_the_default_format_takes_twelve_fractional_bits() -> None:
    described = golden("default_input_format")[0]
    assert str(from_description(described).inputs["x"].element) == "fixed<15,3>"
    in_front = golden("quantizer_in_front")[0]
    assert str(from_description(in_front).inputs["x"].element) == "fixed<7,2>"


def test_outputs_and_classes() -> None:
    described, _, _, _ = golden("basic")
    network = from_description(described, input_format="ufixed<8,1>", classes=["a", "b", "c"])
    assert network.outputs == ("class", "dense4")
    assert network.classes == ("a", "b", "c")
    assert network_of("sigmoid").outputs == ("decision", "dense3")
    assert network_of("linear").outputs == ("dense3",)


def test_sums_beyond_float32_are_remarked() -> None:
    described = copy.deepcopy(golden("no_input_quantizer")[0])
    assert "warnings" not in network_of("no_input_quantizer").meta
    described["layers"][-2]["input_quantizer"] = None
    (warning,) = from_description(described, input_format="ufixed<8,1>").meta["warnings"]
    assert warning.startswith("the sums of dense4 are exact here")


# --- what is refused -----------------------------------------------------------------------------


def layer(index: int, **changes: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda said: said["layers"][index].update(changes)


def lane(**changes: Any) -> dict[str, Any]:
    return {"rounding": "RND_CONV", "overflow": "SAT", "k": 1, "i": 2, "f": 6, **changes}


REFUSED: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "half up": (
        layer(1, input_quantizer=lane(rounding="RND", f=4)),
        r"layer 'conv1': its quantiser rounds ufixed<8,1> to 4 fractional bits by RND, expected "
        r"RND_CONV \(to the nearest, ties to the even number\)",
    ),
    "down": (layer(1, input_quantizer=lane(rounding="TRN", f=4)), "by TRN, expected RND_CONV"),
    "wrap": (
        layer(1, input_quantizer=lane(overflow="WRAP", i=0, f=7)),
        r"layer 'conv1': numbers of ufixed<8,1> overflow its quantiser of fixed<8,1> by WRAP",
    ),
    "elements": (
        layer(1, input_quantizer=lane(f=[[[2], [3]]])),
        r"layer 'conv1': its quantiser has 2 formats for different elements \(fixed<5,3>, fixed",
    ),
    "no bits": (layer(1, input_quantizer=lane(k=0, i=2, f=-2)), "has no bits"),
    "mode": (layer(1, input_quantizer=lane(rounding="UP")), "is UP, SAT, which HGQ2 does not have"),
    "bits": (layer(1, input_quantizer=lane(f=1.5)), "k, i and f of a quantiser are integers"),
    "kernel": (layer(1, kernel={"integers": [1.5], "fraction": 0}), "constants are float64 in 1"),
    "even kernel": (
        layer(1, kernel={"integers": [[[[1, 2]]] * 2] * 2, "fraction": 0}),
        "layer 'conv1': the kernel is 2 x 2, expected odd",
    ),
    "activation": (layer(1, activation="tanh"), "layer 'conv1': its activation is 'tanh'"),
    "kind": (layer(1, type="Conv2D"), "layer 'conv1': Conv2D is no layer of a SparsePixels model"),
    "missing": (lambda said: said["layers"][1].pop("bias"), "not well formed: KeyError.'bias'"),
    "slots": (layer(0, slots=200), "layer 'reduce': 200 slots for a frame of 12 x 12"),
    "version": (lambda said: said.update(version=2), "version 2, expected 'sparsepixels-network'"),
    "shape": (lambda said: said.pop("input_shape"), "description is not well formed"),
    "two": (lambda said: said["layers"].insert(4, said["layers"][3]), "a flatten layer takes a sp"),
    "order": (lambda said: said["layers"].pop(3), "a dense layer takes one axis"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_descriptions_that_are_refused(name: str) -> None:
    spoil, message = REFUSED[name]
    described = copy.deepcopy(golden("basic")[0])
    spoil(described)
    with pytest.raises(LgnError, match=message):
        from_description(described, input_format="ufixed<8,1>")


def test_pixels_need_a_format_if_no_quantiser_gives_one() -> None:
    described = copy.deepcopy(golden("basic")[0])
    layer(1, input_quantizer=lane(overflow="WRAP"))(described)
    with pytest.raises(NetworkError, match="the number format of the pixels has to be given"):
        from_description(described)
    layer(1, input_quantizer=None)(described)
    described["layers"] = described["layers"][:3]
    with pytest.raises(NetworkError, match="no quantiser tells the number format"):
        from_description(described)


def test_max_pooling_of_signed_numbers_is_refused() -> None:
    described = copy.deepcopy(golden("max_partial")[0])
    layer(1, activation="linear")(described)
    with pytest.raises(NetworkError, match="would depend on pixels not kept"):
        from_description(described, input_format="ufixed<8,1>")


def change(path: str, value: Any) -> Callable[[Any], None]:
    """Set an attribute of a live model by its path, such as `1.conv.padding`."""

    def spoil(model: Any) -> None:
        index, *inner, last = path.split(".")
        target = model.layers[int(index)]
        for attribute in inner:
            target = getattr(target, attribute)
        setattr(target, last, value)

    return spoil


LIVE: dict[str, tuple[Callable[[Any], None], str]] = {
    "stride": (change("2.conv.strides", (2, 2)), r"layer 'conv1': its strides is \(2, 2\), exp"),
    "padding": (change("2.conv.padding", "valid"), "layer 'conv1': its padding is 'valid'"),
    "groups": (change("2.conv.groups", 2), "its groups is 2, expected 1"),
    "output": (change("2.conv.enable_oq", True), "its enable_oq is True, expected False"),
    "overlap": (change("3.avg_pool.strides", (1, 1)), "layer 'pool2': its strides is"),
    "chain": (change("4.input", None), "layer 'flatten': reads something else than the layer bef"),
    "mask": (change("3.input", [None, None]), "than the layer before and its mask"),
    "outputs": (lambda model: model.outputs.append(1), "'softmax' is not the only output"),
    "scaler": (change("2.conv.iq.scaler", 2.0), "its quantiser scales or shifts numbers"),
    "float": (
        change("2.conv.iq.quantizer", named("FloatPointQuantizer")),
        "layer 'conv1': its quantiser is a FloatPointQuantizer, expected fixed point",
    ),
    "attribute": (lambda model: delattr(model.layers[2], "conv"), "is not as in sparsepixels 0.3"),
    "finite": (change("5.qkernel", np.array([[np.nan]])), "constant is not finite at .0, 0.: nan"),
    "kind": (
        lambda model: model.layers.insert(2, named("Dropout", name="drop")),
        "layer 'drop': Dropout is no layer of a SparsePixels model",
    ),
    "no reduction": (lambda model: model.layers.pop(1), "a Functional is no SparsePixels model"),
    "vector": (
        lambda model: setattr(model.layers[0].output, "shape", (None, 12, 12)),
        r"takes \(12, 12\), expected images",
    ),
}


@pytest.mark.parametrize("name", LIVE)
def test_live_models_that_are_refused(name: str) -> None:
    spoil, message = LIVE[name]
    model = likeness(golden("basic")[0])
    spoil(model)
    with pytest.raises(NetworkError, match=message):
        describe(model)


def test_same_padding_of_whole_windows_is_none() -> None:
    model = likeness(golden("basic")[0])
    model.layers[3].avg_pool.padding = "same"
    assert describe(model) == golden("basic")[0]
    model = likeness(golden("partial_windows")[0])
    model.layers[3].avg_pool.padding = "same"
    with pytest.raises(NetworkError, match="its padding is 'same', expected 'valid'"):
        describe(model)


def test_recorded_tensors_know_their_unit() -> None:
    assert Recorded(np.zeros(1), 3, 9).step == Fraction(1, 72)
    assert quantizer(None) is None
