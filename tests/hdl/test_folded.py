"""The folded classifier: same results as the program, at the interval it states."""

from __future__ import annotations

import random

import numpy as np
import pytest
from amaranth.hdl import Value
from amaranth.sim import Simulator
from circuits import packed, packed_results
from networks import classifier
from programs import random_program, without_negative_scores

from lgn_hdl.hdl.folded import FoldedClassifier, folded_layout
from lgn_hdl.logic import LogicProgram, lower, optimize
from lgn_hdl.logic.fold import FoldedSums, fold_pipeline, fold_sums
from lgn_hdl.logic.timing import DELAY_MODELS
from lgn_hdl.logic.verify import probe_vectors
from lgn_hdl.network import FixedPoint

FORM = FixedPoint(5, 3, signed=True)


def folded_classifier(
    program: LogicProgram, slots: int, *, argmax: bool = True
) -> tuple[FoldedClassifier, FoldedSums]:
    folded = fold_sums(program, slots)
    pipeline = fold_pipeline(program, folded, DELAY_MODELS["ice40"])
    block = FoldedClassifier(program=program, folded=folded, pipeline=pipeline, argmax=argmax)
    return block, folded


def expected_results(
    program: LogicProgram, folded: FoldedSums, features: np.ndarray, *, argmax: bool
) -> list[int]:
    layout = folded_layout(folded, argmax=argmax, bits=len(program.bits))
    return packed_results(program, features, layout)


def drive(block: FoldedClassifier, samples: list[int], *, offer: float, take: float):
    """Results with the clock they appeared in, and the clocks in which samples were first seen."""
    rng = random.Random(0)
    offered_at: list[int] = []
    results: list[tuple[int, int]] = []

    async def bench(ctx) -> None:
        sent, offered, held = 0, False, None
        for clock in range(40 * block.interval * len(samples)):
            if not offered and sent < len(samples) and rng.random() < offer:
                offered = True
                offered_at.append(clock)
            noise = rng.getrandbits(len(Value.cast(block.i.payload)))
            ctx.set(Value.cast(block.i.payload), samples[sent] if offered else noise)
            ctx.set(block.i.valid, offered)
            ready = rng.random() < take
            ctx.set(block.o.ready, ready)
            valid, accepts = ctx.get(block.o.valid), ctx.get(block.i.ready)
            value = ctx.get(Value.cast(block.o.payload))
            if held is not None:
                assert valid, "a result is withdrawn"
                assert value == held, "a result that waits must not change"
            elif valid:
                results.append((clock, value))
            held = value if valid and not ready else None
            if offered and accepts:
                sent, offered = sent + 1, False
            if len(results) == len(samples) and held is None:
                return
            await ctx.tick()
        raise AssertionError(f"{len(results)} of {len(samples)} results came out")

    simulator = Simulator(block)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return offered_at, results


@pytest.mark.parametrize(("offer", "take"), [(1.0, 1.0), (0.3, 1.0), (1.0, 0.1), (0.4, 0.4)])
@pytest.mark.parametrize("slots", [1, 3, 50])
def test_results_whatever_the_traffic(slots: int, offer: float, take: float) -> None:
    program, _ = optimize(lower(classifier(element=FORM, classes=5)))
    block, folded = folded_classifier(program, slots)
    features = probe_vectors(program, 30, 1)
    _, results = drive(block, packed(features, FORM.width), offer=offer, take=take)
    expected = expected_results(program, folded, features, argmax=True)
    assert [value for _, value in results] == expected


@pytest.mark.parametrize("slots", [1, 4])
def test_latency_and_interval_are_as_stated(slots: int) -> None:
    program, _ = optimize(lower(classifier(element=FORM, classes=3)))
    block, folded = folded_classifier(program, slots)
    features = probe_vectors(program, 6, 1)
    offered_at, results = drive(block, packed(features, FORM.width), offer=1.0, take=1.0)
    clocks = [clock for clock, _ in results]
    assert clocks[0] - offered_at[0] == block.latency == folded.steps + 3
    assert set(np.diff(clocks).tolist()) == {block.interval}


@pytest.mark.parametrize("argmax", [False, True])
@pytest.mark.parametrize("classes", [1, 2, 9])
def test_any_number_of_classes(classes: int, argmax: bool) -> None:
    program, _ = optimize(lower(classifier(element=FORM, classes=classes)))
    block, folded = folded_classifier(program, 2, argmax=argmax)
    features = probe_vectors(program, 20, 1)
    _, results = drive(block, packed(features, FORM.width), offer=0.8, take=0.8)
    expected = expected_results(program, folded, features, argmax=argmax)
    assert [value for _, value in results] == expected


@pytest.mark.parametrize("seed", range(8))
def test_weights_constants_and_bits(seed: int) -> None:
    """Programs with every kind of term: constants, inputs, negative and large weights, no term."""
    program = without_negative_scores(
        random_program(
            np.random.default_rng(seed),
            form=FixedPoint(3),
            features=4,
            inputs=9,
            gates=40,
            bits=seed,
        )
    )
    block, folded = folded_classifier(program, 1 + seed % 3)
    features = probe_vectors(program, 20, 1)
    _, results = drive(block, packed(features, 3), offer=1.0, take=0.7)
    expected = expected_results(program, folded, features, argmax=True)
    assert [value for _, value in results] == expected
