"""Folded class sums count what the sums count, step after step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from programs import every_input, programs, random_program, without_negative_scores

from lgn_hdl.errors import BuildError, VerifyError
from lgn_hdl.logic import evaluate
from lgn_hdl.logic.fold import evaluate_folded, fold_sums, verify_fold


@given(program=programs(), slots=st.integers(1, 9))
def test_steps_add_up_to_the_scores(program, slots: int) -> None:
    program = without_negative_scores(program)
    if not len(program.sums):
        with pytest.raises(BuildError, match="no class sums"):
            fold_sums(program, slots)
        return
    folded = fold_sums(program, slots)
    features = every_input(program)
    _, scores = evaluate(program, features)
    np.testing.assert_array_equal(evaluate_folded(program, folded, features), scores)
    assert (scores <= folded.highest).all()


@given(program=programs(), slots=st.integers(1, 9))
def test_a_class_opens_and_closes_once_and_doubles_for_every_place(program, slots: int) -> None:
    program = without_negative_scores(program)
    if not len(program.sums):
        return
    folded = fold_sums(program, slots)
    assert folded.owner[folded.opens].tolist() == list(range(len(program.sums)))
    assert folded.owner[folded.closes].tolist() == list(range(len(program.sums)))
    assert not folded.place[folded.closes].any()
    for c in range(len(program.sums)):
        fall = -np.diff(folded.place[folded.owner == c])
        assert set(fall.tolist()) <= {0, 1}


def program_with(weights: list[int], classes: int = 2):
    """A program with terms of these weights in every class."""
    program = random_program(np.random.default_rng(0), gates=60, classes=classes, terms=0)
    rng = np.random.default_rng(1)
    count = len(weights) * classes
    sums = replace(
        program.sums,
        start=np.arange(classes + 1) * len(weights),
        signal=rng.integers(2, program.num_signals, count).astype(np.int32),
        weight=np.tile(weights, classes).astype(np.int64),
        constant=np.full(classes, 300),
    )
    return replace(program, sums=sums)


def test_one_heavy_term_counts_several_times_instead_of_taking_steps_of_its_own() -> None:
    light = fold_sums(program_with([1] * 20), 8)
    heavy = fold_sums(program_with([1] * 20 + [4]), 8)
    assert light.steps == heavy.steps == 2 * 3
    verify_fold(program_with([1] * 20 + [4]), heavy)


def test_many_heavy_terms_take_steps_of_their_own() -> None:
    program = program_with([1, -4] * 16)
    folded = fold_sums(program, 8)
    verify_fold(program, folded)
    assert folded.steps == 2 * (2 + 1 + 2)  # an empty step doubles between 4 and 1
    assert folded.place.max() == 2


def test_verification_sees_a_term_that_is_lost() -> None:
    program = program_with([1, 2, 3, -1])
    folded = fold_sums(program, 3)
    verify_fold(program, folded)
    with pytest.raises(VerifyError, match="folding changes score"):
        verify_fold(program, replace(folded, negative=~folded.negative))


def test_what_cannot_be_folded_is_refused() -> None:
    program = program_with([1, 1])
    with pytest.raises(BuildError, match="at least 1"):
        fold_sums(program, 0)
    negative = replace(program.sums, constant=np.array([-1, 0]))
    with pytest.raises(BuildError, match="negative"):
        fold_sums(replace(program, sums=negative), 4)
