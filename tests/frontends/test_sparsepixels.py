"""Sparse CNNs as QKeras and Keras save them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keras_files import bits, dense, layer, model, pool, weights, write_keras, write_weights

from lgn_hdl.errors import LgnError
from lgn_hdl.frontends.sparsepixels import from_keras, read_keras, read_weights
from lgn_hdl.network import FixedPoint, Network
from lgn_hdl.reference import Reference

TASKS = {"neutrino": 0.0, "jet": 0.0, "sparsemnist": 0.4}
#: Active pixels that the published models were trained for, for those whose weights are at hand.
SLOTS = {"t": 8, "m": 16, "l": 20}


def probabilities(network: Network, x: np.ndarray) -> np.ndarray:
    """What the model's last function makes of the numbers in front of it."""
    name = network.outputs[1]
    number = network.types[name].element
    assert isinstance(number, FixedPoint)
    real = Reference(network).tensor(x, name).numpy() * float(number.step)
    if real.shape[1] == 1:
        return 1 / (1 + np.exp(-real))
    shares = np.exp(real - real.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("bits_of", ["8b", "16b"])
@pytest.mark.parametrize("task", TASKS)
def test_published_models_decide_as_in_keras(shared: Path, task: str, bits_of: str) -> None:
    folder = shared / "data/sparsepixels"
    vectors = np.load(folder / f"{task}_vectors.npz", allow_pickle=False)
    x = vectors["x"].transpose(0, 3, 1, 2)
    dense_form = read_keras(folder / f"models/{task}_sparse_t-{bits_of}.keras")
    for variant, slots in SLOTS.items():
        path = folder / f"models/{task}_sparse_{variant}-{bits_of}.weights.h5"
        network = from_keras(
            replace(dense_form, weights=read_weights(path)), slots=slots, threshold=TASKS[task]
        )
        assert network.inputs["x"].element == FixedPoint(13, 12)
        found, expected = probabilities(network, x), vectors[f"pred_{bits_of}_sparse_{variant}"]
        if expected.shape[1] == 1:
            decided = Reference(network).tensor(x, "decision").numpy()
            assert np.array_equal(decided, expected > 0.5)
        else:
            decided = Reference(network).predict(x).numpy()
            assert np.array_equal(decided, expected.argmax(axis=1))
        assert np.abs(found - expected).mean() < 0.002


def test_weights_are_the_same_in_both_files(shared: Path) -> None:
    folder = shared / "data/sparsepixels/models"
    inside = read_keras(folder / "jet_sparse_t-8b.keras").weights
    beside = read_weights(folder / "jet_sparse_t-8b.weights.h5")
    assert inside.keys() == beside.keys()
    for name, variables in inside.items():
        for variable, array in variables.items():
            assert np.array_equal(array, beside[name][variable])


def test_a_small_model(tmp_path: Path) -> None:
    stored = read_keras(write_keras(tmp_path / "a.keras", model(), weights()))
    network = from_keras(stored, slots=4, classes=["a", "b", "c"])
    assert [node.name for node in network.nodes] == [
        "reduce", "conv1", "relu1", "pool1", "flatten", "dense1", "class",
    ]  # fmt: skip
    again = read_weights(write_weights(tmp_path / "a.h5", weights()))
    other = from_keras(replace(stored, weights=again), slots=4)
    x = np.random.default_rng(1).uniform(0, 2, (20, 1, 6, 6))
    assert np.array_equal(Reference(network)(x), Reference(other)(x))
    assert network.outputs == ("class", "dense1")


def test_constants_are_rounded_and_saturated_as_qkeras_does(tmp_path: Path) -> None:
    values = weights()
    values["dense1"]["bias"] = np.array([9.0, -9.0, 3.5 / 8])  # quantized_bits(6, 2): steps of 1/8
    stored = read_keras(write_keras(tmp_path / "a.keras", model(), values))
    layers = {node.name: node.layer for node in from_keras(stored, slots=4).nodes}
    assert layers["dense1"].bias.tolist() == [31, -32, 4]  # pyright: ignore


def change(index: int, **config: Any) -> Callable[[list[dict[str, Any]]], None]:
    return lambda layers: layers[index]["config"].update(config)


BROKEN: dict[str, tuple[Callable[[list[dict[str, Any]]], Any], str]] = {
    "stride": (change(1, strides=[2, 2]), r"layer 'conv1': its strides is \[2, 2\], expected"),
    "padding": (change(1, padding="valid"), "its padding is 'valid', expected 'same'"),
    "no bias": (change(1, use_bias=False), "its use_bias is False, expected True"),
    "not quantised": (change(1, kernel_quantizer=None), "its kernel is not quantised"),
    "scale": (
        change(1, kernel_quantizer={**bits(6, 1), "config": {**bits(6, 1)["config"], "alpha": 2}}),
        "has a scale",
    ),
    "activation": (change(2, activation="tanh"), "layer 'relu1': its activation is 'tanh'"),
    "same pooling": (change(3, padding="same"), "its padding is 'same'"),
    "overlap": (change(3, strides=[1, 1]), r"its strides is \[1, 1\], expected \[2, 2\]"),
    "units": (change(5, bias_quantizer=None), "layer 'dense1': its bias is not quantised"),
    "unknown": (
        lambda layers: layers.insert(2, layer("BatchNormalization", "norm")),
        "layer 'norm': BatchNormalization is no layer of a SparsePixels model",
    ),
    "missing option": (lambda layers: layers[1]["config"].pop("groups"), "KeyError.'groups'"),
    "no weights": (
        lambda layers: layers.insert(6, dense("dense2", 3)),
        "layer 'dense2': there are no weights 'kernel'",
    ),
    "two inputs": (
        lambda layers: layers[3].update(inbound_nodes=[[["x_in", 0, 0, {}], ["relu1", 0, 0, {}]]]),
        r"layer 'pool1' reads \['x_in', 'relu1'\]",
    ),
    "no input layer": (lambda layers: layers.pop(0), "stands before the input layer"),
    "pool first": (
        lambda layers: layers.insert(6, pool("pool2", 2)),
        "layer 'pool2': takes a sparse tensor",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_models_that_are_refused(tmp_path: Path, name: str) -> None:
    spoil, message = BROKEN[name]
    layers = model()
    spoil(layers)
    with pytest.raises(LgnError, match=message):
        from_keras(read_keras(write_keras(tmp_path / "a.keras", layers, weights())), slots=4)


@pytest.mark.parametrize("read", [read_keras, read_weights])
def test_files_that_are_something_else(tmp_path: Path, read: Callable[[Path], Any]) -> None:
    path = tmp_path / "a.keras"
    with pytest.raises(LgnError, match=r"a\.keras: is no"):
        read(path)
    path.write_bytes(b"PK\x03\x04 and nothing more")
    with pytest.raises(LgnError, match=r"a\.keras: is no"):
        read(path)
