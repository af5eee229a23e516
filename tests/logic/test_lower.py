"""Network to program: same answers as PyTorch, nothing simplified."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from networks import bits_only, classifier, every_layer

from lgn_hdl.errors import NetworkError
from lgn_hdl.logic import evaluate, lower
from lgn_hdl.network import (
    BIT,
    REAL,
    Concat,
    FixedPoint,
    GroupSum,
    Layer,
    Network,
    Node,
    Reshape,
    TensorType,
    Thermometer,
)
from lgn_hdl.reference import Reference

FORMATS = [FixedPoint(1), FixedPoint(4, 2), FixedPoint(6, 4, signed=True), FixedPoint(2, -3)]


def compare(network: Network, integers: np.ndarray) -> None:
    ((_, tensor),) = network.inputs.items()
    program = lower(network)
    bits, scores = evaluate(program, integers)
    number = tensor.element
    x = number.to_real(integers) if isinstance(number, FixedPoint) else integers
    expected = Reference(network).outputs(x.reshape(len(x), *tensor.shape))
    names = [name for name in network.outputs if network.types[name].is_bits]
    if names:
        wanted = [expected[name].reshape(len(x), -1).numpy() for name in names]
        assert np.array_equal(bits, np.concatenate(wanted, axis=1))
    if network.scores:
        assert np.array_equal(scores, expected[network.scores].numpy())


@pytest.mark.parametrize("form", FORMATS, ids=str)
@pytest.mark.parametrize("make", [classifier, every_layer])
def test_fixed_point_networks(make, form: FixedPoint) -> None:
    network = make(element=form)
    ((_, tensor),) = network.inputs.items()
    rng = np.random.default_rng(0)
    compare(network, rng.integers(form.min_int, form.max_int + 1, (300, tensor.size)))


def test_bits() -> None:
    compare(bits_only(), np.array(list(product([0, 1], repeat=6))))


def test_every_shape_of_bits() -> None:
    network = every_layer(FixedPoint(3))
    outputs = ("bits", "joined", "flat", "lut3", "scores")
    rng = np.random.default_rng(1)
    compare(replace(network, outputs=outputs), rng.integers(0, 8, (100, 12)))


def test_thresholds_outside_the_format_are_constants() -> None:
    thresholds = np.array([[-1e300, -5.0, -0.001, 0.0, 2.999, 3.0, 1e300]])
    network = Network(
        {"x": TensorType((1,), FixedPoint(2))},
        (Node("bits", Thermometer(thresholds, axis=0), ("x",)),),
        ("bits",),
    )
    program = lower(network)
    assert program.input_threshold.tolist() == [-1, -1, -1, 0, 2, 3, 3]
    compare(network, np.arange(4)[:, None])


def test_a_reshape_may_stand_before_a_thermometer() -> None:
    network = Network(
        {"x": TensorType((2, 3), FixedPoint(3))},
        (
            Node("column", Reshape((6, 1)), ("x",)),
            Node("again", Reshape((3, 2)), ("column",)),
            Node("bits", Thermometer(np.array([[[1.0, 4.0], [2.5, 3.5]]]), axis=1), ("again",)),
        ),
        ("bits",),
    ).validate()
    compare(network, np.random.default_rng(0).integers(0, 8, (100, 6)))


def test_nothing_is_simplified() -> None:
    program = lower(classifier(element=FixedPoint(8)))
    assert program.num_inputs == 12
    assert program.num_gates == 36
    assert program.arity.tolist() == [2] * 18 + [3] * 18
    assert program.fanin[:18, 2].tolist() == [0] * 18
    assert program.sums.weight.tolist() == [1] * 18
    assert program.sums.start.tolist() == [0, 6, 12, 18]


class Unknown(Layer):
    """A layer that no room below knows."""

    def infer(self, *inputs: TensorType) -> TensorType:
        return inputs[0]


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (classifier(), "input 'x' holds real numbers.*give a number format"),
        (
            Network(
                {"x": TensorType((2,), BIT), "y": TensorType((2,), BIT)},
                (Node("z", Concat(0), ("x", "y")),),
                ("z",),
            ),
            "has 2 inputs, expected one",
        ),
        (
            Network({"x": TensorType((2,), BIT)}, (Node("z", Unknown(), ("x",)),), ("z",)),
            "layer 'z': Unknown is not a logic layer",
        ),
        (
            Network(
                {"x": TensorType((2,), FixedPoint(3))},
                (
                    Node("y", Unknown(), ("x",)),
                    Node("z", Thermometer(np.array([[0.5]]), axis=0), ("y",)),
                ),
                ("z",),
            ),
            "layer 'y': stands before a thermometer",
        ),
    ],
)
def test_what_cannot_be_lowered(network: Network, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        lower(network)


def test_real_and_fixed_inputs_give_the_same_gates() -> None:
    real, fixed = classifier(element=REAL), classifier(element=FixedPoint(16, 13, signed=True))
    program = lower(fixed)
    assert np.array_equal(program.table, lower(fixed).table)
    assert real.types.keys() == fixed.types.keys()


def test_the_last_group_sum_makes_the_scores() -> None:
    network = Network(
        {"x": TensorType((6,), BIT)},
        (Node("a", GroupSum(2), ("x",)), Node("b", GroupSum(3), ("x",))),
        ("b",),
    )
    compare(network, np.array(list(product([0, 1], repeat=6))))
