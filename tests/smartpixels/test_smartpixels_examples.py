"""The committed networks: what they are, how well they do, and that their samples can be remade."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from lgn_hdl.cli import main
from lgn_hdl.model import Model
from lgn_hdl.network import FixedPoint
from lgn_hdl.smartpixels import CLASSES
from lgn_hdl.smartpixels.configs import PRESETS
from lgn_hdl.smartpixels.data import SEEDS, generated
from lgn_hdl.smartpixels.filters import load_filter
from lgn_hdl.smartpixels.gatetable import config_row, model_row
from lgn_hdl.smartpixels.traincommand import CLUSTERS, LGN_SETTINGS
from lgn_hdl.smartpixels.training import Settings

EXAMPLES = Path(__file__).parents[2] / "examples"
CASES = {"dense": (9, 0.83), "conv": (105, 0.87)}


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
    reference = found.network.reference().predict(x[:200]).numpy()
    assert np.array_equal(found.classes(x[:200]), reference)
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


@pytest.mark.parametrize("kind", CASES)
def test_the_defaults_of_the_command_are_those_of_the_example(kind: str) -> None:
    """`train dense` and `train conv` without options make the example again."""
    training = load_filter(EXAMPLES / f"smartpixels_{kind}.lgn").training
    config = json.loads(json.dumps(asdict(PRESETS[f"{kind}-example"])))
    recorded = {name: value for name, value in training["config"].items() if name != "kind"}
    assert recorded == {name: config[name] for name in recorded}
    settings = dict(training["settings"])
    assert training["minutes"] < settings.pop("minutes", float("inf"))  # a limit was not reached
    assert Settings(**settings) == LGN_SETTINGS[kind]
    assert training["clusters"] == CLUSTERS[kind]


@pytest.mark.parametrize("kind", CASES)
def test_info_can_be_read(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(EXAMPLES / f"smartpixels_{kind}.lgn")
    assert main(["info", file]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) < 450
    assert any(
        line.startswith(f"training.command: python -m lgn_hdl.smartpixels train {kind} -o")
        for line in lines
    )
    assert main(["info", file, "--json"]) == 0
    training = json.loads(capsys.readouterr().out)["meta"]["training"]
    assert f"training.history: {len(training['history'])} entries" in lines


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
    assert planned.trained_gates is not None
    assert 0 < row.simplified_gates < planned.trained_gates
