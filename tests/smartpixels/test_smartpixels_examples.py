"""The committed networks: what they are, how well they do, and that their samples can be remade."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lgn_hdl.model import Model
from lgn_hdl.network import FixedPoint
from lgn_hdl.smartpixels import CLASSES
from lgn_hdl.smartpixels.configs import PRESETS
from lgn_hdl.smartpixels.data import SEEDS, generated
from lgn_hdl.smartpixels.filters import load_filter
from lgn_hdl.smartpixels.gatetable import config_row, model_row

EXAMPLES = Path(__file__).parents[2] / "examples"
CASES = {"dense": (9, 0.83), "conv": (105, 0.84)}


@pytest.mark.parametrize("kind", CASES)
def test_example(kind: str) -> None:
    features, least = CASES[kind]
    found = load_filter(EXAMPLES / f"smartpixels_{kind}.lgn")
    assert isinstance(found.network, Model)
    network = found.network.network
    assert found.features == features
    assert network.inputs["x"].element == FixedPoint(11)
    assert network.classes == CLASSES
    assert found.training["trained_gates"] == PRESETS[f"{kind}-example"].gates
    with np.load(EXAMPLES / f"smartpixels_{kind}.npz") as data:
        x, y = data["x"], data["y"]
    assert x.shape == (2000, features)
    assert x.dtype == np.uint16
    reference = found.network.reference().predict(x[:500]).numpy()
    assert np.array_equal(found.classes(x[:500]), reference)
    right = (found.classes(x) == y).mean()
    assert right > least
    # 2,000 of the clusters of the recorded test: two standard deviations.
    recorded = found.training["test"]["discrete"]
    assert right == pytest.approx(recorded, abs=2 * np.sqrt(recorded * (1 - recorded) / 2000))


@pytest.mark.parametrize("kind", CASES)
def test_the_thresholds_of_the_profile_are_shared(kind: str) -> None:
    found = load_filter(EXAMPLES / f"smartpixels_{kind}.lgn")
    assert isinstance(found.network, Model)
    thresholds = found.network.network.nodes[0].layer.thresholds  # pyright: ignore
    profile = np.delete(thresholds, 0 if kind == "conv" else 8, axis=0)
    assert (profile == profile[0]).all()
    assert not (thresholds == thresholds[:1]).all()


@pytest.mark.parametrize("kind", CASES)
def test_samples_are_those_of_the_generator(kind: str) -> None:
    """Other libraries round differently in the last digit, so a count may differ now and then."""
    features, _ = CASES[kind]
    sample = generated(1000, SEEDS["test"], (features,))
    with np.load(EXAMPLES / f"smartpixels_{kind}.npz") as data:
        x, y = data["x"][:1000], data["y"][:1000]
    assert (sample.vectors[features] == x).mean() > 0.999
    assert np.array_equal(sample.classes(), y)


def test_relaxed_and_discrete_accuracy_agree() -> None:
    for kind in CASES:
        test = load_filter(EXAMPLES / f"smartpixels_{kind}.lgn").training["test"]
        assert test["discrete"] == pytest.approx(test["relaxed"], abs=0.01)


@pytest.mark.parametrize("kind", CASES)
def test_the_gate_table_counts_both_ways_alike(kind: str) -> None:
    """Gates in place of a network as of its configuration: the ORs of the pooling are no gates."""
    model = Model.read(EXAMPLES / f"smartpixels_{kind}.lgn")
    row, planned = model_row(kind, model), config_row(kind, PRESETS[f"{kind}-example"])
    assert row.gates_in_place == planned.gates_in_place
    assert row.simplified_gates is not None
    assert 0 < row.simplified_gates < planned.trained_gates
