"""Convolutions and pooling as gates, against PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_networks import conv_classifier, image_of_bits, random_conv

from lgn_hdl import Model
from lgn_hdl.logic import evaluate, lower, optimize
from lgn_hdl.network import FixedPoint, OrPool, TensorType
from lgn_hdl.reference import Reference


@given(
    k=st.integers(2, 6),
    depth=st.integers(1, 3),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    pool=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    own_taps=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_layers_over_images(k, depth, stride, padding, pool, own_taps, seed) -> None:
    rng = np.random.default_rng(seed)
    options = {"k": k, "depth": min(depth, 2) if k > 3 else depth}
    options |= {"stride": stride, "padding": padding}
    shape = (3, 5, 7)
    out = random_conv(rng, 3, 4, **options).infer(TensorType(shape))
    positions = out.size // 4 if own_taps else 1
    conv = random_conv(rng, 3, 4, positions=positions, **options)
    network = image_of_bits(conv, OrPool(pool, stride, tuple(n // 2 for n in pool)), shape=shape)
    x = rng.integers(0, 2, (70, *shape), dtype=np.uint8)
    program = lower(network)
    bits, _ = evaluate(program, x.reshape(70, -1))
    expected = Reference(network)(x).reshape(70, -1).numpy()
    assert np.array_equal(bits, expected)
    simplified, _ = optimize(program)
    assert np.array_equal(evaluate(simplified, x.reshape(70, -1))[0], expected)


def test_gates_are_the_tables_at_every_position() -> None:
    rng = np.random.default_rng(2)
    conv = random_conv(rng, 3, 4, depth=3)
    program = lower(image_of_bits(conv, OrPool((2, 2), (2, 2), (0, 0)), shape=(3, 5, 7)))
    assert program.num_gates == 4 * 7 * 5 * 7 + 4 * 2 * 3 * 3


def test_an_image_of_three_axes() -> None:
    rng = np.random.default_rng(3)
    three = {"window": (2, 3, 2), "stride": (1, 2, 1), "padding": (0, 1, 1)}
    conv = random_conv(rng, 2, 3, k=3, **three)
    network = image_of_bits(conv, OrPool((1, 2, 2), (1, 1, 2), (0, 0, 0)), shape=(2, 3, 4, 3))
    x = rng.integers(0, 2, (64, 2, 3, 4, 3), dtype=np.uint8)
    bits, _ = evaluate(lower(network), x.reshape(64, -1))
    assert np.array_equal(bits, Reference(network)(x).reshape(64, -1).numpy())


@pytest.mark.parametrize("scattered", [False, True])
@pytest.mark.parametrize("element", ["real", FixedPoint(6, 4, signed=True)])
def test_a_classifier_with_bits_set_aside(element, scattered: bool) -> None:
    network = conv_classifier(element=element, scattered=scattered)
    x = np.random.default_rng(4).uniform(-1.5, 1.5, (200, 13))
    model = Model(network)
    assert np.array_equal(model.scores(x), Reference(network)(x).numpy())
    assert len(np.unique(model.predict(x))) > 1
