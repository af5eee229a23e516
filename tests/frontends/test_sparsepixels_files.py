"""SparsePixels files through `load` and the command line: options, architectures, refusals."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import h5py
import numpy as np
import pytest
from keras_files import dense, layer, model, pool, weights, write_keras, write_weights
from sparsepixels_goldens import GOLDENS

import lgn_hdl
from lgn_hdl.cli import main
from lgn_hdl.errors import FormatError, LgnError
from lgn_hdl.frontends.sparsepixels import (
    KerasModel,
    architecture,
    from_keras,
    read_architecture,
    read_keras,
)
from lgn_hdl.network import InputReduce, Network
from lgn_hdl.network.storage import network_digest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model as a whole file, and as weights."""
    write_keras(tmp_path / "whole.keras", model(), weights())
    write_weights(tmp_path / "net.weights.h5", weights())
    return tmp_path


def expected(folder: Path, **options: Any) -> str:
    options = {"slots": 4, "threshold": 0.25, **options}
    return network_digest(from_keras(read_keras(folder / "whole.keras"), **options))


def described(**changes: Any) -> dict[str, Any]:
    """The small description of the model."""
    return {**architecture(model(), slots=4, threshold=0.25), **changes}


def test_a_whole_file(folder: Path) -> None:
    loaded = lgn_hdl.load(folder / "whole.keras", slots=4, threshold=0.25)
    assert network_digest(loaded.network) == expected(folder)
    (folder / "whole.keras").rename(folder / "other.name")
    again = lgn_hdl.load(
        folder / "other.name", slots=3, input_format="ufixed<8,1>", classes=["a", "b", "c"]
    )
    assert str(again.network.inputs["x"].element) == "ufixed<8,1>"
    assert again.classes == ("a", "b", "c")
    reduce = again.network.nodes[0].layer
    assert reduce == InputReduce(3, 0.0)


def test_weights_and_the_layers_of_another_file(folder: Path) -> None:
    path = folder / "net.weights.h5"
    whole = folder / "whole.keras"
    loaded = lgn_hdl.load(path, architecture=whole, slots=4, threshold=0.25)
    assert network_digest(loaded.network) == expected(folder)
    whole.rename(folder / "net.keras")
    beside = lgn_hdl.load(path, slots=4, threshold=0.25)
    assert network_digest(beside.network) == network_digest(loaded.network)


def test_the_small_file_may_tell_the_slots(folder: Path) -> None:
    path, text = folder / "net.weights.h5", json.dumps(described())
    assert network_digest(lgn_hdl.load(path, architecture=described()).network) == expected(folder)
    (folder / "elsewhere").write_text(text)
    found = lgn_hdl.load(path, architecture=folder / "elsewhere", slots=2, threshold=0.0)
    assert network_digest(found.network) == expected(folder, slots=2, threshold=0.0)
    (folder / "architecture.json").write_text(text)
    assert network_digest(lgn_hdl.load(path).network) == expected(folder)
    (folder / "architecture.json").write_text("{}")
    (folder / "net.json").write_text(text)
    assert network_digest(lgn_hdl.load(path).network) == expected(folder)


def test_the_small_file_is_as_in_the_documentation() -> None:
    assert described() == {
        "format": "sparsepixels-architecture",
        "version": 1,
        "input_shape": [6, 6, 1],
        "slots": 4,
        "threshold": 0.25,
        "layers": [
            {
                "type": "QConv2D",
                "name": "conv1",
                "kernel_quantizer": "quantized_bits(6, 1)",
                "bias_quantizer": "quantized_bits(6, 2)",
                "activation": "linear",
            },
            {"type": "QActivation", "name": "relu1", "activation": "quantized_relu(6, 2)"},
            {"type": "AveragePooling2D", "name": "pool1", "pool_size": [2, 2]},
            {"type": "Flatten", "name": "flatten"},
            {
                "type": "QDense",
                "name": "dense1",
                "kernel_quantizer": "quantized_bits(6, 1)",
                "bias_quantizer": "quantized_bits(6, 2)",
                "activation": "linear",
            },
            {"type": "Activation", "name": "softmax", "activation": "softmax"},
        ],
    }


def test_the_documented_file_is_read() -> None:
    text = (Path(__file__).parents[2] / "docs" / "frontends.md").read_text()
    blocks = [block.partition("\n```")[0] for block in text.split("```json\n")[1:]]
    (documented,) = [block for block in blocks if '"sparsepixels-architecture"' in block]
    found = read_architecture(json.loads(documented))
    assert (found.slots, found.threshold) == (20, 0.0)
    stored = {
        "conv1": {"kernel": np.ones((3, 3, 1, 2)), "bias": np.ones(2)},
        "dense1": {"kernel": np.ones((392, 5)), "bias": np.ones(5)},
    }
    network = from_keras(KerasModel(found.layers, stored), slots=20)
    assert network.outputs == ("class", "dense1")


def test_weights_that_are_numbered(folder: Path) -> None:
    with h5py.File(folder / "net.weights.h5", "w") as file:
        for name, stored in (("conv1", "q_conv2d"), ("dense1", "q_dense")):
            for number, variable in enumerate(("kernel", "bias")):
                values = weights()[name][variable].astype(np.float32)
                file[f"layers/{stored}/vars/{number}"] = values
    loaded = lgn_hdl.load(folder / "net.weights.h5", architecture=described())
    assert network_digest(loaded.network) == expected(folder)


@pytest.mark.parametrize("task", [("neutrino", 0.0), ("jet", 0.0), ("sparsemnist", 0.4)])
def test_published_weights_share_the_layers(shared: Path, task: tuple[str, float]) -> None:
    name, threshold = task
    models = shared / "data/sparsepixels/models"
    whole = read_keras(models / f"{name}_sparse_t-8b.keras")
    small = architecture(whole.layers, 8, threshold)
    weights_path = models / f"{name}_sparse_t-8b.weights.h5"
    digest = network_digest(from_keras(whole, slots=8, threshold=threshold))
    assert network_digest(lgn_hdl.load(weights_path, architecture=small).network) == digest
    assert len(json.dumps(small)) < 1500


def test_the_command_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--slots", "5", "--threshold", "0.4", "--input-format", "ufixed<8,1>"]
    assert main(["info", str(folder / "whole.keras"), *options, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["inputs"] == {"x": "ufixed<8,1>[1x6x6]"}
    assert found["layers"][0]["output"] == "ufixed<8,1>[5x1] masked on 6x6"
    assert found["meta"] == {"source": "SparsePixels", "slots": 5, "threshold": 0.4}
    arch = ["--arch", str(folder / "whole.keras"), "--classes", "a,b,c"]
    assert main(["info", str(folder / "net.weights.h5"), *arch, "--slots", "5", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["classes"] == ["a", "b", "c"]
    assert main(["info", str(folder / "whole.keras")]) == 2
    error = capsys.readouterr().err
    assert error == (
        f"lgn_hdl: error: {folder}/whole.keras: nothing says how many active pixels are kept "
        "(n_max_pixels of SparsePixels) (give slots=N, or --slots N)\n"
    )


def test_build_loads_with_the_format_of_the_pixels(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: dict[str, Any] = {}

    def load(path: Path, *arguments: Any, **options: Any) -> None:
        seen[path.name] = options["input_format"], options["slots"], options["threshold"]
        raise LgnError("enough is known")

    monkeypatch.setattr("lgn_hdl.api.load", load)
    for name in ("a.keras", "a.weights.h5", "a.lgn"):
        options = ["--input-format", "uint8", "--slots", "3", "--threshold", "0.5"]
        assert main(["build", name, "-o", "out", *options]) == 2
    assert capsys.readouterr().err.count("enough is known") == 3
    assert seen == {
        "a.keras": ("uint8", 3, 0.5),
        "a.weights.h5": ("uint8", 3, 0.5),
        "a.lgn": (None, 3, 0.5),  # a stored network may have a front end, with formats of its own
    }


# --- what is refused -----------------------------------------------------------------------------


def refused(path: Path, message: str, **options: Any) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        lgn_hdl.load(path, **options)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_options_that_do_not_apply(folder: Path) -> None:
    refused(folder / "whole.keras", "option 'groups' does not apply to a Keras model", groups=3)
    refused(
        folder / "whole.keras", "option 'architecture' does not apply", architecture=described()
    )
    refused(folder / "net.weights.h5", "'indices' does not apply to a file of Keras", indices={})
    (folder / "gates.csv").write_text("layer,neuron,input_a,input_b,gate_id\n0,0,0,1,6\n")
    refused(folder / "gates.csv", "option 'slots' does not apply to a gate list", slots=3)
    refused(folder / "gates.csv", "option 'threshold' does not apply", threshold=0.5)


def test_slots_that_are_none(folder: Path) -> None:
    path = folder / "whole.keras"
    refused(path, "layer 'x_in': 0 slots for a frame of 6 x 6 pixels, expected 1 to 36", slots=0)
    refused(path, "37 slots for a frame of 6 x 6 pixels", slots=37)
    refused(path, "the threshold is nan, expected a number", slots=4, threshold=float("nan"))


def test_weights_without_layers(folder: Path) -> None:
    refused(
        folder / "net.weights.h5",
        "there is no net.json, net.keras or architecture.json beside them",
        slots=4,
    )


def test_weights_of_another_network(folder: Path) -> None:
    other = described()
    other["layers"] = [entry for entry in other["layers"] if entry["type"] != "QConv2D"]
    path = folder / "net.weights.h5"
    refused(path, "weights of 'conv1', which is no layer of the architecture", architecture=other)
    other = described()
    other["layers"].insert(5, {**other["layers"][4], "name": "dense2"})
    refused(path, "layer 'dense2': there are no weights 'kernel'", architecture=other)
    other = described(input_shape=[6, 6, 2])
    refused(path, r"layer 'conv1': kernel is int64 of shape \(2, 1, 3, 3\)", architecture=other)
    other = described(input_shape=[8, 8, 1])
    refused(path, r"layer 'dense1': weight is int64 of shape \(3, 18\)", architecture=other)


def change(index: int, **fields: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda said: said["layers"][index].update(fields)


def without(index: int, field: str) -> Callable[[dict[str, Any]], Any]:
    return lambda said: said["layers"][index].pop(field)


WRONG: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "format": (lambda said: said.pop("format"), "the architecture is None, version 1, expected"),
    "shape": (lambda said: said.update(input_shape=[6, 6]), r"'input_shape' is \[6, 6\], expected"),
    "layers": (lambda said: said.update(layers={}), "'layers' is not a list of layers"),
    "layer": (lambda said: said["layers"].insert(1, "relu"), "architecture, layer 1: is 'relu'"),
    "slots": (lambda said: said.update(slots=2.5), "'slots' is 2.5, expected a number of pixels"),
    "threshold": (lambda said: said.update(threshold="0"), "'threshold' is '0', expected a number"),
    "kind": (change(2, type="GlobalPool"), "layer 2: GlobalPool is no layer of a SparsePixels"),
    "no name": (without(0, "name"), "architecture, layer 0: QConv2D: 'name' is missing"),
    "no bits": (without(0, "bias_quantizer"), "layer 0: QConv2D: 'bias_quantizer' is missing"),
    "bits": (change(0, kernel_quantizer="binary()"), "'kernel_quantizer': is 'binary.*', expected"),
    "field": (change(0, strides=[2, 2]), "layer 0: QConv2D: 'strides' is no field of it"),
    "window": (change(2, pool_size=2), "AveragePooling2D: 'pool_size' is 2"),
    "function": (change(1, activation="gelu"), "layer 'relu1': its activation is 'gelu'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_architectures_that_are_wrong(folder: Path, name: str) -> None:
    spoil, message = WRONG[name]
    said = copy.deepcopy(described())
    spoil(said)
    refused(folder / "net.weights.h5", message, architecture=said)
    (folder / "net.json").write_text(json.dumps(said))
    refused(folder / "net.weights.h5", message)


def test_files_of_the_architecture_that_are_none(folder: Path) -> None:
    path = folder / "net.weights.h5"
    refused(path, "nowhere: cannot be read: No such file", architecture=folder / "nowhere")
    (folder / "a.json").write_text("hello")
    refused(path, "a.json: not a JSON file", architecture=folder / "a.json")
    (folder / "a.json").write_bytes(b"PK\x03\x04")
    refused(path, "a.json: is no model that Keras saved", architecture=folder / "a.json")


def test_broken_hdf5(folder: Path) -> None:
    path = folder / "net.weights.h5"
    path.write_bytes(path.read_bytes()[:300])
    refused(path, "is no HDF5 file", architecture=described())
    with h5py.File(path, "w") as file:
        file["nothing"] = np.arange(3)
    refused(path, "holds no weights", architecture=described())


def test_h5py_is_named_where_it_is_missing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    message = r'is read with h5py, which is not installed \(pip install "lgn-hdl\[keras\]"\)'
    refused(folder / "whole.keras", message, slots=4)
    refused(folder / "net.weights.h5", message, architecture=described())


# --- files of sparsepixels 0.3 -------------------------------------------------------------------


def hgq(
    folder: Path,
    spoil: Callable[[list[Any], dict[str, np.ndarray]], Any],
    name: str = "two_stages",
) -> Path:
    """The file of a golden with something changed."""
    source, path = GOLDENS / f"{name}.keras", folder / "changed.keras"
    with ZipFile(source) as archive:
        config = json.loads(archive.read("config.json"))
        (folder / "weights.h5").write_bytes(archive.read("model.weights.h5"))
    stored = dict(read_keras(source).variables)
    before = set(stored)
    spoil(config["config"]["layers"], stored)
    with h5py.File(folder / "weights.h5", "r+") as file:
        for name in before - set(stored):
            del file[name]
        for name, values in stored.items():
            file[name][...] = values
    with ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", (folder / "weights.h5").read_bytes())
    return path


def conv(**changes: Any) -> Callable[[list[Any], Any], Any]:
    return lambda layers, stored: layers[2]["config"]["conv_config"].update(changes)


def lane(**changes: Any) -> Callable[[list[Any], Any], Any]:
    return lambda layers, stored: layers[2]["config"]["conv_config"]["iq_conf"]["config"].update(
        changes
    )


SPOILT: dict[str, tuple[Callable[[list[Any], dict[str, np.ndarray]], Any], str]] = {
    "stride": (conv(strides=[2, 2]), r"layer 'conv1': its strides is \[2, 2\], expected \[1, 1\]"),
    "padding": (conv(padding="valid"), "layer 'conv1': its padding is 'valid', expected 'same'"),
    "output": (conv(enable_oq=True), "layer 'conv1': its enable_oq is True, expected False"),
    "float": (lane(q_type="float"), "layer 'conv1': its quantiser is 'float', expected fixed poi"),
    "scaler": (lane(scaler=2.0), "layer 'conv1': its quantiser scales or shifts numbers"),
    "rounding": (lane(round_mode="RND"), "layer 'conv1': its quantiser rounds .* by RND, exp"),
    "missing": (conv(kernel_size=3, groups=2), "layer 'conv1': its groups is 2, expected 1"),
    "option": (
        lambda layers, stored: layers[3]["config"].pop("pool_config"),
        "layer 'pool2': AveragePooling2DSparse is not as Keras writes it .*'pool_config'",
    ),
    "kind": (
        lambda layers, stored: layers[3].update(class_name="GlobalPool"),
        "layer 'pool2': GlobalPool is no layer of a SparsePixels model",
    ),
    "chain": (
        lambda layers, stored: layers[4].update(inbound_nodes=layers[2]["inbound_nodes"]),
        "layer 'conv3': reads something else than the layer before and its mask",
    ),
    "variable": (
        lambda layers, stored: stored.pop("layers/q_conv2d_sparse_1/conv/vars/0"),
        "layer 'conv3': the file has no variable 'layers/q_conv2d_sparse_1/conv/vars/0'",
    ),
    "no reduction": (
        lambda layers, stored: layers.pop(1),
        r"changed\.keras: is a model of Keras 3 without an input reduction",
    ),
    "no config": (
        lambda layers, stored: layers[5].pop("config"),
        r"changed\.keras: is no model that Keras saved: KeyError.'config'",
    ),
    "two inputs": (
        lambda layers, stored: layers.insert(2, layers[0]),
        "layer 'x_in': is a second input, expected one",
    ),
    "finite": (
        lambda layers, stored: stored["layers/q_dense/vars/0"].fill(np.nan),
        r"layer 'dense5': a constant is not finite at \(0, 0\): nan",
    ),
}


@pytest.mark.parametrize("name", SPOILT)
def test_files_of_hgq_that_are_refused(tmp_path: Path, name: str) -> None:
    spoil, message = SPOILT[name]
    path = hgq(tmp_path, spoil)
    refused(path, message, input_format="ufixed<13,1>")


def test_a_changed_weight_of_hgq_changes_the_network(tmp_path: Path) -> None:
    def spoil(layers: list[Any], stored: dict[str, np.ndarray]) -> None:
        stored["layers/q_dense/vars/1"] *= -1

    options = {"input_format": "ufixed<8,1>"}
    changed: Network = lgn_hdl.load(hgq(tmp_path, spoil), **options).network
    same = lgn_hdl.load(hgq(tmp_path, lambda layers, stored: None), **options).network
    whole = lgn_hdl.load(GOLDENS / "two_stages.keras", **options).network
    assert network_digest(same) == network_digest(whole)
    assert network_digest(changed) != network_digest(whole)


def test_learned_slots_are_rounded_in_float32(tmp_path: Path) -> None:
    def spoil(layers: list[Any], stored: dict[str, np.ndarray]) -> None:
        layers[1]["config"]["n"] = 7
        stored["layers/input_reduce/vars/0"] = np.float32(0.1)
        stored["layers/input_reduce/vars/1"] = np.float32(0.35714287)  # 2.5 in float32

    path = hgq(tmp_path, spoil, "trained_max_learned")
    reduce = lgn_hdl.load(path, input_format="ufixed<8,1>").network.nodes[0].layer
    assert reduce == InputReduce(2, float(np.float32(0.1)))


def test_layers_of_both_kinds_are_refused(tmp_path: Path) -> None:
    layers = [*model()[:2], layer("InputReduce", "reduce"), pool("p", 2), dense("d", 3)]
    path = write_keras(tmp_path / "a.keras", layers, weights())
    with pytest.raises(LgnError, match=r"a\.keras: layer 'x_in': InputLayer is not as Keras"):
        lgn_hdl.load(path)
