"""What streamed layers know of their bits: codes, borders, inverters; poolings are halved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_networks import conv_classifier, image_of_bits, random_conv
from streamed import IN_LINES, IN_TURN, planned

from lgn_hdl.logic import lower, optimize
from lgn_hdl.logic.evaluate import evaluate
from lgn_hdl.logic.stream import Reuse, StreamPlan, verify_stream
from lgn_hdl.logic.stream.codes import Codes
from lgn_hdl.logic.stream.inverters import absorb_inverters
from lgn_hdl.network import FixedPoint, LogicConv, Network, OrPool

FORM = FixedPoint(6, 4, signed=True)


def _gates(plan: StreamPlan) -> int:
    return plan.passes[-1].gates


@settings(max_examples=40)
@given(st.integers(0, 500), st.sampled_from([(2, 2), (2, 3), (3, 2), (4, 1), (6, 1)]))
def test_inverters_are_absorbed(seed: int, shape: tuple[int, int]) -> None:
    k, depth = shape
    conv = random_conv(np.random.default_rng(seed), 2, 6, k=k, depth=depth)
    program, _ = optimize(lower(image_of_bits(conv, shape=(2, 4, 3))))
    after = absorb_inverters(program)
    features = np.random.default_rng(1).integers(0, 2, (300, 24))
    assert np.array_equal(evaluate(program, features)[0], evaluate(after, features)[0])
    alone = after.fanin[after.arity == 1, 0]
    # What is left inverts an input, or a bit that leaves or is read as it is too.
    read = np.concatenate([after.bits, after.fanin[after.arity > 1].ravel()])
    assert all(driver < after.first_gate or driver in read for driver in alone)
    assert after.num_gates == program.num_gates - (program.arity == 1).sum() + len(alone)


def test_bits_of_one_feature_are_a_code() -> None:
    feature = np.array([[0, 1, 0, 0, 1], [5, 6, 5, 5, 6]])
    threshold = np.array([[3, 8, 1, 3, 9], [7, 2, 4, 7, 1]])
    codes = Codes.of(feature, threshold)
    # The first feature's thresholds are in one order in both elements, the second's are not.
    assert codes.group[0] == codes.group[2] == codes.group[3]
    assert codes.rank[[0, 2, 3]].tolist() == [1, 0, 1]
    assert len({codes.group[0], codes.group[1], codes.group[4]}) == 3


@pytest.mark.parametrize("reuse", IN_TURN)
@pytest.mark.parametrize("scattered", [False, True])
def test_impossible_codes_need_no_gates(
    reuse: Reuse, scattered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the bits of one position as channels, a gate often reads two of one feature."""
    network = _image_only(
        conv_classifier(
            element=FORM, size=(5, 4), thresholds=12, kernels=(40, 4), depth=3, scattered=scattered
        )
    )
    plan = planned(network, reuse)
    verify_stream(network, plan)
    monkeypatch.setattr(Codes, "of", _no_codes)
    without = planned(network, reuse)
    verify_stream(network, without)
    if scattered:  # there the bits of a position are of different features
        assert _gates(plan) <= _gates(without)
    else:
        assert _gates(plan) < 0.98 * _gates(without)


def _image_only(network: Network) -> Network:
    """The first convolution, whose image leaves, with an AND or an OR in every place."""
    names = [node.name for node in network.nodes]
    *before, node = network.nodes[: names.index("conv0") + 1]
    assert isinstance(node.layer, LogicConv)
    tables = np.array([1, 2, 4, 7, 8, 11, 13, 14], np.uint64)
    chosen = np.random.default_rng(0).choice(tables, node.layer.tables.shape)
    nodes = (*before, replace(node, layer=replace(node.layer, tables=chosen)))
    return replace(network, nodes=nodes, outputs=("conv0",), classes=()).validate()


def _no_codes(feature: np.ndarray, threshold: np.ndarray) -> Codes:
    return Codes(np.arange(feature.shape[1]), np.zeros(threshold.shape[1], np.int64))


def _one_column_of_taps(network: Network) -> Network:
    """Kernels of the second convolution that read the left column of their window only."""
    nodes = []
    for node in network.nodes:
        if node.name == "conv1":
            assert isinstance(node.layer, LogicConv)
            taps = node.layer.taps.copy()
            taps[..., 2] = 0
            node = replace(node, layer=replace(node.layer, taps=taps))
        nodes.append(node)
    return replace(network, nodes=tuple(nodes)).validate()


def test_the_tail_knows_what_the_border_does_to_the_last_image() -> None:
    network = _one_column_of_taps(conv_classifier(element=FORM, size=(5, 4), kernels=(6, 9)))
    plan = planned(network, "column")
    verify_stream(network, plan)
    # At the left border all taps are padding, so nothing of the first column is collected.
    assert plan.grids[-1].size[0] > 1
    assert (plan.collected.delay < plan.grids[-1].size[0] - 1).all()


@pytest.mark.parametrize("reuse", IN_LINES)
@pytest.mark.parametrize("padding", [(0, 0), (1, 1)])
@pytest.mark.parametrize("stride", [(2, 2), (1, 2), (2, 1)])
def test_a_pooling_is_halved(
    reuse: Reuse, padding: tuple[int, int], stride: tuple[int, int]
) -> None:
    rng = np.random.default_rng(3)
    pool = OrPool((3, 2), stride, padding)
    network = image_of_bits(random_conv(rng, 2, 5), pool, random_conv(rng, 5, 3), shape=(2, 7, 6))
    plan = planned(network, reuse)
    verify_stream(network, plan)
    _, height, width = network.types["layer1"].shape
    lanes, window = (height, 2) if reuse == "column" else (width, 3)
    # Along the line with the convolution, along the other axis by itself.
    assert plan.widths[1] <= 5 * lanes
    assert plan.layers[1].block.passes[0].gates == 5 * lanes * (window - 1)


def test_poolings_of_positions_and_of_the_input_are_whole() -> None:
    rng, pool = np.random.default_rng(3), OrPool((2, 2), (2, 2), (0, 0))
    network = image_of_bits(random_conv(rng, 2, 5), pool, shape=(2, 6, 6))
    assert planned(network, "position").layers[1].block.passes[0].gates == 5 * 3
    network = image_of_bits(pool, random_conv(rng, 2, 5), shape=(2, 6, 6))
    plan = planned(network, "row")
    assert plan.layers[0].block.passes[0].gates == 2 * 3 * 3
    verify_stream(network, plan)
