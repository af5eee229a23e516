"""The front end with all inputs at once: adder trees, streams, latency."""

from __future__ import annotations

import numpy as np
import pytest
from circuits import members, packed, registers_on_paths, run
from front_bench import Register, drive, expected_features, integers, planned
from fronts import FRONTS, front, profile, profiles, random_inputs

from lgn_hdl.errors import BuildError
from lgn_hdl.hdl import to_rtlil
from lgn_hdl.hdl.front import Fronted, feature_terms, plan_front
from lgn_hdl.logic import StageClock
from lgn_hdl.logic.timing import DELAY_MODELS
from lgn_hdl.network import AxisSum, Concat, FixedPoint, TensorType
from lgn_hdl.network.partition import Front


@pytest.mark.parametrize("name", FRONTS)
@pytest.mark.parametrize("signed", [False, True])
def test_terms_are_the_reference(name: str, signed: bool) -> None:
    network = FRONTS[name](signed=signed)
    inputs = random_inputs(network, 100)
    elements = np.concatenate([values.reshape(100, -1) for values in inputs.values()], axis=1)
    found = feature_terms(Front(network)).evaluate(elements)
    assert np.array_equal(found, expected_features(network, inputs))


@pytest.mark.parametrize("name", FRONTS)
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(
    ("levels", "style"), [(None, "full-adders"), (1, "full-adders"), (2, "counters")]
)
def test_adder_trees(name: str, signed: bool, levels: int | None, style) -> None:
    network = FRONTS[name](signed=signed)
    plan = planned(network, levels=levels, style=style)
    inputs = random_inputs(network, 60)
    sums = plan.sums()
    assert sums.latency == plan.latency
    assert (plan.latency == 0) == (levels is None)
    found = run(sums, integers(plan.pack(inputs)))
    assert found == packed(expected_features(network, inputs), plan.number.width)


def test_an_element_that_counts_twice() -> None:
    tensor = TensorType((2, 3), FixedPoint(2, signed=True))
    network = front(
        {"a": tensor},
        ("twice", Concat(1), ("a", "a")),
        ("sum", AxisSum((1,)), "twice"),
        ("all", AxisSum((0,)), "sum"),
        ("both", Concat(0), ("sum",)),
    )
    inputs = random_inputs(network, 40)
    plan = planned(network)
    assert run(plan.sums(), integers(plan.pack(inputs))) == packed(
        expected_features(network, inputs), plan.number.width
    )


@pytest.mark.parametrize("levels", [1, 3])
def test_every_path_has_the_same_number_of_registers(levels: int) -> None:
    plan = planned(profiles(), levels=levels)
    sums = plan.sums()
    ports = [*members(sums, "i"), *members(sums, "o")]
    assert set().union(*registers_on_paths(sums, ports, ["o"])) == {plan.latency}


def test_a_sample_a_clock() -> None:
    network = profile()
    plan = planned(network, levels=2)
    inputs = random_inputs(network, 50)
    design = Fronted(
        plan=plan, classifier=Register(plan.features * plan.number.width), pipelined=True
    )
    assert design.latency == plan.latency + 1
    found, clocks = drive(design, integers(plan.pack(inputs)), 50)
    assert found == packed(expected_features(network, inputs), plan.number.width)
    assert clocks == list(range(design.latency, design.latency + 50))


@pytest.mark.parametrize("interval", [1, 5])
@pytest.mark.parametrize(("offer", "take"), [(1.0, 0.3), (0.3, 1.0), (0.7, 0.7)])
def test_gaps_and_stalls(interval: int, offer: float, take: float) -> None:
    network = profiles()
    plan = planned(network, levels=2, style="counters")
    inputs = random_inputs(network, 60)
    register = Register(plan.features * plan.number.width, interval)
    design = Fronted(plan=plan, classifier=register, pipelined=interval == 1)
    steps = integers(plan.pack(inputs))
    found, _ = drive(design, steps, 60, offer=offer, take=take, seed=3)
    assert found == packed(expected_features(network, inputs), plan.number.width)


def test_registers_follow_the_clock() -> None:
    latency = [
        plan_front(
            Front(profile(bits=6)),
            slices=False,
            style="counters",
            model=DELAY_MODELS["lut6"],
            clock=StageClock.at_mhz(mhz, DELAY_MODELS["lut6"]),
        ).latency
        for mhz in (50, 200, 400)
    ]
    assert latency[0] < latency[1] < latency[2]


def test_blocks_are_modules() -> None:
    plan = planned(profile())
    bits = plan.features * plan.number.width
    text = to_rtlil(Fronted(plan=plan, classifier=Register(bits), pipelined=True))
    modules = [line.split("\\")[1] for line in text.split("\n") if line.startswith("module ")]
    assert modules[0] == "top"
    assert {"top_front", "top_front_sum0", "top_front_sum3"} <= set(modules)
    assert text.count("attribute \\top 1") == 1


def test_a_payload_that_is_too_wide() -> None:
    shape = (8, 100, 90)
    network = front({"x": TensorType(shape, FixedPoint(1))}, ("sum", AxisSum((2,)), "x"))
    with pytest.raises(BuildError, match="72000 input bits, a port can have 1 to 65530"):
        planned(network)
    assert planned(network, slices=True).layout.size == 9001
