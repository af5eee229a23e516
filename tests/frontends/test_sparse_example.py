"""The committed sparse example: it reads, is what it says, and is as accurate as it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lgn_hdl.frontends import load_network
from lgn_hdl.network import FixedPoint, InputReduce, Quantize, SparseConv2d, TensorType
from lgn_hdl.reference import Reference

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_sparse_digits() -> None:
    network = load_network(EXAMPLES / "sparse_digits.lgn")
    said = network.meta["training"]
    assert network.inputs["x"] == TensorType((1, 20, 20), FixedPoint(5, 4))
    assert network.classes == tuple("0123456789")
    layers = [node.layer for node in network.nodes]
    (reduce,) = [layer for layer in layers if isinstance(layer, InputReduce)]
    assert reduce == InputReduce(said["slots"], 0.0)
    convolutions = [layer for layer in layers if isinstance(layer, SparseConv2d)]
    assert [len(layer.kernel) for layer in convolutions] == said["filters"]
    assert {layer.format.width for layer in layers if isinstance(layer, Quantize)} == {8}
    with np.load(EXAMPLES / "sparse_digits.npz") as data:
        x, y = data["x"], data["y"]
    assert x.shape == (450, 1, 20, 20)
    assert np.array_equal(x * 16, np.rint(x * 16))  # rounding the input changes nothing
    assert int(((x > 0).sum((1, 2, 3)) > reduce.slots).sum()) == said["test_images_cut"]
    accuracy = float((Reference(network).predict(x).numpy() == y).mean())
    assert round(accuracy, 4) == said["test_accuracy"]
    assert accuracy > 0.9
