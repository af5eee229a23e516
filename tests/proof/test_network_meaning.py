"""What the proof takes a network to mean, against PyTorch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_networks import conv_classifier, image_of_bits, random_conv
from networks import classifier, every_layer, random_luts
from truth import every_pattern

from lgn_hdl.errors import NetworkError
from lgn_hdl.logic import evaluate
from lgn_hdl.network import (
    BIT,
    ArgMax,
    Concat,
    FixedPoint,
    GroupSum,
    Network,
    Node,
    OrPool,
    Reshape,
    TensorType,
    Thermometer,
)
from lgn_hdl.proof.aig import Aig
from lgn_hdl.proof.network import network_meaning
from lgn_hdl.reference import Reference

FORMATS = [
    FixedPoint(1),
    FixedPoint(1, 0, signed=True),
    FixedPoint(3),
    FixedPoint(3, 1, signed=True),
    FixedPoint(2, -1),
    FixedPoint.parse("fixed<3,2>*1/7"),
    FixedPoint.parse("ufixed<3,1>*5/3"),
]


def check_meaning(network: Network, patterns: np.ndarray) -> None:
    """The counts and bits of some values of the input bits."""
    ((_, tensor),) = network.inputs.items()
    number = tensor.element if isinstance(tensor.element, FixedPoint) else FixedPoint(1)
    aig = Aig(tensor.size * number.width)
    meaning = network_meaning(aig, network)
    counted = [literal for group in meaning.groups for literal in group]
    found, _ = evaluate(aig.program([*counted, *meaning.bits]), patterns)
    digits = patterns.reshape(len(patterns), tensor.size, number.width)
    integers = digits @ (1 << np.arange(number.width))
    if number.signed:
        integers -= digits[:, :, -1] << number.width
    samples = integers.reshape(-1, *tensor.shape)
    outputs = Reference(network).outputs(samples if tensor.is_bits else number.to_real(samples))
    if network.scores:
        first = 0
        for c, group in enumerate(meaning.groups):
            count = found[:, first : first + len(group)].sum(axis=1)
            assert np.array_equal(count, outputs[network.scores][:, c].numpy())
            first += len(group)
    bits = [out for out in network.outputs if network.types[out].is_bits]
    expected = [outputs[out].reshape(len(patterns), -1).numpy() for out in bits]
    assert found.shape[1] - len(counted) == sum(part.shape[1] for part in expected)
    if bits:
        assert np.array_equal(found[:, len(counted) :], np.concatenate(expected, axis=1))


@pytest.mark.parametrize("number", FORMATS, ids=str)
def test_every_layer_is_what_pytorch_computes(number: FixedPoint) -> None:
    patterns = np.random.default_rng(0).integers(0, 2, (300, 12 * number.width))
    check_meaning(every_layer(number), patterns)


def random_network(rng: np.random.Generator) -> Network:
    """Layers with leading axes, thresholds on and off the steps, outputs that repeat."""
    number = FORMATS[int(rng.integers(len(FORMATS)))]
    nodes = []
    if rng.integers(3):
        shape = (3,) if number.width == 1 else (1, 3) if rng.integers(2) else (3, 1)
        tensor = TensorType(shape, number)
        low, high = number.min_int - 1, number.max_int + 1
        steps = rng.integers(low, high, (*shape[:-1], 1, 4), endpoint=True)
        # Some exactly on a number, some between two, some outside of the format.
        thresholds = (steps + rng.choice([0, 0, 0.5, -0.25], steps.shape)) * float(number.step)
        axis = int(rng.integers(len(shape)))
        nodes.append(Node("bits", Thermometer(thresholds, axis), ("x",)))
        nodes.append(Node("rows", Reshape((2, 6)), ("bits",)))
    else:
        tensor = TensorType((2, 3), BIT)
        nodes.append(Node("rows", Concat(int(rng.integers(2))), ("x", "x")))
    width = 6 if len(nodes) == 2 or nodes[0].layer.axis == 1 else 3  # pyright: ignore[reportAttributeAccessIssue]
    a, b = (random_luts(rng, width, int(n), int(rng.integers(1, 7))) for n in (3, 3))
    nodes += [
        Node("a", a, ("rows",)),
        Node("b", b, ("rows",)),
        Node("ab", Concat(int(rng.integers(2))), ("a", "b")),
    ]
    size = 12 if width == 6 else 24
    nodes.append(Node("flat", Reshape((size,)), ("ab",)))
    outputs = ["ab", "a", "a", "x"][: int(rng.integers(1, 5 if tensor.is_bits else 4))]
    if rng.integers(2):
        nodes += [
            Node("scores", GroupSum(int(rng.choice([1, 2, 3, 4]))), ("flat",)),
            Node("class", ArgMax(), ("scores",)),
        ]
        outputs = ["class", "scores", *outputs[: int(rng.integers(0, 3))]]
    return Network({"x": tensor}, tuple(nodes), tuple(outputs)).validate()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_random_networks_are_what_pytorch_computes(seed: int) -> None:
    network = random_network(np.random.default_rng(seed))
    ((_, tensor),) = network.inputs.items()
    width = tensor.element.width if isinstance(tensor.element, FixedPoint) else 1
    check_meaning(network, every_pattern(tensor.size * width))


def test_an_argmax_of_other_scores_is_refused() -> None:
    """The hardware would give the class of the last scores, and nothing would compare it."""
    network = classifier(element=FixedPoint(3, 1, signed=True))
    other = Node("other", GroupSum(2), ("more",))
    network = replace(network, nodes=(*network.nodes, other), outputs=("class", "other"))
    with pytest.raises(NetworkError, match="output 'class' is neither bits, nor the scores"):
        network_meaning(Aig(12), network.validate())


def test_an_output_without_hardware_is_refused() -> None:
    network = classifier(element=FixedPoint(3, 1, signed=True))
    network = replace(network, outputs=("scores", "x")).validate()
    with pytest.raises(NetworkError, match="output 'x' is neither bits"):
        network_meaning(Aig(12), network)


@pytest.mark.parametrize("own_taps", [False, True])
@pytest.mark.parametrize(("k", "depth"), [(2, 3), (3, 2), (6, 1)])
def test_layers_over_images(k: int, depth: int, own_taps: bool) -> None:
    rng = np.random.default_rng(k)
    positions = 8 if own_taps else 1
    conv = random_conv(rng, 2, 3, k=k, depth=depth, stride=(2, 1), positions=positions)
    network = image_of_bits(conv, OrPool((2, 3), (1, 2), (1, 0)), shape=(2, 4, 4))
    check_meaning(network, rng.integers(0, 2, (200, 32)))


@pytest.mark.parametrize("scattered", [False, True])
def test_a_convolutional_classifier(scattered: bool) -> None:
    network = conv_classifier(element=FixedPoint(3, 1, signed=True), scattered=scattered)
    check_meaning(network, np.random.default_rng(5).integers(0, 2, (300, 39)))
