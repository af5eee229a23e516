"""A plan computes what its network computes, however its positions take turns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_networks import conv_classifier, image_of_bits, random_conv
from streamed import IN_TURN, image_networks, planned

from lgn_hdl.errors import BuildError, VerifyError
from lgn_hdl.logic import lower
from lgn_hdl.logic.stream import (
    Reuse,
    SelectedFeatures,
    ShiftedBits,
    ShiftedFeatures,
    Source,
    StreamEvaluator,
    StreamPlan,
    stream_figures,
    verify_stream,
)
from lgn_hdl.logic.stream.block import Taps
from lgn_hdl.logic.stream.choose import selected_features, shifted_bits
from lgn_hdl.logic.verify import probe_vectors
from lgn_hdl.network import FixedPoint, LogicConv, Network
from lgn_hdl.reference import Reference

FORM = FixedPoint(8, 3, signed=True)


@settings(max_examples=60)
@given(image_networks(), st.sampled_from(IN_TURN), st.integers(1, 4))
def test_any_image_network(network: Network, reuse: Reuse, levels: int) -> None:
    verify_stream(network, planned(network, reuse, levels=levels), samples=64)


@settings(max_examples=20)
@given(st.data(), st.sampled_from([1, 3]))
def test_images_of_one_and_three_axes(data: st.DataObject, axes: int) -> None:
    network = data.draw(image_networks(axes))
    verify_stream(network, planned(network, "position"), samples=32)


@pytest.mark.parametrize("scattered", [False, True])
@pytest.mark.parametrize("reuse", IN_TURN)
@pytest.mark.parametrize(("k", "depth"), [(2, 3), (4, 1)])
def test_plan_equals_pytorch(reuse: Reuse, scattered: bool, k: int, depth: int) -> None:
    network = conv_classifier(
        element=FORM, size=(5, 7), scattered=scattered, k=k, depth=depth, seed=k
    )
    plan = planned(network, reuse)
    features = probe_vectors(plan.front, 200, 3)
    answers = Reference(network).outputs(FORM.to_real(features))
    _, scores = StreamEvaluator(plan)(features)
    assert np.array_equal(scores, answers["scores"].numpy())


def test_features_are_shifted_where_all_positions_have_the_same_thresholds() -> None:
    plan = planned(conv_classifier(element=FORM, size=(5, 7), thresholds=6), "position")
    assert isinstance(plan.source, ShiftedFeatures)
    assert plan.source.words.shape == (35, 1)
    assert plan.source.comparators <= 6
    line = planned(conv_classifier(element=FORM, size=(5, 7), thresholds=6), "row")
    assert isinstance(line.source, ShiftedFeatures)
    assert line.source.words.shape == (5, 7)
    assert line.source.comparators <= 42


@pytest.mark.parametrize("reuse", IN_TURN)
@pytest.mark.parametrize("make", [shifted_bits, selected_features])
def test_every_source_gives_the_same(
    reuse: Reuse, make: Callable[..., Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    network = conv_classifier(element=FORM, size=(5, 7), thresholds=6, scattered=True)
    monkeypatch.setattr("lgn_hdl.logic.stream.planner.make_source", make)
    plan = planned(network, reuse)
    assert type(plan.source) is {shifted_bits: ShiftedBits}.get(make, SelectedFeatures)
    verify_stream(network, plan)


def test_features_are_selected_where_thresholds_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    network = conv_classifier(
        element=FORM, size=(9, 8), thresholds=40, scattered=True, kernels=(60, 4)
    )
    plan = planned(network, "position")
    assert isinstance(plan.source, SelectedFeatures)
    assert plan.source.comparators <= 40
    verify_stream(network, plan)
    monkeypatch.setattr("lgn_hdl.logic.stream.planner.make_source", shifted_bits)
    assert 2 * plan.source.area < planned(network, "position").source.area


def test_no_samples_have_no_results() -> None:
    plan = planned(conv_classifier(element=FORM), "row")
    bits, scores = StreamEvaluator(plan)(np.zeros((0, plan.front.features), np.int64))
    assert (bits.shape, scores.shape) == ((0, 0), (0, 3))


def _short_buffer(plan: StreamPlan) -> StreamPlan:
    """The first layer's line buffer is a register short."""
    first, *rest = plan.layers
    taps = first.block.taps
    delay = np.where(taps.delay == taps.delay.max(), taps.delay - 1, taps.delay)
    block = replace(first.block, taps=Taps(taps.bit, delay))
    return replace(plan, layers=(replace(first, block=block), *rest))


def _broken_zeros(plan: StreamPlan) -> StreamPlan:
    """The first stream's positions one element later: a position stands where a zero should."""
    first = plan.grids[0]
    moved = type("Moved", (type(first),), {"positions": property(lambda grid: grid.moved)})
    broken = moved(first.size, first.zeros)
    object.__setattr__(broken, "moved", first.positions + 1)
    return replace(plan, grids=(broken, *plan.grids[1:]))


@pytest.mark.parametrize("breaks", [_short_buffer, _broken_zeros])
@pytest.mark.parametrize("reuse", IN_TURN)
def test_a_wrong_buffer_is_noticed(reuse: Reuse, breaks) -> None:
    network = conv_classifier(element=FORM, size=(5, 7), k=4, depth=1)
    plan = planned(network, reuse)
    verify_stream(network, plan)
    with pytest.raises(VerifyError, match="streaming changes score"):
        verify_stream(network, breaks(plan))


@pytest.mark.parametrize("reuse", IN_TURN)
def test_figures_count_what_the_network_has(reuse: Reuse) -> None:
    network = conv_classifier(element=FORM, size=(5, 7), k=4, depth=2)
    plan = planned(network, reuse)
    parts = {part.name: part for part in stream_figures(plan)}
    assert sum(part.unrolled_gates for part in parts.values()) == lower(network).num_gates
    turns = {"position": 35, "row": 5, "column": 7}[reuse]
    # The pooling's ORs along a line of its 2 x 4 positions are done with the convolution.
    ors = 5 * {"position": 0, "row": 4, "column": 2}[reuse]
    conv = parts["conv0"]
    assert conv.unrolled_gates == turns * (conv.shared_gates - ors)
    assert conv.elements == turns
    assert parts["dense"].shared_gates == 150
    assert parts["conv0"].zeroed <= plan.widths[0]
    assert parts["collector"].last == plan.ticks.complete == plan.latency - plan.pipeline.latency


@pytest.mark.parametrize("reuse", IN_TURN)
@pytest.mark.parametrize("padding", [0, 1])
def test_constant_and_equal_channels_are_not_read(reuse: Reuse, padding: int) -> None:
    rng = np.random.default_rng(5)
    first = random_conv(rng, 3, 8, k=4, depth=1, padding=(padding, padding))
    tables = first.tables.copy()
    tables[0], tables[1] = 0, (1 << 16) - 1
    taps = first.taps.copy()
    taps[:, 3], tables[3] = taps[:, 2], tables[2]
    second = random_conv(rng, 8, 20, k=4, depth=1, padding=(padding, padding))
    network = image_of_bits(replace(first, taps=taps, tables=tables), second, shape=(3, 6, 5))
    plan = planned(network, reuse)
    verify_stream(network, plan)
    lanes = {"position": 1, "row": 5, "column": 6}[reuse]
    lanes = max(1, lanes - 2 * (not padding and lanes > 1))
    # Beside zeros, a one is a bit like others; the second channel of ones is the first.
    ones = 1 if padding else 0
    assert plan.widths[1] <= (8 - 3) * lanes + ones
    assert StreamEvaluator(plan)(np.zeros((1, 90), np.int64))[0].shape == (
        1,
        network.types[network.outputs[0]].size,
    )


def _positions_differ(network: Network, name: str) -> Network:
    """The network, a convolution of which reads other taps at every position."""
    nodes = []
    for node in network.nodes:
        if node.name == name:
            assert isinstance(node.layer, LogicConv)
            positions = int(np.prod(network.types[name].shape[1:]))
            old = node.layer
            new = random_conv(
                np.random.default_rng(1),
                network.types[node.inputs[0]].shape[0],
                old.kernels,
                window=old.window,
                stride=old.stride,
                padding=old.padding,
                positions=positions,
            )
            node = replace(node, layer=new)
        nodes.append(node)
    return replace(network, nodes=tuple(nodes)).validate()


def test_positions_that_read_other_taps_cannot_take_turns() -> None:
    network = _positions_differ(conv_classifier(element=FORM), "conv0")
    with pytest.raises(BuildError, match="layer 'conv0' reads other taps at every position"):
        planned(network, "position")


def test_what_cannot_take_turns_stays_behind_the_chain() -> None:
    network = _positions_differ(conv_classifier(element=FORM), "conv1")
    plan = planned(network, "position")
    assert [layer.node.name for layer in plan.layers] == ["conv0", "pool"]
    verify_stream(network, plan)


def test_an_image_that_leaves_ends_the_chain() -> None:
    rng = np.random.default_rng(2)
    network = image_of_bits(random_conv(rng, 2, 3), random_conv(rng, 3, 2), shape=(2, 4, 3))
    network = replace(network, outputs=("layer1", "layer0")).validate()
    plan = planned(network, "row")
    assert [layer.node.name for layer in plan.layers] == ["layer0"]
    verify_stream(network, plan)


def test_networks_without_convolutions_are_refused() -> None:
    from networks import classifier

    with pytest.raises(BuildError, match="no convolution whose positions could take turns"):
        planned(classifier(element=FORM), "position")


def test_only_images_of_two_axes_have_rows() -> None:
    rng = np.random.default_rng(2)
    conv = random_conv(rng, 2, 3, window=(3,), stride=(1,), padding=(1,))
    network = image_of_bits(conv, shape=(2, 5))
    with pytest.raises(BuildError, match="images have 1 axes"):
        planned(network, "row")
