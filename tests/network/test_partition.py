"""The cut between front end and logic: where it falls, what it refuses, that nothing changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fronts import FRONTS, ROWS, SLICES, front, fronted, logic, profile, profiles, random_inputs
from networks import classifier

from lgn_hdl.errors import NetworkError
from lgn_hdl.network import (
    REAL,
    AxisSum,
    Concat,
    FixedPoint,
    Network,
    Node,
    Permute,
    Reshape,
    Slice,
    TensorType,
    Thermometer,
)
from lgn_hdl.network.partition import front_of, with_front
from lgn_hdl.reference import Reference


@pytest.mark.parametrize("name", FRONTS)
def test_front_and_logic_one_after_the_other_are_the_network(name: str) -> None:
    network = fronted(FRONTS[name]())
    cut, rest = front_of(network)
    assert cut is not None
    assert list(rest.inputs) == ["features"]
    assert rest.inputs["features"] == TensorType((cut.features,), cut.number)
    x = random_inputs(network, 50)
    features = Reference(cut.network)(x)
    expected = Reference(network).outputs(x)
    found = Reference(rest).outputs(features.reshape(50, -1))
    assert set(found) == set(expected) == {"class", "scores"}
    for output in expected:
        assert np.array_equal(found[output], expected[output])
    assert len(np.unique(expected["scores"])) > 3


def test_features_are_what_numpy_says() -> None:
    network = fronted(profiles(slices=7))
    cut, _ = front_of(network)
    assert cut is not None
    x = random_inputs(network, 20)
    sums = x["charges"][:, :SLICES].sum(axis=3)
    expected = np.concatenate([x["y0"], sums.transpose(0, 2, 1).reshape(20, -1)], axis=1)
    assert np.array_equal(Reference(cut.network)(x), expected)
    assert expected[:, 1:].max() == 5 * 7


def test_the_trained_network_comes_back() -> None:
    model = logic(ROWS + 1, REAL)
    cut, rest = front_of(with_front(profile(), model))
    assert cut is not None
    assert [type(node.layer).__name__ for node in cut.network.nodes] == ["AxisSum", "Concat"]
    assert [(n.name, n.inputs) for n in rest.nodes] == [(n.name, n.inputs) for n in model.nodes]


@pytest.mark.parametrize("element", [REAL, FixedPoint(4, signed=True)])
def test_a_network_without_a_front_end_stays_as_it_is(element) -> None:
    network = classifier(element=element)
    assert front_of(network) == (None, network)


def test_arranging_one_input_is_no_front_end() -> None:
    turned = front(
        {"x": TensorType((2, 3), FixedPoint(4))},
        ("turned", Permute((1, 0)), "x"),
        ("part", Slice(0, 1, 3), "turned"),
        ("flat", Reshape((4,)), "part"),
    )
    network = fronted(turned)
    assert front_of(network) == (None, network)


def test_the_cut_is_before_the_slices_that_thermometers_read() -> None:
    """As in a convolution over all features but y0: logic arranges, the front end only adds."""
    model = Network(
        {"features": TensorType((13,), REAL)},
        (
            Node("position", Slice(0, 0, 1), ("features",)),
            Node("rest", Slice(0, 1, 13), ("features",)),
            Node("image", Reshape((1, ROWS, SLICES)), ("rest",)),
            Node("bits0", Thermometer(np.array([[4.5]]), 0), ("position",)),
            Node("bits1", Thermometer(np.array([[[[4.5]]]]), 0), ("image",)),
            Node("flat", Reshape((ROWS * SLICES,)), ("bits1",)),
            Node("all", Concat(0), ("bits0", "flat")),
        ),
        ("all",),
    ).validate()
    cut, rest = front_of(with_front(profiles(), model))
    assert cut is not None
    assert cut.network.outputs == ("features_2",)  # the model's input had the same name
    assert [node.name for node in rest.nodes] == [node.name for node in model.nodes]
    assert cut.features == 13


def test_a_cut_with_axes_is_flattened() -> None:
    charge = FixedPoint(3)
    network = Network(
        {"charges": TensorType((4, 3, 5), charge)},
        (
            Node("features", AxisSum((2,)), ("charges",)),
            Node("bits", Thermometer(np.array([[[6.5]]]), 1), ("features",)),
        ),
        ("bits",),
    ).validate()
    cut, rest = front_of(network)
    assert cut is not None
    assert rest.inputs["features"].shape == (12,)
    assert isinstance(rest.nodes[0].layer, Reshape)
    x = random_inputs(network, 9)
    features = Reference(cut.network)(x).reshape(9, 12)
    assert np.array_equal(Reference(rest)(features), Reference(network)(x))


def test_names_that_clash() -> None:
    model = logic(ROWS + 1, REAL)
    nodes = tuple(
        replace(
            node,
            name={"gates": "charges", "bits": "profile"}.get(node.name, node.name),
            inputs=tuple({"gates": "charges", "bits": "profile"}.get(n, n) for n in node.inputs),
        )
        for node in model.nodes
    )
    clashing = replace(model, nodes=nodes).validate()
    network = with_front(profile(), clashing)
    x = random_inputs(network, 30)
    assert list(network.inputs) == ["charges", "y0"]
    assert {"charges_2", "profile", "profile_2"} <= set(network.types)
    expected = Reference(with_front(profile(), model))(x)
    assert np.array_equal(Reference(network)(x), expected)
    cut, rest = front_of(network)
    assert cut is not None
    assert np.array_equal(Reference(rest)(Reference(cut.network)(x)), expected)


def test_a_logic_layer_called_features() -> None:
    model = logic(ROWS + 1, REAL)
    renamed = {"features": "x", "gates": "features"}
    nodes = tuple(
        Node(renamed.get(n.name, n.name), n.layer, tuple(renamed.get(i, i) for i in n.inputs))
        for n in model.nodes
    )
    odd = Network({"x": model.inputs["features"]}, nodes, model.outputs).validate()
    network = with_front(profile(), odd)
    cut, rest = front_of(network)
    assert cut is not None
    assert list(rest.inputs) == ["features"]
    x = random_inputs(network, 30)
    assert np.array_equal(Reference(rest)(Reference(cut.network)(x)), Reference(network)(x))


def thermometer(read: str, name: str = "t") -> Node:
    return Node(name, Thermometer(np.array([[1.5]]), 0), (read,))


def test_refusals() -> None:
    charge = TensorType((3, 5), FixedPoint(3))
    base = Network(
        {"charges": charge},
        (
            Node("rows", AxisSum((1,)), ("charges",)),
            Node("columns", AxisSum((0,)), ("charges",)),
            thermometer("rows", "a"),
            thermometer("columns", "b"),
        ),
        ("a", "b"),
    ).validate()
    with pytest.raises(NetworkError, match="'columns', 'rows', which are not arranged from one"):
        front_of(base)
    with pytest.raises(NetworkError, match="'rows' is a tensor of the front end"):
        front_of(replace(base, outputs=("a", "b", "rows")))
    two = Network(
        {"a": TensorType((2,), REAL), "b": TensorType((2,), REAL)},
        (Node("both", Concat(0), ("a", "b")), thermometer("both")),
        ("t",),
    ).validate()
    with pytest.raises(NetworkError, match="input 'a': holds real elements"):
        front_of(two)


def test_front_ends_that_do_not_fit() -> None:
    with pytest.raises(NetworkError, match=r"gives ufixed<6,6>\[4\], expected real\[5\]"):
        with_front(profile(), logic(5, REAL))
    with pytest.raises(NetworkError, match="gives ufixed<6,6>, the network takes ufixed<7,7>"):
        with_front(profile(), logic(4, FixedPoint(7)))
    with pytest.raises(NetworkError, match="expected one and one"):
        with_front(profile(), profile())


def test_shapes_are_bridged() -> None:
    model = logic(ROWS + 1, REAL)
    shaped = Network(
        {"image": TensorType((2, 2), REAL)},
        (Node("features", Reshape((4,)), ("image",)), *model.nodes),
        model.outputs,
    ).validate()
    network = with_front(profile(), shaped)
    x = random_inputs(network, 30)
    assert np.array_equal(Reference(network)(x), Reference(with_front(profile(), model))(x))
