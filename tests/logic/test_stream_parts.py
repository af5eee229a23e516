"""Elements that are computed in parts: exact, in the same interval, and only where it pays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_networks import image_of_bits, random_conv
from streamed import IN_LINES, in_parts, planned, slow_networks

from lgn_hdl.errors import VerifyError
from lgn_hdl.logic.stream import Reuse, StreamPlan, stream_figures, verify_stream
from lgn_hdl.logic.stream.ticks import _check
from lgn_hdl.network import Network, OrPool


def _conv(channels: int, kernels: int, **options):
    return random_conv(np.random.default_rng(channels), channels, kernels, depth=3, **options)


def _pooled(rows: int, columns: int, *layers) -> Network:
    return image_of_bits(
        _conv(2, 4), OrPool((2, 2), (2, 2), (0, 0)), *layers, shape=(2, rows, columns)
    )


def _parts(plan: StreamPlan) -> dict[str, int]:
    return {one.node.name: one.block.parts for one in plan.layers if one.block.parts > 1}


@settings(max_examples=60)
@given(slow_networks(), st.sampled_from(IN_LINES), st.integers(1, 4))
def test_any_network_with_slow_layers(network: Network, reuse: Reuse, levels: int) -> None:
    whole, plan = planned(network, reuse, levels=levels), in_parts(network, reuse, levels=levels)
    verify_stream(network, whole, samples=64)
    verify_stream(network, plan, samples=64)
    assert plan.interval <= whole.interval


@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize(("reuse", "rows", "columns"), [("column", 11, 9), ("row", 9, 11)])
def test_five_positions_in_parts(reuse: Reuse, rows: int, columns: int, padding: int) -> None:
    """Behind the pooling a line has 5 positions; without padding 3 of them come out."""
    network = _pooled(rows, columns, _conv(4, 3, padding=(padding, padding)))
    plan = in_parts(network, reuse)
    assert _parts(plan) == {"layer2": 2 if padding else 3}
    assert plan.interval == planned(network, reuse).interval == 10
    block = plan.layers[-1].block
    assert set(block.part.tolist()) == set(range(block.parts))
    # Three kernels at the positions of a part.
    assert block.output.max() < 3 * (3 if padding else 1)
    # A part reads a zero where it ends at the border, and without padding never.
    assert (block.chosen == -1).any() == bool(padding)
    verify_stream(network, plan)


@pytest.mark.parametrize(("reuse", "interval"), [("column", 9), ("row", 14)])
@pytest.mark.parametrize("levels", [1, 3])
def test_the_interval_stays(reuse: Reuse, interval: int, levels: int) -> None:
    network = _pooled(13, 8, _conv(4, 5), _conv(5, 3, stride=(2, 2)))
    plan = in_parts(network, reuse, levels=levels)
    assert plan.interval == planned(network, reuse, levels=levels).interval == interval
    assert _parts(plan)["layer2"] == 2
    assert _parts(plan)["layer3"] >= 2
    verify_stream(network, plan)


def test_an_element_is_held_where_windows_would_not_stand_for_long_enough() -> None:
    network = _pooled(13, 8, _conv(4, 5))
    plan = in_parts(network, "column")
    assert [layer.node.name for layer in plan.layers] == [
        "layer0",
        "layer1",
        "layer1_held",
        "layer2",
    ]
    stands = np.diff(np.append(plan.ticks.visible[3], plan.ticks.visible[3][0] + plan.interval))
    assert stands.tolist() == [1, 2, 2, 2, 2]  # with the first element no window is complete


def test_parts_where_they_are_smaller() -> None:
    many = _pooled(13, 8, _conv(4, 40))
    plan = planned(many, "column")
    assert _parts(plan) == {"layer2": 2}
    last = {part.name: part for part in stream_figures(plan)}["layer2"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lgn_hdl.logic.stream.divide._counts", lambda stage, scan: [])
        whole = planned(many, "column")
    before = {part.name: part for part in stream_figures(whole)}["layer2"]
    assert _parts(whole) == {}
    assert last.multiplexers > before.multiplexers == 0
    assert last.gates + last.multiplexers < before.gates
    assert plan.interval == whole.interval
    # Few kernels read more bits than they have gates.
    assert _parts(planned(_pooled(13, 8, _conv(4, 2)), "column")) == {}


def test_parts_that_turn_out_larger_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A layer by itself does not know all of what it reads, so its size there is an estimate."""
    monkeypatch.setattr("lgn_hdl.logic.stream.divide._size", lambda stage, scan, parts, _: -parts)
    network = _pooled(13, 8, _conv(4, 60), _conv(60, 60, stride=(2, 2)))
    plan = planned(network, "column")
    assert _parts(in_parts(network, "column")) == {"layer2": 2, "layer3": 3}
    assert _parts(plan) == {"layer2": 2}
    assert [one.node.name for one in plan.layers if "held" in one.node.name] == ["layer1_held"]
    verify_stream(network, plan)


def test_positions_and_first_layers_have_no_parts() -> None:
    strided = image_of_bits(_conv(2, 40, stride=(2, 2)), shape=(2, 8, 8))
    assert _parts(in_parts(strided, "row")) == {}
    assert _parts(in_parts(_pooled(8, 8, _conv(4, 30)), "position")) == {}


def test_figures_count_choices_and_what_waits() -> None:
    plan = in_parts(_pooled(11, 9, _conv(4, 3)), "column")
    number = next(n for n, layer in enumerate(plan.layers) if layer.block.parts > 1)
    block, width = plan.layers[number].block, plan.widths[number]
    part = {part.name: part for part in stream_figures(plan)}["layer2"]
    assert part.multiplexers == np.count_nonzero(block.chosen[0] != block.chosen[1])
    waiting = np.count_nonzero(block.part == 0)
    assert part.delay_registers == block.taps.depths(width).sum() + waiting


def _crossed(plan: StreamPlan, number: int) -> StreamPlan:
    """The parts of an element are the wrong way round."""
    layer = plan.layers[number]
    return _with_block(plan, number, replace(layer.block, chosen=layer.block.chosen[::-1]))


def _unmasked(plan: StreamPlan, number: int) -> StreamPlan:
    """A bit stands where a part should read a zero."""
    block = plan.layers[number].block
    return _with_block(plan, number, replace(block, chosen=np.maximum(block.chosen, 0)))


def _with_block(plan: StreamPlan, number: int, block) -> StreamPlan:
    layers = list(plan.layers)
    layers[number] = replace(layers[number], block=block)
    return replace(plan, layers=tuple(layers))


@pytest.mark.parametrize("breaks", [_crossed, _unmasked])
@pytest.mark.parametrize("reuse", IN_LINES)
def test_what_a_part_reads_is_checked(
    reuse: Reuse, breaks: Callable[[StreamPlan, int], StreamPlan]
) -> None:
    network = _pooled(10, 10, _conv(4, 9))
    plan = in_parts(network, reuse)
    number = next(n for n, layer in enumerate(plan.layers) if layer.block.parts > 1)
    verify_stream(network, plan)
    with pytest.raises(VerifyError, match="streaming changes bit"):
        verify_stream(network, breaks(plan, number))


def test_a_window_that_does_not_stand_is_noticed() -> None:
    plan = in_parts(_pooled(13, 8, _conv(4, 5)), "column")
    steps = [layer.step(grid) for layer, grid in zip(plan.layers, plan.grids[1:], strict=True)]
    _check(plan.ticks, plan.grids[0], steps)
    *visible, last = plan.ticks.visible
    for moved in (-1, 1):
        wrong = replace(plan.ticks, visible=(*visible, last + moved))
        with pytest.raises(VerifyError, match="wrong time"):
            _check(wrong, plan.grids[0], steps)
