"""The committed example: it reads, has the stated format, and is as accurate as it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lgn_hdl.frontends import load_network
from lgn_hdl.network import FixedPoint
from lgn_hdl.reference import Reference

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_digits() -> None:
    network = load_network(EXAMPLES / "digits.lgn")
    assert network.inputs["x"].shape == (8, 8)
    assert network.inputs["x"].element == FixedPoint(5)
    assert network.classes == tuple("0123456789")
    with np.load(EXAMPLES / "digits.npz") as data:
        x, y = data["x"], data["y"]
    assert x.shape == (450, 8, 8)
    assert x.dtype == np.uint8
    accuracy = float((Reference(network).predict(x).numpy() == y).mean())
    assert round(accuracy, 4) == network.meta["training"]["test_accuracy"]
    assert accuracy > 0.92
