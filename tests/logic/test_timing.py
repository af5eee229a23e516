"""Where registers fall: properties of the one rule that places everything."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgn_hdl.errors import BuildError
from lgn_hdl.logic import DELAY_MODELS, StageClock
from lgn_hdl.logic.timing import one_per_level

times = st.integers(0, 10**9)
periods = st.integers(1, 10**6)


@given(periods, times, times)
def test_an_operation_lies_within_one_stage(period: int, ready: int, delay: int) -> None:
    clock = StageClock(period)
    end = int(clock.after(ready, delay))
    length = min(delay, period)
    assert end >= ready + length
    begin = end - length
    assert begin >= ready
    # (s·period, (s + 1)·period] is stage s, so it may begin on a border and end on the next.
    assert end <= (begin // period + 1) * period
    assert end - ready < 2 * period + 1


@given(periods, times, times)
def test_no_stage_is_left_empty_without_need(period: int, ready: int, delay: int) -> None:
    clock = StageClock(period)
    end = int(clock.after(ready, delay))
    waits = end - min(delay, period) - ready
    if waits:  # then it would not have fitted into the rest of its stage
        assert ready % period + min(delay, period) > period
        assert waits == -ready % period


@given(periods, st.lists(st.tuples(times, times), min_size=1, max_size=9))
def test_arrays_are_element_wise_and_order_is_kept(period: int, pairs) -> None:
    clock = StageClock(period)
    ready, delay = (np.array(values, np.int64) for values in zip(*sorted(pairs), strict=True))
    assert clock.after(ready, delay).tolist() == [
        int(clock.after(int(r), int(d))) for r, d in zip(ready, delay, strict=True)
    ]
    same = clock.after(ready, 7)
    assert (np.diff(same) >= 0).all()


@given(periods, times)
def test_stage(period: int, arrival: int) -> None:
    stage = int(StageClock(period).stage(arrival))
    if arrival == 0:
        assert stage == 0
    else:
        assert stage * period < arrival <= (stage + 1) * period


@given(periods, times, st.integers(0, 100))
def test_hold_brings_bits_to_the_start_of_a_stage(period: int, arrival: int, stage: int) -> None:
    clock = StageClock(period)
    held = int(clock.hold(np.array(arrival), stage))
    assert held == max(arrival, stage * period)
    if int(clock.stage(arrival)) <= stage:  # what follows lies in this stage, not before it
        assert int(clock.stage(clock.after(held, 1))) >= stage


@given(times, times)
def test_combinational(ready: int, delay: int) -> None:
    clock = StageClock(None)
    assert int(clock.after(ready, delay)) == ready + delay
    assert int(clock.stage(ready)) == 0
    assert clock.hold(np.array(ready), 3) == ready


@given(st.sampled_from(list(DELAY_MODELS.values())), st.floats(0.001, 2000))
def test_clock_of_a_frequency(model, mhz: float) -> None:
    period = int(1e6 / mhz) - model.overhead
    if period >= model.gate:
        assert StageClock.at_mhz(mhz, model).period == period
    else:
        with pytest.raises(BuildError, match=r"--clock-mhz: .* leaves .* ps for logic on"):
            StageClock.at_mhz(mhz, model)


@pytest.mark.parametrize("mhz", [0, -100, float("nan"), float("inf")])
def test_impossible_frequencies(mhz: float) -> None:
    with pytest.raises(BuildError, match="--clock-mhz"):
        StageClock.at_mhz(mhz, DELAY_MODELS["verilog"])


@pytest.mark.parametrize("mhz", [1e-300, 5e-324])
def test_a_very_slow_clock_has_one_long_stage(mhz: float) -> None:
    clock = StageClock.at_mhz(mhz, DELAY_MODELS["verilog"])
    assert clock.after(np.array([10**9]), 10**6).tolist() == [10**9 + 10**6]
    assert int(clock.stage(10**9)) == 0


def test_delays() -> None:
    for model in DELAY_MODELS.values():
        assert model.lookup(1) == model.lookup(2) == model.gate
        assert model.gate <= model.lookup(3) == model.lookup(6)
        assert model.comparison(8) < model.comparison(9)
        assert model.selection(8) > model.comparison(8)
    level = one_per_level()
    assert [level.lookup(k) for k in range(1, 7)] == [1] * 6
    assert level.comparison(16) == 1
