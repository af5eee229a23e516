"""A sample that shows a difference: decoded, made simple, told so that it can be tried."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from networks import bits_only, classifier
from programs import every_input

from lgn_hdl.compiler.design import plan
from lgn_hdl.compiler.options import BuildOptions
from lgn_hdl.network import FixedPoint, Network
from lgn_hdl.proof.circuits import Circuits
from lgn_hdl.proof.counterexample import Comparison
from lgn_hdl.reference import Reference

FORMATS = [
    FixedPoint(1),
    FixedPoint(2, 1, signed=True),
    FixedPoint(40, 38, signed=True),
    FixedPoint.parse("fixed<8,4>*1/7"),
    FixedPoint(62),
]


def circuits_of(network: Network, **options: object) -> Circuits:
    resolved = BuildOptions(**options).resolved()  # pyright: ignore[reportArgumentType]
    design = plan(network, resolved)
    return Circuits.of(design.network, design.program, design.pipeline, design.options.argmax)


@pytest.mark.parametrize("number", FORMATS, ids=str)
def test_features_are_numbers_of_the_format(number: FixedPoint) -> None:
    circuits = circuits_of(classifier(element=number))
    rng = np.random.default_rng(0)
    features = rng.integers(number.min_int, number.max_int, (50, 4), endpoint=True)
    features[0], features[1], features[2] = number.min_int, number.max_int, 0
    bits = circuits.input_bits(features)
    assert np.array_equal(circuits.features(bits), features)
    # Feature 1 stands above feature 0, in two's complement.
    low = bits[:, :-2] @ np.array([1 << i for i in range(4 * number.width)], object)
    mask = (1 << number.width) - 1
    second = [x & mask for x in features[:, 1].tolist()]
    assert [int(n) >> number.width & mask for n in low] == second


def damaged(circuits: Circuits, features: dict[int, int], field: str) -> Comparison:
    """Hardware that is right but where some features have certain values: then a bit is wrong."""
    aig, width = circuits.aig, circuits.number.width
    rare = 1
    for feature, value in features.items():
        for place in range(width):
            bit = aig.inputs[feature * width + place]
            rare = aig.conjunction(rare, bit ^ 1 ^ (value >> place & 1))
    fields = circuits.intended()
    first, *others = fields[field]
    return Comparison(circuits, {**fields, field: [aig.exclusive(first, rare), *others]})


def test_right_hardware_has_no_counterexample() -> None:
    circuits = circuits_of(classifier(element=FixedPoint(2, 1, signed=True)))
    comparison = Comparison(circuits, circuits.intended())
    assert comparison.confirm(every_input(circuits.program)) is None
    assert comparison.search(0) is None


@pytest.mark.parametrize("field", ["class", "score 0", "score 2"])
def test_only_the_features_that_matter_are_left(field: str) -> None:
    number = FixedPoint(4, 2, signed=True)
    circuits = circuits_of(classifier(element=number))
    comparison = damaged(circuits, {0: -5, 3: 3}, field)
    found = comparison.confirm(np.array([[1, 1, 1, 1], [-5, 7, -8, 3], [-5, 0, 0, 3]]))
    assert found is not None
    assert found.features.tolist() == [-5, 0, 0, 3]
    assert found.real.tolist() == [-1.25, 0, 0, 0.75]
    outputs = Reference(circuits.network).outputs(found.real[None])
    scores = outputs["scores"][0].tolist()
    assert found.expected.tolist() == [int(outputs["class"][0]), *scores]
    differ = np.flatnonzero(found.expected != found.found)
    assert [found.names[i] for i in differ] == [field]
    assert abs(found.expected - found.found).sum() == 1
    wrong, right = found.found[differ[0]], found.expected[differ[0]]
    assert str(found) == (
        "for x[0] = -1.25, x[3] = 0.75, every other feature 0 "
        f"the hardware gives {field} = {wrong}, expected {right}"
    )


def test_all_features_can_be_zero() -> None:
    circuits = circuits_of(classifier(element=FixedPoint(3)))
    comparison = damaged(circuits, {}, "score 1")
    found = comparison.confirm(np.full((1, 4), 7))
    assert found is not None
    assert str(found).startswith("for every feature 0 the hardware gives score 1 = ")


def test_bits_are_told_one_by_one() -> None:
    circuits = circuits_of(bits_only(), argmax=False)
    fields = circuits.intended()
    first, second, *others = fields["bits"]
    swapped = Comparison(circuits, replace_bits(fields, [second, first, *others]))
    found = swapped.search(0)
    assert found is not None
    assert set(re.findall(r"bit \d", str(found))) == {"bit 0", "bit 1"}
    expected = Reference(circuits.network).outputs(found.features[None])["gates"][0].tolist()
    assert found.expected.tolist() == expected
    assert found.found.tolist() == [expected[1], expected[0], *expected[2:]]


def replace_bits(fields: dict[str, list[int]], bits: list[int]) -> dict[str, list[int]]:
    return {**fields, "bits": bits}


@pytest.mark.parametrize("number", [FORMATS[2], FORMATS[3]], ids=str)
def test_the_sample_that_is_told_is_the_sample(number: FixedPoint) -> None:
    """Also where six digits would be another number."""
    circuits = circuits_of(classifier(element=number))
    sample = np.array([[number.max_int - 2, number.min_int + 1, 1, 3]])
    comparison = damaged(circuits, dict(enumerate(sample[0].tolist())), "score 0")
    found = comparison.confirm(sample)
    assert found is not None
    told = [float(text) for text in re.findall(r"x\[\d\] = (\S+?),? ", str(found))]
    assert np.array_equal(number.quantize(np.array(told)), sample[0])


def test_a_rare_difference_is_not_made_common() -> None:
    """Setting a feature to zero is undone where the difference goes away with it."""
    circuits = circuits_of(classifier(element=FixedPoint(2)))
    sample = np.array([3, 1, 2, 3])
    found = damaged(circuits, dict(enumerate(sample.tolist())), "score 0").confirm(sample[None])
    assert found is not None
    assert np.array_equal(found.features, sample)
    other = replace(found, features=np.zeros(4, np.int64))
    assert "every feature 0" in str(other)
