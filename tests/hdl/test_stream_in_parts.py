"""Elements in parts, in hardware: the plan's results at its latency and interval."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from amaranth.hdl import EnableInserter, Module, Signal
from amaranth.sim import Simulator
from circuits import members, packed, packed_results
from hypothesis import given, settings
from hypothesis import strategies as st
from image_networks import image_of_bits, random_conv
from streamed import IN_LINES, drive, in_parts, slow_networks

from lgn_hdl.hdl.stream import PartChooser, PartJoiner, StreamedClassifier, streamed_layout
from lgn_hdl.logic import lower
from lgn_hdl.logic.stream import Reuse, StreamPlan
from lgn_hdl.logic.verify import probe_vectors
from lgn_hdl.network import Network, OrPool

#: Samples offered, results taken: in direct succession, with gaps, with back-pressure.
TRAFFIC = [(1.0, 1.0), (0.1, 1.0), (1.0, 0.2), (0.3, 0.5)]


def _network(shape: tuple[int, int] = (9, 10)) -> Network:
    rng = np.random.default_rng(7)
    return image_of_bits(
        random_conv(rng, 2, 4),
        OrPool((2, 2), (2, 2), (1, 0)),
        random_conv(rng, 4, 5, k=4, depth=1),
        random_conv(rng, 5, 3, k=4, depth=1, stride=(2, 2)),
        shape=(2, *shape),
    )


def _samples(network: Network, plan: StreamPlan, count: int) -> tuple[list[int], list[int]]:
    program = lower(network)
    features = probe_vectors(program, count, 1)
    expected = packed_results(program, features, streamed_layout(plan))
    return packed(features, program.format.width), expected


@pytest.mark.parametrize("reuse", IN_LINES)
@pytest.mark.parametrize("levels", [1, 4])
def test_results_latency_and_interval(reuse: Reuse, levels: int) -> None:
    network = _network()
    plan = in_parts(network, reuse, levels=levels)
    assert max(layer.block.parts for layer in plan.layers) > 1
    samples, expected = _samples(network, plan, 8)
    for offer, take in TRAFFIC:
        seen = drive(StreamedClassifier(plan=plan), samples, offer=offer, take=take)
        assert seen.results == expected
        assert {b - a for a, b in zip(seen.taken, seen.given, strict=True)} == {plan.latency}
        between = set(np.diff(seen.taken).tolist())
        assert between == {plan.interval} if offer == 1 else min(between) >= plan.interval


@settings(max_examples=25)
@given(slow_networks(), st.sampled_from(IN_LINES), st.integers(1, 3), st.sampled_from(TRAFFIC))
def test_any_network_with_slow_layers(
    network: Network, reuse: Reuse, levels: int, traffic: tuple[float, float]
) -> None:
    plan = in_parts(network, reuse, levels=levels)
    samples, expected = _samples(network, plan, 5)
    offer, take = traffic
    seen = drive(StreamedClassifier(plan=plan), samples, offer=offer, take=take)
    assert seen.results == expected
    assert {b - a for a, b in zip(seen.taken, seen.given, strict=True)} == {plan.latency}
    if offer == 1:
        assert set(np.diff(seen.taken).tolist()) == {plan.interval}


@pytest.mark.parametrize("reuse", IN_LINES)
@pytest.mark.parametrize("clocks", [5, 33])
def test_reset_forgets_what_was_in_flight(reuse: Reuse, clocks: int) -> None:
    network = _network()
    plan = in_parts(network, reuse)
    samples, expected = _samples(network, plan, 5)
    seen = drive(StreamedClassifier(plan=plan), samples, reset_after=clocks)
    assert seen.results == expected


def _turns_late(plan: StreamPlan) -> StreamPlan:
    """Parts are chosen a clock late."""
    timers = [
        replace(timer, turns=tuple((turn + 1) % plan.interval for turn in timer.turns))
        for timer in plan.control.timers
    ]
    return replace(plan, control=replace(plan.control, timers=tuple(timers)))


def _not_waiting(plan: StreamPlan) -> StreamPlan:
    """All bits are taken from the last part, as if none had to wait."""
    layers = [
        replace(
            layer,
            block=replace(layer.block, part=np.full_like(layer.block.part, layer.block.parts - 1)),
        )
        for layer in plan.layers
    ]
    return replace(plan, layers=tuple(layers))


@pytest.mark.parametrize("breaks", [_turns_late, _not_waiting])
@pytest.mark.parametrize("reuse", IN_LINES)
def test_parts_at_the_wrong_time_show(reuse: Reuse, breaks) -> None:
    network = _network()
    plan = in_parts(network, reuse)
    samples, expected = _samples(network, plan, 6)
    assert drive(StreamedClassifier(plan=breaks(plan)), samples).results != expected


@pytest.mark.parametrize("parts", [2, 3])
def test_a_chooser_reads_for_every_part(parts: int) -> None:
    rng = np.random.default_rng(parts)
    chosen = rng.integers(-1, 10, (parts, 30))
    chosen[:, :4] = chosen[0, :4]  # the same in every part
    block = PartChooser(chosen=chosen, taps=10)
    m = Module()
    m.submodules.block = block
    (source,), (sink,) = members(block, "i"), members(block, "o")

    async def bench(ctx) -> None:
        for _ in range(20):
            taps = rng.integers(0, 2, 10).tolist()
            ctx.set(source, sum(bit << place for place, bit in enumerate(taps)))
            for part in range(parts):
                ctx.set(block.turn, 1 << part - 1 if part else 0)
                expected = [taps[tap] if tap >= 0 else 0 for tap in chosen[part].tolist()]
                found = ctx.get(sink)
                assert [found >> place & 1 for place in range(30)] == expected

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("parts", [2, 4])
def test_a_joiner_gives_parts_together(parts: int) -> None:
    rng = np.random.default_rng(parts)
    part, output = rng.integers(0, parts, 25), rng.integers(0, 6, 25)
    block = PartJoiner(part=part, output=output, outputs=6, parts=parts)
    enable, history = Signal(), []
    m = Module()
    m.submodules.block = EnableInserter(enable)(block)
    (source,), (sink,) = members(block, "i"), members(block, "o")

    async def bench(ctx) -> None:
        for _ in range(60):
            given_ = int(rng.integers(0, 64))
            ctx.set(source, given_)
            ctx.set(enable, moves := bool(rng.random() < 0.6))
            history.append(given_)
            if len(history) >= parts:
                last = history[-parts:]
                pairs = zip(part.tolist(), output.tolist(), strict=True)
                expected = [last[p] >> bit & 1 for p, bit in pairs]
                found = ctx.get(sink)
                assert [found >> place & 1 for place in range(25)] == expected
            await ctx.tick()
            if not moves:
                history.pop()

    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
