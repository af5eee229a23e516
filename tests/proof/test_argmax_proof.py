"""Rounds of matches are an argmax, and a wrong match or field is found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from truth import every_pattern, number, values

from lgn_hdl.flow.equivalence import never_true
from lgn_hdl.proof import argmax as under_test
from lgn_hdl.proof.aig import Aig
from lgn_hdl.proof.argmax import match_fails, pairing_faults
from lgn_hdl.proof.program import Scored, argmax


@pytest.mark.parametrize(("classes", "width"), [(1, 2), (2, 4), (3, 3), (4, 2), (5, 2), (7, 1)])
def test_the_first_of_the_largest(classes: int, width: int) -> None:
    aig = Aig(classes * width)
    scores = [aig.inputs[c * width : (c + 1) * width] for c in range(classes)]
    found = number(values(aig, argmax(aig, scores, (classes - 1).bit_length())))
    patterns = every_pattern(classes * width).reshape(-1, classes, width)
    expected = (patterns @ (1 << np.arange(width))).argmax(axis=1)
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("width", [1, 2, 5])
def test_a_match_does_not_fail(width: int) -> None:
    aig, wrong = match_fails(width)
    assert not values(aig, [wrong]).any()


def test_the_solver_says_the_same_of_wide_scores(tmp_path: Path) -> None:
    aig, wrong = match_fails(14)
    aig.write(tmp_path / "a.aig", wrong)
    assert never_true(tmp_path / "a.aig").proved is True


def _ties_to_the_right(aig: Aig, left: Scored, right: Scored) -> Scored:
    wins = aig.exceeds(left[0], right[0]) ^ 1
    score = [aig.choice(wins, x, y) for x, y in zip(right[0], left[0], strict=True)]
    return score, [aig.choice(wins, x, y) for x, y in zip(right[1], left[1], strict=True)]


def _keeps_the_left_score(aig: Aig, left: Scored, right: Scored) -> Scored:
    wins = aig.exceeds(right[0], left[0])
    return left[0], [aig.choice(wins, x, y) for x, y in zip(right[1], left[1], strict=True)]


def _signed(aig: Aig, left: Scored, right: Scored) -> Scored:
    wins = aig.exceeds(
        [*right[0][:-1], right[0][-1] ^ 1],
        [*left[0][:-1], left[0][-1] ^ 1],
    )
    score = [aig.choice(wins, x, y) for x, y in zip(right[0], left[0], strict=True)]
    return score, [aig.choice(wins, x, y) for x, y in zip(right[1], left[1], strict=True)]


@pytest.mark.parametrize("match", [_ties_to_the_right, _keeps_the_left_score, _signed])
def test_a_wrong_match_fails(match: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "match", match)
    aig, wrong = match_fails(3)
    pairs = every_pattern(6).reshape(-1, 2, 3) @ np.array([1, 2, 4])
    left, right = pairs.T
    expected = {
        _ties_to_the_right: left == right,
        _keeps_the_left_score: right > left,
        _signed: (left >= 4) != (right >= 4),
    }
    assert np.array_equal(values(aig, [wrong])[:, 0], expected[match])


@pytest.mark.parametrize("classes", range(1, 10))
def test_one_winner_of_all_classes(classes: int) -> None:
    rounds = (classes - 1).bit_length()
    assert pairing_faults(classes, rounds) == []
    if rounds:
        (fault,) = pairing_faults(classes, rounds - 1)
        assert fault == f"2 classes are left after {rounds - 1} rounds"


def test_classes_that_are_no_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first and the last meet: of equal scores, a later one can win."""

    def outside_in(field: list[range], rounds: int, match: object) -> list[range]:
        for _ in range(rounds):
            half = len(field) // 2
            pairs = zip(field[:half], field[::-1], strict=False)
            field = [match(a, b) for a, b in pairs] + field[half : len(field) - half]  # pyright: ignore
        return field

    monkeypatch.setattr(under_test, "knock_out", outside_in)
    assert "range(0, 1) and range(3, 4) meet, which are no neighbours" in pairing_faults(4, 2)[0]
