"""The classifier behind its streams: order, latency, stalls, limits."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import numpy as np
import pytest
from amaranth.back import rtlil
from amaranth.hdl import Value
from amaranth.sim import Simulator
from circuits import packed, packed_results, placed, registers_on_paths
from networks import bits_only, classifier
from programs import random_program, without_negative_scores

from lgn_hdl.errors import BuildError
from lgn_hdl.hdl import Classifier, check_ports, result_layout, to_rtlil
from lgn_hdl.logic import LogicProgram, Pipeline, lower, optimize
from lgn_hdl.logic.verify import probe_vectors
from lgn_hdl.network import FixedPoint, Network

FORM = FixedPoint(6, 4, signed=True)


@dataclass
class Traffic:
    """What was seen at the ports: every transfer with the clock it happened in."""

    sent: list[int]
    taken: list[tuple[int, int]]
    advances: list[int]  # steps of the pipeline up to each clock


def compiled(
    network: Network, levels: int | None, *, argmax: bool = True
) -> tuple[LogicProgram, Pipeline]:
    program, _ = optimize(lower(network))
    return program, placed(program, levels, argmax=argmax)


def drive(
    block: Classifier, samples: list[int], *, offer: float, take: float, seed: int = 0
) -> Traffic:
    """Offer and take at random; check the rules of a stream at every clock."""
    rng = random.Random(seed)
    seen = Traffic([], [], [])
    payload = Value.cast(block.o.payload)
    mask = (1 << len(payload)) - 1

    async def bench(ctx) -> None:
        steps, offered, held = 0, False, None
        for _ in range(60 * (len(samples) + 20)):
            left = len(seen.sent) < len(samples)
            offered = left and (offered or rng.random() < offer)
            noise = rng.getrandbits(len(Value.cast(block.i.payload)))
            ctx.set(Value.cast(block.i.payload), samples[len(seen.sent)] if offered else noise)
            ctx.set(block.i.valid, offered)
            ready = rng.random() < take
            ctx.set(block.o.ready, ready)
            valid, accepts = ctx.get(block.o.valid), ctx.get(block.i.ready)
            result = ctx.get(payload) & mask
            assert accepts == (ready or not valid), "it stands still only while a result waits"
            if held is not None:
                assert (valid, result) == (1, held), "a result that waits must not change"
            held = result if valid and not ready else None
            if valid and ready:
                seen.taken.append((steps, result))
            if offered and accepts:
                seen.sent.append(steps)
                offered = False
            steps += accepts
            if len(seen.taken) == len(samples):
                return
            await ctx.tick()
        raise AssertionError(f"{len(seen.taken)} of {len(samples)} results came out")

    simulator = Simulator(block)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return seen


def expected_results(
    program: LogicProgram, features: np.ndarray, pipeline: Pipeline, *, argmax: bool
) -> list[int]:
    """The payload for each sample, put together by the stated layout."""
    return packed_results(program, features, result_layout(program, pipeline, argmax=argmax))


def check(program: LogicProgram, pipeline: Pipeline, *, argmax: bool, **traffic: float) -> None:
    block = Classifier(program=program, pipeline=pipeline, argmax=argmax)
    features = probe_vectors(program, 60, 0)
    samples = packed(features, program.format.width)
    seen = drive(block, samples, **traffic)
    assert [value for _, value in seen.taken] == expected_results(
        program, features, pipeline, argmax=argmax
    )
    # In steps of the pipeline every sample takes the same time, however often it stalled.
    assert {out - into for into, (out, _) in zip(seen.sent, seen.taken, strict=True)} == {
        block.latency
    }


@pytest.mark.parametrize("levels", [1, 2, 4, 100])
@pytest.mark.parametrize(
    ("offer", "take"), [(1.0, 1.0), (0.5, 1.0), (1.0, 0.5), (0.6, 0.6), (1.0, 0.1), (0.1, 1.0)]
)
def test_order_latency_and_stalls(levels: int, offer: float, take: float) -> None:
    program, pipeline = compiled(classifier(element=FORM), levels)
    assert pipeline.latency == pipeline.stages >= 1
    check(program, pipeline, argmax=True, offer=offer, take=take)


@pytest.mark.parametrize("argmax", [False, True])
@pytest.mark.parametrize("classes", [1, 2, 5])
def test_any_number_of_classes(classes: int, argmax: bool) -> None:
    network = classifier(element=FORM, classes=classes)
    program, pipeline = compiled(network, 2, argmax=argmax)
    check(program, pipeline, argmax=argmax, offer=0.7, take=0.7)


def test_network_of_bits_only() -> None:
    program, pipeline = compiled(bits_only(), 1)
    assert not pipeline.sums
    check(program, pipeline, argmax=False, offer=0.7, take=0.7)


@pytest.mark.parametrize("seed", range(6))
def test_bits_beside_scores(seed: int) -> None:
    """Whatever leaves first waits for the rest: inputs, constants, gates, scores."""
    program = without_negative_scores(
        random_program(
            np.random.default_rng(seed), form=FixedPoint(3), features=4, inputs=9, gates=40, bits=9
        )
    )
    program, _ = optimize(program)
    check(program, placed(program, 1), argmax=True, offer=0.7, take=0.7)


def test_combinational() -> None:
    program, pipeline = compiled(classifier(element=FORM), None)
    block = Classifier(program=program, pipeline=pipeline, argmax=True)
    features = probe_vectors(program, 100, 0)
    found, rng = [], random.Random(0)

    async def bench(ctx) -> None:
        for sample in packed(features, program.format.width):
            valid, ready = rng.random() < 0.5, rng.random() < 0.5
            ctx.set(Value.cast(block.i.payload), sample)
            ctx.set(block.i.valid, valid)
            ctx.set(block.o.ready, ready)
            assert (ctx.get(block.o.valid), ctx.get(block.i.ready)) == (valid, ready)
            found.append(ctx.get(Value.cast(block.o.payload)))
            await ctx.delay(1e-6)

    simulator = Simulator(block)  # without a clock: there is no register
    simulator.add_testbench(bench)
    simulator.run()
    assert found == expected_results(program, features, pipeline, argmax=True)
    assert block.latency == 0


@pytest.mark.parametrize("levels", [None, 1, 2, 3])
def test_registers_on_every_path(levels: int | None) -> None:
    program, pipeline = compiled(classifier(element=FORM), levels)
    block = Classifier(program=program, pipeline=pipeline, argmax=True)
    ports = [Value.cast(v) for v in (block.i.payload, block.i.valid, block.i.ready)]
    ports += [Value.cast(v) for v in (block.o.payload, block.o.valid, block.o.ready)]
    found = registers_on_paths(block, ports, ["o__payload"])
    assert {n for counts in found for n in counts} == {pipeline.latency}


def test_reset_empties_the_pipeline() -> None:
    program, pipeline = compiled(classifier(element=FORM), 1)
    text = rtlil.convert(
        Classifier(program=program, pipeline=pipeline, argmax=True), name="top", emit_src=False
    )
    assert "wire width 1 input" in text
    assert "\\rst" in text


def test_fields_of_a_result() -> None:
    program, pipeline = compiled(classifier(element=FORM, classes=3), 2)
    layout = result_layout(program, pipeline, argmax=True)
    assert [(name, field.offset, field.width) for name, field in layout] == [
        ("class", 0, 2),
        ("scores", 2, 9),
    ]
    layout = result_layout(program, pipeline, argmax=False)
    assert [name for name, _ in layout] == ["scores"]


def test_a_network_without_scores_has_no_class() -> None:
    program, pipeline = compiled(bits_only(), 1)
    with pytest.raises(BuildError, match=r"has no class.*--no-argmax"):
        check_ports(program, pipeline, argmax=True)


def wide(features: int, outputs: int = 1, form: FixedPoint | None = None) -> LogicProgram:
    """Many features; the first nine leave as bits, over and over."""
    program, _ = optimize(lower(bits_only(inputs=6)))
    inputs = np.arange(min(outputs, 9))
    return replace(
        program,
        format=form or FixedPoint(1),
        features=features,
        input_feature=inputs.astype(np.int32),
        input_threshold=np.zeros(len(inputs), np.int64),
        fanin=np.zeros((0, 1), np.int32),
        arity=np.zeros(0, np.uint8),
        table=np.zeros(0, np.uint64),
        bits=np.resize(inputs, outputs).astype(np.int32) + 2,
    )


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (wide(65_531), r"has 65531 input bits, a port can have 1 to 65530 .*--input-format"),
        (wide(8192, form=FixedPoint(8)), "has 65536 input bits"),
        (wide(9, outputs=70_000), "has 70000 output bits"),
        (wide(9, outputs=0), "has 0 output bits"),
    ],
)
def test_port_limits(program: LogicProgram, message: str) -> None:
    with pytest.raises(BuildError, match=message):
        check_ports(program, placed(program), argmax=False)


@pytest.mark.parametrize("side", ["input", "output"])
def test_the_widest_port_that_is_allowed(side: str) -> None:
    program = wide(65_530) if side == "input" else wide(9, outputs=65_530)
    block = Classifier(program=program, pipeline=placed(program, 1), argmax=False)
    text = to_rtlil(block)
    assert f"wire width 65530 {side}" in text
