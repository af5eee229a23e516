"""The gate engine behind its streams: results, clocks per sample, stalls."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from amaranth.hdl import ResetInserter, Signal, Value
from amaranth.sim import Simulator
from circuits import packed, placed
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import bits_only, classifier
from programs import programs, random_program, without_negative_scores

import lgn_hdl
from lgn_hdl.errors import BuildError
from lgn_hdl.hdl import result_layout
from lgn_hdl.hdl.engine import Engine, check_engine, engine_layout
from lgn_hdl.logic import LogicProgram, evaluate, lower, optimize
from lgn_hdl.logic.engine import EngineCode, assemble
from lgn_hdl.logic.verify import probe_vectors
from lgn_hdl.network import FixedPoint

DIGITS = Path(__file__).parents[2] / "examples" / "digits.lgn"
FORM = FixedPoint(6, 4, signed=True)


@dataclass
class Traffic:
    """Every transfer: the clock it happened in, and from when on it could have."""

    offered: list[int]
    taken: list[int]
    valid: list[int]
    accepted: list[int]
    results: list[int]


def drive(
    engine: Engine, samples: list[int], *, offer: float = 1.0, take: float = 1.0, seed: int = 0
) -> Traffic:
    """Offer and take at random; check the rules of a stream at every clock."""
    rng = random.Random(seed)
    seen = Traffic([], [], [], [], [])
    payload, source = Value.cast(engine.o.payload), Value.cast(engine.i.payload)
    mask = (1 << len(payload)) - 1

    async def bench(ctx) -> None:
        offered, held = False, None
        for clock in range((engine.interval + 20) * (len(samples) + 1) * 4):
            left = len(seen.taken) < len(samples)
            if left and not offered and rng.random() < offer:
                offered = True
                seen.offered.append(clock)
            ctx.set(source, samples[len(seen.taken)] if offered else rng.getrandbits(len(source)))
            ctx.set(engine.i.valid, offered)
            ready = rng.random() < take
            ctx.set(engine.o.ready, ready)
            valid, accepts = ctx.get(engine.o.valid), ctx.get(engine.i.ready)
            result = ctx.get(payload) & mask
            if valid and held is None:
                seen.valid.append(clock)
            if held is not None:
                assert (valid, result) == (1, held), "a result that waits must not change"
            held = result if valid and not ready else None
            if valid and ready:
                seen.accepted.append(clock)
                seen.results.append(result)
            assert offered or not accepts, "a sample that is not offered cannot be taken"
            if accepts:
                seen.taken.append(clock)
                offered = False
            if len(seen.results) == len(samples):
                return
            await ctx.tick()
        raise AssertionError(f"{len(seen.results)} of {len(samples)} results came out")

    simulator = Simulator(engine)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return seen


def expected_results(program: LogicProgram, engine: Engine, features: np.ndarray) -> list[int]:
    """The payload for each sample, put together by the layout."""
    bits, scores = evaluate(program, features)
    found = []
    for row, score in zip(bits, scores, strict=True):
        value = 0
        for name, field in engine.o.payload.shape():
            if name == "class":
                part = int(np.argmax(score))
            elif name == "scores":
                (part,) = packed(score[None], field.width // len(score))
            else:
                (part,) = packed(row[None])
            value |= part << field.offset
        found.append(value)
    return found


def check(
    program: LogicProgram, *, lanes: int, argmax: bool, samples: int = 12, **traffic: float
) -> tuple[EngineCode, Traffic]:
    code = assemble(program, lanes=lanes)
    engine = Engine(code=code, argmax=argmax)
    features = probe_vectors(program, samples, 0)[:samples]
    seen = drive(engine, packed(features, program.format.width), **traffic)
    assert seen.results == expected_results(program, engine, features)
    # A sample begins when it is offered and the result before it is gone; then nothing waits.
    begun = np.maximum(seen.offered, [0, *seen.accepted[:-1]])
    assert set((np.array(seen.valid) - begun).tolist()) == {code.clocks}
    return code, seen


@pytest.mark.parametrize("lanes", [1, 2, 4])
@pytest.mark.parametrize(("offer", "take"), [(1.0, 1.0), (0.02, 1.0), (1.0, 0.1), (0.05, 0.05)])
def test_a_classifier_of_numbers(lanes: int, offer: float, take: float) -> None:
    program, _ = optimize(lower(classifier(element=FORM)))
    check(program, lanes=lanes, argmax=True, offer=offer, take=take)


@pytest.mark.parametrize("argmax", [False, True])
@pytest.mark.parametrize("classes", [1, 2, 5])
def test_any_number_of_classes(classes: int, argmax: bool) -> None:
    program, _ = optimize(lower(classifier(element=FORM, classes=classes)))
    check(program, lanes=2, argmax=argmax, samples=4, offer=0.3, take=0.3)


def test_a_network_of_bits_only() -> None:
    program, _ = optimize(lower(bits_only()))
    for lanes in (1, 2, 8):
        code, _ = check(program, lanes=lanes, argmax=False, offer=0.5, take=0.5)
        assert code.plain
        assert code.classes == 0


@given(programs(k=4).map(without_negative_scores), st.sampled_from([1, 2, 4]), st.booleans())
@settings(max_examples=25)
def test_random_programs(program: LogicProgram, lanes: int, argmax: bool) -> None:
    """Signed numbers, constants, no inputs or gates at all, classes without terms."""
    if len(program.bits) + len(program.sums):
        argmax = argmax and len(program.sums) > 0
        check(program, lanes=lanes, argmax=argmax, samples=3, offer=0.5, take=0.5)


def test_without_any_input() -> None:
    program = random_program(np.random.default_rng(1), inputs=1, gates=0, bits=3, classes=2)
    program = without_negative_scores(replace(program, bits=np.array([1, 0, 1], np.int32)))
    sums = replace(program.sums, signal=np.minimum(program.sums.signal, 1))
    code, _ = check(replace(program, sums=sums), lanes=1, argmax=True)
    assert code.steps == 0


def test_ties_go_to_the_lowest_class() -> None:
    program, _ = optimize(lower(classifier(element=FORM)))
    sums = program.sums
    first = slice(sums.start[0], sums.start[1])
    same = replace(
        sums,
        start=np.arange(4) * (sums.start[1] - sums.start[0]),
        signal=np.tile(sums.signal[first], 3),
        weight=np.tile(sums.weight[first], 3),
        constant=np.repeat(sums.constant[:1], 3),
    )
    _, seen = check(replace(program, sums=same), lanes=1, argmax=True)
    assert {result & 3 for result in seen.results} == {0}


@pytest.mark.parametrize("lanes", [1, 4])
def test_digits(lanes: int) -> None:
    program, _ = optimize(lower(lgn_hdl.load(DIGITS).network))
    code, _ = check(program, lanes=lanes, argmax=True, samples=8)
    assert code.inputs == 4


@pytest.mark.parametrize("lanes", [1, 2])
def test_tt10(shared: Path, lanes: int) -> None:
    (path,) = shared.glob("models/tt10/binarized_*.npz")
    program, _ = optimize(lower(lgn_hdl.load(path, groups=10).network))
    check(program, lanes=lanes, argmax=True, samples=6)


@pytest.mark.parametrize("clock", [1, 5, 20, 60, 100])
def test_reset_in_the_middle_of_a_sample(clock: int) -> None:
    program, _ = optimize(lower(classifier(element=FORM)))
    engine = Engine(code=assemble(program, lanes=2), argmax=True)
    features = probe_vectors(program, 3, 0)[:3]
    samples = packed(features, program.format.width)
    reset = Signal()
    payload, found = Value.cast(engine.o.payload), []

    async def bench(ctx) -> None:
        ctx.set(Value.cast(engine.i.payload), samples[0])
        ctx.set(engine.i.valid, 1)
        for _ in range(clock):
            await ctx.tick()
        ctx.set(reset, 1)
        await ctx.tick()
        ctx.set(reset, 0)
        assert not ctx.get(engine.o.valid)
        ctx.set(engine.o.ready, 1)
        for sample in samples:
            ctx.set(Value.cast(engine.i.payload), sample)
            waited = 0
            while not ctx.get(engine.o.valid):
                if ctx.get(engine.i.ready):
                    await ctx.tick()
                    ctx.set(engine.i.valid, 0)
                else:
                    await ctx.tick()
                waited += 1
                assert waited <= engine.latency
            assert waited == engine.latency
            found.append(ctx.get(payload))
            ctx.set(engine.i.valid, 0)
            await ctx.tick()
            ctx.set(engine.i.valid, 1)

    simulator = Simulator(ResetInserter(reset)(engine))
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert found == expected_results(program, engine, features)


@pytest.mark.parametrize("argmax", [False, True])
def test_the_result_is_that_of_the_classifier(argmax: bool) -> None:
    for seed in range(20):
        program = without_negative_scores(
            random_program(np.random.default_rng(seed), bits=seed % 3)
        )
        program, _ = optimize(program)
        unfolded = result_layout(program, placed(program, argmax=argmax), argmax=argmax)
        assert engine_layout(assemble(program), argmax=argmax) == unfolded


def test_what_has_no_ports() -> None:
    program, _ = optimize(lower(bits_only()))
    code = assemble(program)
    with pytest.raises(BuildError, match=r"has no class.*--no-argmax"):
        check_engine(code, argmax=True)
    with pytest.raises(BuildError, match=r"has 70000 input bits, a port can have 1 to 65530 \("):
        check_engine(replace(code, features=70_000), argmax=False)
    with pytest.raises(BuildError, match="has 70000 output bits, a port can have 1 to 65530"):
        check_engine(replace(code, bits=70_000), argmax=False)
