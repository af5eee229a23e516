"""The schedule of streams, and the timers that keep it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_networks import image_of_bits, random_conv
from streamed import IN_TURN, image_networks, planned

from lgn_hdl.errors import VerifyError
from lgn_hdl.logic.stream import Control, Reuse
from lgn_hdl.logic.stream.ticks import Step, _check
from lgn_hdl.network import Network, OrPool


def _chain(*layers, shape: tuple[int, ...]) -> Network:
    return image_of_bits(*layers, shape=shape)


def _conv(channels: int, kernels: int, **options):
    return random_conv(np.random.default_rng(0), channels, kernels, **options)


@pytest.mark.parametrize(("reuse", "interval"), [("position", 126), ("row", 14), ("column", 9)])
def test_interval_is_the_positions_and_the_zeros_between_them(reuse: Reuse, interval: int) -> None:
    network = _chain(
        _conv(3, 4),
        _conv(4, 5),
        OrPool((2, 2), (2, 2), (0, 0)),
        _conv(5, 4),
        _conv(4, 3, stride=(2, 2)),
        shape=(3, 13, 8),
    )
    assert planned(network, reuse).interval == interval


def test_without_padding_there_is_an_element_in_every_clock() -> None:
    network = _chain(_conv(2, 3, padding=(0, 0)), shape=(2, 5, 6))
    assert planned(network, "position").interval == 30


def test_a_layer_with_more_zeros_makes_the_first_image_wait() -> None:
    wide = _conv(3, 3, window=(7, 7), padding=(3, 3))
    network = _chain(_conv(2, 3), _conv(3, 3, window=(5, 5), padding=(2, 2)), wide, shape=(2, 6, 6))
    plan = planned(network, "position")
    lines = plan.ticks.visible[0].reshape(7, 7)
    assert (np.diff(lines, axis=1) == 1).all()
    assert (np.diff(lines[:, 0]) == 9).all()  # 6 positions and 3 zeros, those of the widest


def _replayed(control: Control, accepted: list[int]) -> tuple[dict[int, list[int]], list[int]]:
    """Ticks in which each stream takes an element, and in which the last one is complete."""
    starts = [accepted]
    for timer in control.timers[1:]:
        assert timer.started is not None
        assert 0 <= timer.started.count < control.interval
        starts.append([s + 1 + timer.started.count for s in starts[timer.started.timer]])
    takes = {
        timer.stream: [s + 1 + count for s in begun for count in timer.takes.tolist()]
        for timer, begun in zip(control.timers, starts, strict=True)
        if timer.stream is not None
    }
    return takes, [s + 2 + control.done.count for s in starts[control.done.timer]]


@settings(max_examples=40)
@given(image_networks(), st.sampled_from(IN_TURN), st.integers(1, 3))
def test_timers_keep_the_schedule(network: Network, reuse: Reuse, levels: int) -> None:
    plan = planned(network, reuse, levels=levels)
    ticks, control = plan.ticks, plan.control
    accepted = [0, ticks.interval, 2 * ticks.interval + 3]
    takes, complete = _replayed(control, accepted)
    for stream, visible in enumerate(ticks.visible):
        expected = [a + v - 1 for a in accepted for v in visible.tolist()]
        assert takes[stream] == expected
        assert all(a < b for a, b in pairwise(expected))
    assert complete == [a + ticks.complete for a in accepted]
    assert all(
        0 <= count < control.interval for timer in control.timers for count in timer.takes.tolist()
    )


@settings(max_examples=40)
@given(image_networks(), st.sampled_from(IN_TURN))
def test_what_is_kept_outlives_the_images(network: Network, reuse: Reuse) -> None:
    plan = planned(network, reuse)
    control, held = plan.control, 0
    starts = [0]
    for timer in control.timers[1:]:
        assert timer.started is not None
        starts.append(starts[timer.started.timer] + 1 + timer.started.count)
    for pulse in control.copies:
        now = starts[pulse.timer] + 1 + pulse.count
        assert held < now <= held + control.interval
        held = now
    assert plan.ticks.complete <= held + control.interval


@pytest.mark.parametrize("late", [-1, 1])
def test_reading_a_window_at_the_wrong_time_is_noticed(late: int) -> None:
    network = _chain(_conv(2, 3, padding=(0, 0)), shape=(2, 5, 6))
    plan = planned(network, "position")
    layer = plan.layers[0]
    steps = [Step(layer.sliding, plan.grids[1], layer.pipeline.roots_stage)]
    _check(plan.ticks, plan.grids[0], steps)
    first, last = plan.ticks.visible
    wrong = replace(plan.ticks, visible=(first, last + late))
    with pytest.raises(VerifyError, match="wrong time"):
        _check(wrong, plan.grids[0], steps)
