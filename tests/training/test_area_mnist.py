"""The committed MNIST network: as accurate as it says, on images that its training never saw."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

import lgn_hdl
from lgn_hdl.network import BIT, LutLayer

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def model() -> lgn_hdl.Model:
    return lgn_hdl.load(EXAMPLES / "mnist.lgn")


def test_what_it_is(model: lgn_hdl.Model) -> None:
    network = model.network
    assert network.inputs["x"].shape == (256,)
    assert network.inputs["x"].element == BIT
    assert network.classes == tuple("0123456789")
    gates = [node.layer for node in network.nodes if isinstance(node.layer, LutLayer)]
    training = network.meta["training"]
    assert [layer.tables.size for layer in gates] == training["layers"]
    assert {layer.k for layer in gates} == {2}


def test_its_accuracy(model: lgn_hdl.Model, shared: Path) -> None:
    """On the last 10,000 images: the bits are those that the training script makes."""
    spec = importlib.util.spec_from_file_location("train_mnist", EXAMPLES / "train_mnist.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    with np.load(shared / "data/mnist/mnist_train.npz", allow_pickle=False) as data:
        images, labels = data["x"][-10_000:], data["y"][-10_000:]
    x = script.bits(torch.from_numpy(images).float() / 255).numpy()
    accuracy = round(float(np.mean(model.predict(x) == labels)), 5)
    assert accuracy == model.network.meta["training"]["accuracy"]["validation"]
    assert accuracy >= 0.97
