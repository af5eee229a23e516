"""The graph: what validate finds, and where it says it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from networks import classifier, every_layer

from lgn_hdl.errors import NetworkError
from lgn_hdl.network import (
    BIT,
    REAL,
    ArgMax,
    Concat,
    FixedPoint,
    GroupSum,
    LutLayer,
    Network,
    Node,
    TensorType,
)

BITS = {"x": TensorType((4,), BIT)}
XOR = LutLayer(np.array([[0, 1], [2, 3]], np.int32), np.array([6, 6], np.uint64))


def network(*nodes: Node, outputs: tuple[str, ...] = ("x",), classes: tuple[str, ...] = ()):
    return Network(BITS, nodes, outputs, classes)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (Network({}, (), ("x",)), "the network has no input"),
        (network(outputs=()), "the network has no output"),
        (network(outputs=("y",)), "output 'y' is not a tensor of the network"),
        (
            network(Node("a", XOR, ("y",))),
            "layer 'a': reads 'y', which no earlier layer or input defines",
        ),
        (
            network(Node("a", XOR, ("b",)), Node("b", XOR, ("x",))),
            "layer 'a': reads 'b', which no earlier layer",
        ),
        (network(Node("a", XOR, ("a",))), "layer 'a': reads 'a', which no earlier"),
        (network(Node("x", XOR, ("x",))), "layer 'x': this name is taken already"),
        (network(Node("a", XOR, ("x",)), Node("a", XOR, ("x",))), "layer 'a': this name is taken"),
        (network(Node("a", XOR, ("x", "x"))), "layer 'a': reads 2 tensors, expected 1"),
        (network(Node("a", XOR, ())), "layer 'a': reads 0 tensors, expected 1"),
        (network(Node("a", Concat(0), ())), "layer 'a': reads 0 tensors"),
        (
            network(Node("a", GroupSum(3), ("x",))),
            "layer 'a': 4 bits cannot be split into 3 equal groups",
        ),
        (network(classes=("a",)), "1 class names are given for no scores"),
        (
            network(Node("s", GroupSum(2), ("x",)), outputs=("s",), classes=("a", "b", "c")),
            "3 class names are given for 2 scores",
        ),
    ],
)
def test_validate_names_the_place_and_the_reason(broken: Network, message: str) -> None:
    with pytest.raises(NetworkError) as caught:
        broken.validate()
    assert message in str(caught.value)


def test_a_concatenation_reads_any_number_of_tensors() -> None:
    for count in (1, 2, 5):
        joined = network(Node("a", Concat(0), ("x",) * count), outputs=("a",)).validate()
        assert joined.types["a"] == TensorType((4 * count,), BIT)


def test_types_of_all_tensors() -> None:
    types = every_layer().types
    assert {name: str(kind) for name, kind in types.items() if "lut" not in name} == {
        "image": "real[2x3x2]",
        "bits": "bit[6x3x2]",
        "flat": "bit[36]",
        "joined": "bit[24]",
        "scores": "ufixed<3,3>[4]",
        "class": "ufixed<2,2>[scalar]",
    }


def test_scores_are_those_of_the_last_group_sum() -> None:
    found = network(
        Node("first", GroupSum(2), ("x",)),
        Node("last", GroupSum(4, tau=3.0), ("x",)),
        Node("class", ArgMax(), ("last",)),
        outputs=("class",),
    ).validate()
    assert found.scores == "last"
    assert found.group_sum == GroupSum(4, tau=3.0)
    assert network().scores is None
    assert network().group_sum is None


def test_with_input() -> None:
    real = classifier()
    fixed = real.with_input(x=TensorType((4,), FixedPoint(8, 6, signed=True)))
    assert real.inputs["x"].element == REAL
    assert fixed.inputs["x"].element == FixedPoint(8, 6, signed=True)
    with pytest.raises(NetworkError, match="'y' is not an input of the network"):
        real.with_input(y=TensorType((4,), REAL))
    with pytest.raises(NetworkError, match="do not broadcast"):
        real.with_input(x=TensorType((5,), REAL))


def test_validate_returns_the_network_itself() -> None:
    found = classifier()
    assert found.validate() is found
    assert replace(found, classes=("a", "b", "c")).validate().classes == ("a", "b", "c")
