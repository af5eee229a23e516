"""Samples to bytes and bytes to answers, against plain Python."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgn_hdl.errors import VerifyError
from lgn_hdl.host.payload import pack_samples, unpack_results
from lgn_hdl.link import Identity

IDENTITY = Identity(
    digest=bytes(32),
    clock_hz=12_000_000,
    baud=1_000_000,
    gap_us=10_000,
    features=4,
    feature_width=6,
    feature_signed=True,
    feature_fraction=4,
    classes=5,
    class_width=3,
    score_width=7,
    bits=9,
    latency=5,
    interval=1,
    board="none",
    generator="none",
)


@given(
    st.integers(1, 62).flatmap(
        lambda width: st.tuples(
            st.just(width),
            st.lists(
                st.lists(
                    st.integers(-(1 << width - 1), (1 << width) - 1).filter(
                        lambda value: value < 2**62
                    ),
                    min_size=3,
                    max_size=3,
                ),
                max_size=4,
            ),
        )
    )
)
def test_samples(case: tuple[int, list[list[int]]]) -> None:
    width, rows = case
    packed = pack_samples(np.array(rows, np.int64).reshape(-1, 3), width)
    mask = (1 << width) - 1
    expected = [sum((value & mask) << width * k for k, value in enumerate(row)) for row in rows]
    assert packed.shape == (len(rows), -(-3 * width // 8))
    assert [int.from_bytes(row.tobytes(), "little") for row in packed] == expected


def test_many_samples_are_packed_in_blocks() -> None:
    features = np.random.default_rng(0).integers(0, 2, (50_000, 400))
    packed = pack_samples(features, 1)
    assert np.array_equal(packed, np.packbits(features, axis=1, bitorder="little"))


def result(
    scores: list[int], winner: int, bits: list[int], identity: Identity = IDENTITY
) -> np.ndarray:
    """The bytes of one result, fields from the lowest bit."""
    value, at = 0, 0
    if identity.class_width:
        value, at = winner, identity.class_width
    for score in scores:
        value |= score << at
        at += identity.score_width
    for bit in bits:
        value |= bit << at
        at += 1
    return np.frombuffer(value.to_bytes(identity.result_bytes, "little"), np.uint8)


@given(
    st.lists(st.integers(0, 127), min_size=5, max_size=5),
    st.lists(st.integers(0, 1), min_size=9, max_size=9),
)
def test_results(scores: list[int], bits: list[int]) -> None:
    winner = scores.index(max(scores))
    answers = unpack_results(np.stack([result(scores, winner, bits)] * 2), IDENTITY)
    assert answers.classes is not None
    assert answers.scores is not None
    assert answers.bits is not None
    assert answers.classes.tolist() == [winner] * 2
    assert answers.scores.tolist() == [scores] * 2
    assert answers.bits.tolist() == [[bool(bit) for bit in bits]] * 2


def test_fields_that_are_absent() -> None:
    scores_only = replace(IDENTITY, class_width=0, bits=0)
    answers = unpack_results(result([1, 2, 3, 4, 5], 0, [], scores_only)[None], scores_only)
    assert answers.classes is None
    assert answers.bits is None
    assert answers.scores is not None
    assert answers.scores.tolist() == [[1, 2, 3, 4, 5]]
    class_only = replace(IDENTITY, score_width=0, bits=0)
    answers = unpack_results(result([], 4, [], class_only)[None], class_only)
    assert answers.scores is None
    assert answers.classes is not None
    assert answers.classes.tolist() == [4]


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        (result([1, 2, 3, 4, 5], 3, [0] * 9), r"sample 1 class 3 of 5 and scores \[1, 2, 3, 4, 5"),
        (result([5, 5, 0, 0, 0], 1, [0] * 9), "sample 1 class 1 of 5"),  # ties: the lowest index
        (result([0, 0, 0, 0, 9], 7, [0] * 9), "sample 1 class 7 of 5"),
        (result([9, 0, 0, 0, 0], 0, [0] * 9) | np.array([0, 0, 0, 0, 0, 0x80], np.uint8), "padd"),
    ],
)
def test_results_that_contradict_themselves(packed: np.ndarray, message: str) -> None:
    good = result([9, 0, 0, 0, 0], 0, [1] * 9)
    with pytest.raises(VerifyError, match=message):
        unpack_results(np.stack([good, packed]), IDENTITY)


def test_scores_too_wide_for_an_integer() -> None:
    wide = replace(IDENTITY, score_width=63)
    with pytest.raises(VerifyError, match="63 bits"):
        unpack_results(np.zeros((1, wide.result_bytes), np.uint8), wide)


@given(st.lists(st.integers(-64, 63), min_size=5, max_size=5))
def test_signed_scores(scores: list[int]) -> None:
    identity = replace(IDENTITY, score_signed=True, bits=0)
    stored = [score & 127 for score in scores]
    answers = unpack_results(
        result(stored, scores.index(max(scores)), [], identity)[None], identity
    )
    assert answers.scores is not None
    assert answers.scores.tolist() == [scores]
