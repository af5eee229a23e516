"""A network over ordinals is the network over the reals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import every_layer

from lgn_hdl.errors import NetworkError
from lgn_hdl.network import (
    REAL,
    ArgMax,
    FixedPoint,
    Network,
    Node,
    Reshape,
    TensorType,
    Thermometer,
)
from lgn_hdl.network.ordinal import with_ordinal_input
from lgn_hdl.reference import Reference

#: Few values, so that thresholds coincide and features hit them exactly.
VALUES = [-np.inf, -2.5, -1.0, np.nextafter(-1.0, 0), 0.0, 5e-324, 0.1, 1.0, 1e300, np.inf]
finite_values = st.sampled_from([v for v in VALUES if np.isfinite(v)])


@st.composite
def cases(draw):
    """(thresholds (F, T), features (n, F)); thresholds need not be sorted or distinct."""
    features, thresholds, samples = (draw(st.integers(1, high)) for high in (3, 4, 4))
    t = [[draw(finite_values) for _ in range(thresholds)] for _ in range(features)]
    value = st.sampled_from([*VALUES, np.nan])
    x = [[draw(value) for _ in range(features)] for _ in range(samples)]
    return np.array(t, np.float64), np.array(x, np.float64)


@given(cases(), st.booleans())
def test_the_bits_are_those_of_the_real_comparison(case, shared: bool) -> None:
    thresholds, x = case
    thresholds = thresholds[:1] if shared else thresholds
    features = x.shape[1]
    network = Network(
        {"x": TensorType((features,), REAL)},
        (Node("bits", Thermometer(thresholds, axis=0), ("x",)),),
        ("bits",),
    ).validate()
    ordinal, encode = with_ordinal_input(network)
    (tensor,) = ordinal.validate().inputs.values()
    integers = encode(x)
    assert isinstance(tensor.element, FixedPoint)
    assert 0 <= integers.min() <= integers.max() <= tensor.element.max_int
    layer = ordinal.nodes[0].layer
    assert isinstance(layer, Thermometer)
    bits = integers[:, :, None] > layer.thresholds
    assert np.array_equal(bits, x[:, :, None] > thresholds)


def test_reshapes_and_shared_thresholds() -> None:
    network = every_layer()
    (shape,) = [tensor.shape for tensor in network.inputs.values()]
    ordinal, encode = with_ordinal_input(network)
    x = np.random.default_rng(1).standard_normal((50, *shape))
    integers = encode(x.reshape(50, -1)).reshape(50, *shape)
    expected, found = Reference(network).outputs(x), Reference(ordinal).outputs(integers)
    assert all(np.array_equal(expected[name], found[name]) for name in network.outputs)


def test_two_thermometers_of_one_input() -> None:
    network = Network(
        {"x": TensorType((2,), REAL)},
        (
            Node("a", Thermometer(np.array([[0.5], [2.0]]), axis=0), ("x",)),
            Node("column", Reshape((2, 1)), ("x",)),
            Node("b", Thermometer(np.array([[[0.5, -1.0]]]), axis=1), ("column",)),
        ),
        ("a", "b"),
    ).validate()
    ordinal, encode = with_ordinal_input(network)
    x = np.array([[0.6, 3.0], [0.5, 0.5], [-1.0, np.inf], [-np.inf, -0.5]])
    expected, found = Reference(network).outputs(x), Reference(ordinal).outputs(encode(x))
    assert all(np.array_equal(expected[name], found[name]) for name in network.outputs)


def test_another_layer_on_real_numbers_is_refused() -> None:
    network = Network({"x": TensorType((2,), REAL)}, (Node("class", ArgMax(), ("x",)),), ("class",))
    with pytest.raises(NetworkError, match="layer 'class': reads real numbers"):
        with_ordinal_input(network)
