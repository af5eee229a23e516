"""The streaming classifier: the plan's results, at the latency and the interval it states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from circuits import packed, packed_results
from hypothesis import given, settings
from hypothesis import strategies as st
from image_networks import conv_classifier
from streamed import IN_TURN, drive, image_networks, planned

from lgn_hdl.errors import BuildError
from lgn_hdl.hdl.stream import StreamedClassifier, check_stream_ports, streamed_layout
from lgn_hdl.logic import lower
from lgn_hdl.logic.stream import Reuse, Source, StreamPlan
from lgn_hdl.logic.stream.block import Taps
from lgn_hdl.logic.stream.choose import selected_features, shifted_bits
from lgn_hdl.logic.verify import probe_vectors
from lgn_hdl.network import FixedPoint, Network

FORM = FixedPoint(6, 4, signed=True)
#: Samples offered, results taken: in direct succession, with gaps, with back-pressure.
TRAFFIC = [(1.0, 1.0), (0.1, 1.0), (1.0, 0.2), (0.3, 0.5)]


def samples_of(network: Network, plan: StreamPlan, count: int) -> tuple[list[int], list[int]]:
    """Random samples, and what the network with gates at every position says of them."""
    program = lower(network)
    features = probe_vectors(program, count, 1)
    expected = packed_results(program, features, streamed_layout(plan))
    return packed(features, program.format.width), expected


@pytest.mark.parametrize("reuse", IN_TURN)
@pytest.mark.parametrize("scattered", [False, True])
def test_results_latency_and_interval(reuse: Reuse, scattered: bool) -> None:
    network = conv_classifier(element=FORM, size=(5, 4), scattered=scattered)
    plan = planned(network, reuse)
    samples, expected = samples_of(network, plan, 12)
    for offer, take in TRAFFIC:
        seen = drive(StreamedClassifier(plan=plan), samples, offer=offer, take=take)
        assert seen.results == expected
        taken, given_ = np.array(seen.taken), np.array(seen.given)
        assert set((given_ - taken).tolist()) == {plan.latency}
        between = set(np.diff(taken).tolist())
        assert min(between) >= plan.interval
        if offer == 1:
            assert between == {plan.interval}
            assert taken[0] == plan.interval


@pytest.mark.parametrize("reuse", IN_TURN)
@pytest.mark.parametrize("make", [shifted_bits, selected_features])
@pytest.mark.parametrize("form", [FORM, FixedPoint(5, 2)])
def test_every_source_gives_the_same(
    reuse: Reuse, make: Callable[..., Source], form: FixedPoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = conv_classifier(element=form, size=(5, 4), thresholds=5, scattered=True)
    monkeypatch.setattr("lgn_hdl.logic.stream.planner.make_source", make)
    plan = planned(network, reuse)
    samples, expected = samples_of(network, plan, 16)
    seen = drive(StreamedClassifier(plan=plan), samples, offer=0.7, take=0.8)
    assert seen.results == expected


@settings(max_examples=25)
@given(image_networks(), st.sampled_from(IN_TURN), st.integers(1, 3), st.sampled_from(TRAFFIC))
def test_any_image_network(
    network: Network, reuse: Reuse, levels: int, traffic: tuple[float, float]
) -> None:
    plan = planned(network, reuse, levels=levels)
    samples, expected = samples_of(network, plan, 6)
    offer, take = traffic
    seen = drive(StreamedClassifier(plan=plan), samples, offer=offer, take=take)
    assert seen.results == expected
    assert {b - a for a, b in zip(seen.taken, seen.given, strict=True)} == {plan.latency}
    if offer == 1:
        assert set(np.diff(seen.taken).tolist()) == {plan.interval}


@pytest.mark.parametrize("reuse", IN_TURN)
@pytest.mark.parametrize("clocks", [1, 7, 40, 77])
def test_reset_forgets_what_was_in_flight(reuse: Reuse, clocks: int) -> None:
    """The delay lines have no reset: what is left in them must not show."""
    network = conv_classifier(element=FORM, size=(5, 4), k=4, depth=1)
    plan = planned(network, reuse)
    samples, expected = samples_of(network, plan, 8)
    seen = drive(StreamedClassifier(plan=plan), samples, reset_after=clocks)
    assert seen.results == expected
    assert seen.taken[0] == plan.interval


@pytest.mark.parametrize("reuse", IN_TURN)
def test_a_line_buffer_that_is_a_register_short_shows(reuse: Reuse) -> None:
    network = conv_classifier(element=FORM, size=(5, 4), k=4, depth=1)
    plan = planned(network, reuse)
    samples, expected = samples_of(network, plan, 12)
    first, *rest = plan.layers
    taps = first.block.taps
    delay = np.where(taps.delay == taps.delay.max(), taps.delay - 1, taps.delay)
    block = replace(first.block, taps=Taps(taps.bit, delay))
    short = replace(plan, layers=(replace(first, block=block), *rest))
    assert drive(StreamedClassifier(plan=short), samples).results != expected


@pytest.mark.parametrize("reuse", IN_TURN)
def test_zeros_that_do_not_come_show(reuse: Reuse) -> None:
    network = conv_classifier(element=FORM, size=(5, 4), k=4, depth=1)
    plan = planned(network, reuse)
    samples, expected = samples_of(network, plan, 12)
    timers = tuple(replace(timer, zeros=timer.zeros[:0]) for timer in plan.control.timers)
    wrong = replace(plan, control=replace(plan.control, timers=timers))
    with pytest.raises(AssertionError):
        assert drive(StreamedClassifier(plan=wrong), samples).results == expected


def test_samples_too_wide_for_a_port_are_refused() -> None:
    network = conv_classifier(element=FixedPoint(40), size=(60, 30))
    with pytest.raises(BuildError, match="72040 input bits"):
        check_stream_ports(planned(network, "position"))
