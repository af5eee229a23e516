"""Input comparisons in every number format and integer type, against Python integers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgn_hdl.errors import NetworkError
from lgn_hdl.logic import LogicProgram, WeightedSums, evaluate, evaluate_signals, inputbits
from lgn_hdl.network import FixedPoint

FORMATS = [
    FixedPoint(width, signed=signed)
    for width in (1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 62)
    for signed in (False, True)
]


def comparing(form: FixedPoint, features: int, pairs: list[tuple[int, int]]) -> LogicProgram:
    """A program of comparisons of (feature, threshold) and nothing else."""
    empty = np.zeros(0, np.int64)
    return LogicProgram(
        form,
        features,
        np.array([feature for feature, _ in pairs], np.int32),
        np.array([threshold for _, threshold in pairs], np.int64),
        np.zeros((0, 2), np.int32),
        np.zeros(0, np.uint8),
        np.zeros(0, np.uint64),
        np.arange(2, 2 + len(pairs), dtype=np.int32),
        WeightedSums(np.zeros(1, np.int64), empty, empty, empty),
    ).check()


def types_for(form: FixedPoint) -> list[type]:
    every = [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64]
    low, high = form.min_int, form.max_int
    holds = [t for t in every if np.iinfo(t).min <= low and high <= np.iinfo(t).max]
    return [bool, *holds] if (low, high) == (0, 1) else holds


def edges(form: FixedPoint) -> st.SearchStrategy[int]:
    """Integers of the format, often near its ends and near zero."""
    low, high = form.min_int, form.max_int
    near = {low, low + 1, -1, 0, 1, high - 1, high}
    return st.sampled_from([n for n in sorted(near) if low <= n <= high]) | st.integers(low, high)


@given(st.data(), st.sampled_from(FORMATS))
def test_every_format_type_and_threshold(data, form: FixedPoint) -> None:
    features = data.draw(st.integers(1, 3))
    far = st.sampled_from([-(1 << 63), form.min_int - 1, form.max_int, form.max_int + 1, 1 << 62])
    pair = st.tuples(st.integers(0, features - 1), edges(form) | far)
    program = comparing(form, features, data.draw(st.lists(pair, max_size=6)))
    row = st.lists(edges(form), min_size=features, max_size=features)
    values = data.draw(st.lists(row, min_size=1, max_size=70))
    kind = data.draw(st.sampled_from(types_for(form)))
    found, _ = evaluate(program, np.array(values).astype(kind))
    thresholds = program.input_threshold.tolist()
    expected = [
        [row[f] > t for f, t in zip(program.input_feature, thresholds, strict=True)]
        for row in values
    ]
    assert found.tolist() == expected


@pytest.mark.parametrize("form", [FixedPoint(1), FixedPoint(8)])
@pytest.mark.parametrize("samples", [1, 64, 129, 1000])
def test_many_rows_and_samples(form: FixedPoint, samples: int, monkeypatch) -> None:
    monkeypatch.setattr(inputbits, "_CHUNK_BYTES", 3000)
    rng = np.random.default_rng(samples)
    x = rng.integers(0, form.max_int + 1, (samples, 37))
    pairs = [(int(f), int(t)) for f, t in rng.integers(0, [37, form.max_int], (50, 2))]
    program = comparing(form, 37, pairs)
    expected = np.stack([x[:, f] > t for f, t in pairs], axis=1)
    for layout in (x, np.asfortranarray(x), np.repeat(x, 2, axis=1)[:, ::2]):
        assert np.array_equal(evaluate(program, layout)[0], expected)


def test_no_features() -> None:
    program = comparing(FixedPoint(1), 0, [])
    chosen = evaluate_signals(program, np.zeros((70, 0), np.int64), np.array([1, 0]))
    assert np.array_equal(chosen, np.tile([True, False], (70, 1)))


@pytest.mark.parametrize(
    ("form", "features", "message"),
    [
        (FixedPoint(1), np.zeros(2, int), r"features have shape \(2,\), expected \(n, 2\)"),
        (FixedPoint(1), np.zeros((4, 3), int), r"have shape \(4, 3\), expected \(n, 2\)"),
        (FixedPoint(1), np.zeros((4, 2)), "are of type float64, expected integers"),
        (FixedPoint(1), np.array([[0, 1], [2, 0]]), "feature 0 of a sample is 2, "),
        (
            FixedPoint(3),
            np.array([[0, -1]]),
            r"feature 1 .* is -1, expected 0 to 7 \(ufixed<3,3>\)",
        ),
        (FixedPoint(2, signed=True), np.array([[0, 0], [0, 2]]), "is 2, expected -2 to 1"),
    ],
)
def test_what_is_refused(form: FixedPoint, features: np.ndarray, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        evaluate(comparing(form, 2, [(0, 0)]), features)
