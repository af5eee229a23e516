"""Programs folded in time: the engine's code computes what the program computes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from programs import (
    evaluate_by_hand,
    every_input,
    programs,
    random_program,
    without_negative_scores,
)

import lgn_hdl
from lgn_hdl.errors import BuildError, NetworkError, VerifyError
from lgn_hdl.logic import LogicProgram, WeightedSums, evaluate, lower, optimize
from lgn_hdl.logic.engine import (
    RAMS,
    assemble,
    blocks,
    check_distances,
    check_fits,
    execute,
    fit,
    memories,
    memory_bits,
)
from lgn_hdl.logic.verify import probe_vectors
from lgn_hdl.network import FixedPoint

DIGITS = Path(__file__).parents[2] / "examples" / "digits.lgn"
ICE40 = RAMS["ice40"]


def with_something_leaving(program: LogicProgram) -> LogicProgram:
    """The program, its last signal leaving if nothing else does."""
    if len(program.bits) or len(program.sums):
        return program
    return replace(program, bits=np.array([program.num_signals - 1], np.int32))


def optimized(model: lgn_hdl.Model) -> LogicProgram:
    return optimize(lower(model.network))[0]


def tt10(shared: Path, files: str) -> LogicProgram:
    (path,) = shared.glob(f"models/tt10/{files}")
    return optimized(lgn_hdl.load(path, groups=10))


@given(
    programs().map(without_negative_scores).map(with_something_leaving),
    st.sampled_from([1, 2, 4, 8]),
    st.sampled_from([None, ICE40]),
)
def test_code_computes_the_program(program: LogicProgram, lanes: int, ram) -> None:
    features = every_input(program)
    code = assemble(program, lanes=lanes, ram=ram)
    bits, scores = execute(code, features)
    assert (bits.astype(int).tolist(), scores.tolist()) == evaluate_by_hand(program, features)
    assert all(word < 1 << code.word_bits for word in code.words)
    assert (code.addresses < 1 << code.address_bits).all()


@pytest.mark.parametrize("k", [2, 3, 4, 6])
@pytest.mark.parametrize("lanes", [1, 4])
def test_larger_programs(k: int, lanes: int) -> None:
    program = random_program(
        np.random.default_rng(k),
        form=FixedPoint(3, signed=True),
        features=20,
        inputs=60,
        gates=900,
        k=k,
        bits=5,
        classes=7,
        terms=60,
    )
    program = without_negative_scores(program)
    features = probe_vectors(program, 300, 0)
    bits, scores = execute(assemble(program, lanes=lanes), features)
    expected = evaluate(program, features)
    assert np.array_equal(bits, expected[0])
    assert np.array_equal(scores, expected[1])


@pytest.mark.parametrize("lanes", [1, 2, 4])
def test_digits_equal_pytorch(lanes: int) -> None:
    model = lgn_hdl.load(DIGITS)
    program = optimized(model)
    features = probe_vectors(program, 200, 1)
    _, scores = execute(assemble(program, lanes=lanes), features)
    (tensor,) = model.network.inputs.values()
    real = (features * 2.0**-program.format.fraction).reshape(-1, *tensor.shape)
    assert np.array_equal(scores, model.reference()(real).numpy())


@pytest.mark.parametrize("files", ["binarized_*.npz", "baralizm_*.npz", "barabasi_*.npz"])
def test_tt10_on_the_up5k(shared: Path, files: str) -> None:
    program = tt10(shared, files)
    features = probe_vectors(program, 100, 0)
    expected = evaluate(program, features)[1]
    for lanes, most_clocks in ((1, 4300), (2, 2200)):
        code = assemble(program, lanes=lanes, ram=ICE40)
        check_fits(code, ICE40, 30)
        assert blocks(code, ICE40) <= 28
        assert code.clocks < most_clocks
        assert len(code.tables) == 4  # the inputs of a gate may change places
        assert np.array_equal(execute(code, features)[1], expected)
    best = fit(program, ram=ICE40, available=30)
    assert (best.lanes, best.clocks) == (code.lanes, code.clocks)


def test_what_does_not_fit_is_refused(shared: Path) -> None:
    program = tt10(shared, "final_*.pth")
    code = assemble(program, ram=ICE40)
    message = (
        rf"1 gates per clock needs {blocks(code, ICE40)} block RAMs \({memory_bits(code):,} bits .*"
        r"the device has 30 \(122,880 bits\) \(a larger device\)"
    )
    with pytest.raises(BuildError, match=message):
        fit(program, ram=ICE40, available=30)
    wide = fit(program, ram=RAMS["ecp5"], available=208)
    assert wide.lanes >= 16
    assert blocks(wide, RAMS["ecp5"]) <= 208
    assert wide.clocks < 1000


def deep(gates: int = 3000) -> LogicProgram:
    """A long chain: each gate reads the two before it, and now and then an old one."""
    rng = np.random.default_rng(0)
    fanin = np.stack([np.arange(gates) + 4, np.arange(gates) + 3], axis=1).astype(np.int32)
    old = rng.random(gates) < 0.05
    fanin[old, 1] = (fanin[old, 0] * rng.random(old.sum())).astype(np.int32) + 1
    fanin = np.maximum(fanin, 2)
    bits = np.arange(gates + 4, gates + 5, dtype=np.int32)
    none = np.zeros(0, np.int64)
    return LogicProgram(
        FixedPoint(1),
        3,
        np.arange(3, dtype=np.int32),
        np.zeros(3, np.int64),
        fanin,
        np.full(gates, 2, np.uint8),
        rng.choice(np.array([6, 6, 8, 14], np.uint64), gates),
        bits,
        WeightedSums(np.zeros(1, np.int64), none.astype(np.int32), none, none),
    ).check()


def test_the_state_is_smaller_than_the_values() -> None:
    program = deep()
    code = assemble(program)
    assert 1 << code.address_bits < 600
    features = every_input(program)
    assert np.array_equal(execute(code, features)[0], evaluate(program, features)[0])
    # A chain cannot be faster than a gate every three clocks.
    assert len(code.words) > 2 * 600


def test_a_word_that_comes_too_early_is_found() -> None:
    code = assemble(deep(200))
    check_distances(code)
    # Each gate reads the one before it; a word is as early as it can be.
    words = list(code.words)
    early = next(w for w in range(1, len(words)) if words[w] != words[w - 1])
    for first in (early, len(words) // 2):
        swapped = [*words[:first], *words[first + 1 : first + 4], words[first], *words[first + 4 :]]
        with pytest.raises(VerifyError, match=r"word \d+ reads a slot that word \d+ writes"):
            check_distances(replace(code, words=tuple(swapped)))


def test_a_class_of_one_word_is_found() -> None:
    code = assemble(optimized(lgn_hdl.load(DIGITS)))
    close = code.runs.close | (np.arange(len(code.runs)) == 2)
    end = code.runs.end.copy()
    end[2] = code.runs.end[1] + 1
    check_distances(code)
    early = replace(code.runs, close=close, end=np.maximum.accumulate(end))
    early.close[1] = True
    with pytest.raises(VerifyError, match="fewer than two words"):
        check_distances(replace(code, runs=early))


def test_a_wrong_bit_changes_results() -> None:
    program = optimized(lgn_hdl.load(DIGITS))
    code = assemble(program, lanes=2)
    features = probe_vectors(program, 500, 0)
    expected = execute(code, features)[1]
    rng, changed = np.random.default_rng(0), 0
    for _ in range(40):
        words = list(code.words)
        words[rng.integers(len(words))] ^= 1 << int(rng.integers(code.word_bits))
        wrong = execute(replace(code, words=tuple(words)), features)[1]
        changed += not np.array_equal(wrong, expected)
    assert changed >= 30


def test_memories_of_digits() -> None:
    code = assemble(optimized(lgn_hdl.load(DIGITS)), lanes=2, ram=ICE40)
    by_name = {memory.name: memory for memory in memories(code)}
    assert list(by_name) == ["words", "state", "thresholds"]
    assert (by_name["state"].copies, by_name["state"].width) == (8, 2)
    assert by_name["words"].width == 2 * (4 * code.address_bits + 16)
    assert by_name["thresholds"].width == 2 * 5 + 1
    assert memory_bits(code) == sum(m.copies * m.depth * m.width for m in by_name.values())


def test_blocks_share_columns() -> None:
    # 717 words of 52 bits are three columns of 256; side by side 156 bits, in ten blocks of 16.
    assert ICE40.blocks(717, 52) == 10
    assert ICE40.blocks(3915, 24) == 24
    assert ICE40.blocks(1, 1) == 1
    assert RAMS["ecp5"].blocks(1981, 48) == 6


@pytest.mark.parametrize("lanes", [0, 3, -1])
def test_lanes_are_a_power_of_two(lanes: int) -> None:
    with pytest.raises(BuildError, match=f"{lanes} gates per clock, expected a power of two"):
        assemble(random_program(np.random.default_rng(0)), lanes=lanes)


def test_what_cannot_be_assembled() -> None:
    program = random_program(np.random.default_rng(0), bits=0, classes=0)
    with pytest.raises(BuildError, match="nothing leaves the program"):
        assemble(program)
    sums = WeightedSums(np.array([0, 1]), np.array([2], np.int32), np.array([-1]), np.array([0]))
    with pytest.raises(BuildError, match="never negative"):
        assemble(replace(program, sums=sums))


def test_features_are_checked() -> None:
    code = assemble(random_program(np.random.default_rng(0), classes=0))
    with pytest.raises(NetworkError, match=r"shape \(2, 5\), expected \(n, 3\)"):
        execute(code, np.zeros((2, 5), int))
    with pytest.raises(NetworkError, match="float64, expected integers"):
        execute(code, np.zeros((2, 3)))
