"""Ticks: how far the chosen rate is off, and that the counter makes it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from amaranth.sim import Simulator
from hypothesis import given
from hypothesis import strategies as st

from lgn_hdl.errors import BuildError
from lgn_hdl.hdl.link.rate import Rate, Ticks, choose_rate


@given(st.floats(1e5, 2e8), st.integers(300, 12_000_000))
def test_within_half_a_percent_wherever_the_clock_is_fast_enough(clock: float, baud: int) -> None:
    if clock / baud >= 4 / 0.995:
        rate = choose_rate(clock, baud)
        assert abs(rate.baud / baud - 1) <= 0.005
        assert rate.step == 1 or rate.modulus & (rate.modulus - 1) == 0
    elif clock / baud < 4 / 1.02:
        with pytest.raises(BuildError):
            choose_rate(clock, baud)
    else:
        assert abs(choose_rate(clock, baud).baud / baud - 1) <= 0.02


def test_the_usual_board_needs_four_bits() -> None:
    assert choose_rate(12e6, 115_200) == Rate(12e6, 8, 1, 13)


@pytest.mark.parametrize(
    ("clock", "baud", "message"),
    [
        (
            400e3,
            115_200,
            r"115200 baud cannot be made from a clock of 0.4 MHz: the nearest is 100000, "
            r"13.2 % off.*at most 100000 baud",
        ),
        (12e6, 12_000_000, "the nearest is 3000000, 75.0 % off"),
        (0, 9600, "expected positive numbers"),
        (12e6, -1, "expected positive numbers"),
    ],
)
def test_what_cannot_be_made_is_refused(clock: float, baud: int, message: str) -> None:
    with pytest.raises(BuildError, match=message):
        choose_rate(clock, baud)


@pytest.mark.parametrize(
    ("step", "modulus"), [(1, 1), (1, 2), (1, 13), (1, 16), (1, 27), (59, 64), (35, 1024), (1, 64)]
)
def test_ticks_on_average_and_as_even_as_can_be(step: int, modulus: int) -> None:
    ticks = Ticks(rate=Rate(1e6, 8, step, modulus))
    seen: list[int] = []

    async def bench(ctx) -> None:
        for _ in range(3 * modulus + 5):
            await ctx.tick()
            seen.append(ctx.get(ticks.o))

    simulator = Simulator(ticks) if step < modulus else None
    if simulator is None:
        # No register, so no clock: a tick always.
        assert choose_rate(4e6, 1_000_000) == Rate(4e6, 4, 1, 1)
        simulator = Simulator(ticks)

        async def constant(ctx) -> None:
            assert ctx.get(ticks.o) == 1

        simulator.add_testbench(constant)
        simulator.run()
        return
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert sum(seen[5:]) == 3 * step
    places = [clock for clock, tick in enumerate(seen) if tick]
    distances = {after - before for before, after in pairwise(places)}
    assert distances <= {modulus // step, -(-modulus // step)}
