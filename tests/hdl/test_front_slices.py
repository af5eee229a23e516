"""The front end that gets a sample slice by slice."""

from __future__ import annotations

import numpy as np
import pytest
from circuits import packed
from front_bench import Register, drive, expected_features, integers, planned, steps_of
from fronts import SLICES, front, profile, profiles, random_inputs, totals

from lgn_hdl.errors import BuildError
from lgn_hdl.hdl.front import Fronted, FrontPlan
from lgn_hdl.network import AxisSum, Concat, FixedPoint, Network, Slice, TensorType


def some_slices() -> Network:
    """Sums over slices 1 and 3 of one column, over all of slice 2, and one number as it is."""
    number = FixedPoint(9)
    return front(
        {"x": TensorType((5, 4), FixedPoint(3)), "y0": TensorType((2,), number)},
        ("odd", Slice(0, 1, 4), "x"),
        ("left", Slice(1, 0, 2), "odd"),
        ("total", AxisSum((0,)), "left"),
        ("two", Slice(0, 2, 3), "x"),
        ("twos", Concat(0), ("two", "two", "two")),
        ("three", AxisSum((0,)), "twos"),
        ("joined", Concat(0), ("total", "three")),
        ("same", Concat(0), ("joined", "joined")),
    )


FRONTS = {"profiles": profiles, "totals": totals, "some slices": some_slices}


def design_of(plan: FrontPlan, interval: int = 1) -> Fronted:
    bits = plan.features * plan.number.width
    return Fronted(plan=plan, classifier=Register(bits, interval), pipelined=interval == 1)


@pytest.mark.parametrize("name", FRONTS)
@pytest.mark.parametrize("levels", [1, 3])
def test_samples_back_to_back(name: str, levels: int) -> None:
    """A result every so many clocks as there are slices, at the latency that is told."""
    network = FRONTS[name]()
    plan = planned(network, slices=True, levels=levels)
    inputs = random_inputs(network, 30)
    whole = {n: v[:, : plan.slices] if v.ndim > 2 else v for n, v in inputs.items()}
    design = design_of(plan)
    found, clocks = drive(design, steps_of(plan, whole), 30)
    assert found == packed(expected_features(network, inputs), plan.number.width)
    last = np.arange(30) * plan.slices + plan.slices - 1
    assert clocks == (last + design.latency).tolist()


@pytest.mark.parametrize("name", FRONTS)
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("interval", [1, 9])
@pytest.mark.parametrize(("offer", "take"), [(1.0, 0.3), (0.3, 1.0), (0.7, 0.7)])
def test_gaps_and_stalls(name: str, signed: bool, interval: int, offer: float, take: float) -> None:
    if signed and name == "some slices":
        network = some_slices()
    else:
        network = FRONTS[name](signed=signed) if signed else FRONTS[name]()
    plan = planned(network, slices=True)
    inputs = random_inputs(network, 25, seed=2)
    steps = steps_of(plan, inputs)
    found, _ = drive(design_of(plan, interval), steps, 25, offer=offer, take=take, seed=5)
    assert found == packed(expected_features(network, inputs), plan.number.width)


def test_slices_that_no_feature_reads_are_passed_over() -> None:
    """Twenty slices are sent and the first four make the features."""
    network = profiles(slices=20)
    plan = planned(network, slices=True)
    assert plan.slices == SLICES
    inputs = random_inputs(network, 12)
    assert inputs["charges"].shape[1] == 20
    steps = steps_of(plan, inputs)
    found, clocks = drive(design_of(plan), steps, 12)
    assert found == packed(expected_features(network, inputs), plan.number.width)
    assert np.diff(clocks).tolist() == [20] * 11


@pytest.mark.parametrize("make", [profiles, totals])
def test_an_incomplete_sample_is_forgotten(make) -> None:
    network = make()
    plan = planned(network, slices=True)
    inputs = random_inputs(network, 20, seed=7)
    steps = steps_of(plan, inputs)
    broken, kept, rng = [], [], np.random.default_rng(1)
    # Before the first mark nothing has begun, however much comes; then some samples break off.
    broken += [*steps[1:4], *steps[1:4]]
    for sample in range(20):
        mine = steps[sample * SLICES : (sample + 1) * SLICES]
        if rng.random() < 0.4:
            broken += mine[: rng.integers(1, SLICES)]
        else:
            broken += mine
            kept.append(sample)
    assert 5 < len(kept) < 18
    found, _ = drive(design_of(plan), broken, len(kept), offer=0.8, take=0.8, seed=1)
    expected = packed(expected_features(network, inputs), plan.number.width)
    assert found == [expected[sample] for sample in kept]


def test_the_position_is_that_of_the_same_cluster() -> None:
    """y0 counts up, charges are all the same: the features differ in y0 alone."""
    network = profiles()
    plan = planned(network, slices=True)
    inputs = random_inputs(network, 40)
    inputs["charges"][:] = inputs["charges"][5]
    inputs["y0"] = np.arange(40)[:, None]
    found, _ = drive(design_of(plan), steps_of(plan, inputs), 40, take=0.5, seed=2)
    assert [value & 63 for value in found] == list(range(40))
    assert len({value >> 6 for value in found}) == 1


def test_trees_are_shared_between_slices() -> None:
    plan = planned(profiles(), slices=True)
    assert plan.sliced is not None
    assert len(plan.pipeline.sums) == 4  # three rows and y0
    assert len(planned(profiles()).pipeline.sums) == 13
    assert not plan.sliced.accumulates
    assert planned(totals(), slices=True).collector_latency == 1


def test_refusals() -> None:
    with pytest.raises(BuildError, match="slices need a clock"):
        planned(profiles(), slices=True, levels=None)
    two = front(
        {"a": TensorType((2, 2), FixedPoint(2)), "b": TensorType((2, 2), FixedPoint(2))},
        ("both", Concat(0), ("a", "b")),
        ("sum", AxisSum((0,)), "both"),
    )
    with pytest.raises(BuildError, match=r"no input comes in slices, found a \(2, 2\), b \(2, 2\)"):
        planned(two, slices=True)
    named = front({"first": TensorType((2, 2), FixedPoint(2))}, ("sum", AxisSum((0,)), "first"))
    with pytest.raises(BuildError, match="an input is called 'first'"):
        planned(named, slices=True)
    assert planned(profile(), slices=True).slices == 3  # its rows, one a clock
    assert integers(np.array([[1, 0, 1]])) == [5]
