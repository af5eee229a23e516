"""The front end in hardware makes the features that the networks were trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import lgn_hdl
from lgn_hdl.errors import LgnError
from lgn_hdl.network import (
    REAL,
    ArgMax,
    GroupSum,
    LutLayer,
    Network,
    Node,
    TensorType,
    Thermometer,
)
from lgn_hdl.network.partition import front_of, with_front
from lgn_hdl.reference import Reference
from lgn_hdl.smartpixels import Clusters, Digitiser, feature_vectors, generate
from lgn_hdl.smartpixels.features import FEATURES
from lgn_hdl.smartpixels.front import front_inputs, front_network

DIGITISERS = [
    Digitiser(),
    Digitiser(adc_step=1000.0, adc_bits=3),
    Digitiser(adc_step=50.0, adc_bits=8),
    Digitiser(adc_bits=1, y0_rows=40_000),
]


@pytest.fixture(scope="module")
def clusters() -> Clusters:
    """Generated clusters, one that saturates every pixel, and one without charge."""
    some = generate(60, 11)
    charges = some.charges.copy()
    charges[0], charges[1] = 1e9, 0
    return Clusters(charges, some.labels)


@pytest.mark.parametrize("features", FEATURES)
@pytest.mark.parametrize("digitiser", DIGITISERS)
def test_features_are_equal(features: int, digitiser: Digitiser, clusters: Clusters) -> None:
    front = front_network(features, digitiser)
    assert front.types["features"] == TensorType((features,), digitiser.format)
    found = Reference(front).tensor(front_inputs(clusters, features, digitiser), "features")
    assert np.array_equal(found.numpy(), feature_vectors(clusters, features, digitiser))


def test_default_formats() -> None:
    front = front_network(105)
    assert {name: str(tensor) for name, tensor in front.inputs.items()} == {
        "charges": "ufixed<6,6>[8x13x21]",
        "y0": "ufixed<11,11>[1]",
    }
    assert list(front.inputs) == ["charges", "y0"]


def test_what_is_not_there(clusters: Clusters) -> None:
    with pytest.raises(LgnError, match="no vector of 13 features"):
        front_network(13)
    with pytest.raises(LgnError, match="no vector of 13 features"):
        front_inputs(clusters, 13)
    last = Clusters(clusters.charges[:, -1:], clusters.labels)
    assert front_inputs(last, 14)["charges"].shape == (60, 13, 21)
    with pytest.raises(LgnError, match=r"1 time slice\(s\), 8 are needed"):
        front_inputs(last, 105)


def trained(features: int) -> Network:
    """A network of the shape of a trained one: thresholds at quantiles, gates at random."""
    rng = np.random.default_rng(features)
    x = feature_vectors(generate(200, 5), features)
    thresholds = np.quantile(x, [0.3, 0.6, 0.9], axis=0).T + 0.5

    def gates(inputs: int, outputs: int) -> LutLayer:
        wires = rng.integers(0, inputs, (2, outputs), dtype=np.int32)
        return LutLayer(wires, rng.integers(1, 15, outputs, dtype=np.uint64))

    return Network(
        {"x": TensorType((features,), REAL)},
        (
            Node("bits", Thermometer(thresholds, 0), ("x",)),
            Node("gates", gates(3 * features, 90), ("bits",)),
            Node("scores", GroupSum(3), ("gates",)),
            Node("class", ArgMax(), ("scores",)),
        ),
        ("class", "scores"),
        ("high pT", "low pT-", "low pT+"),
    ).validate()


@pytest.mark.parametrize(
    ("features", "form"), [(14, "whole"), (105, "slices"), (105, "whole"), (9, "whole")]
)
def test_pixels_to_decision(features: int, form, clusters: Clusters, tmp_path: Path) -> None:
    """The Verilog of front end and network gives the class of the trained network."""
    model = lgn_hdl.Model(trained(features))
    whole = lgn_hdl.Model(with_front(front_network(features), model.network))
    assert front_of(whole.network)[0] is not None
    expected = model.predict(feature_vectors(clusters, features))
    x = front_inputs(clusters, features)
    assert np.array_equal(whole.predict(x), expected)
    assert len(set(expected.tolist())) > 1
    samples = tmp_path / "clusters.npz"
    np.savez(samples, x_charges=x["charges"], x_y0=x["y0"], y=expected)
    result = lgn_hdl.build(
        whole,
        tmp_path / "out",
        front=form,
        clock_mhz=200,
        samples=samples,
        vectors=30 if features == 105 else 60,
    )
    assert result.report.model.accuracy is not None
    assert result.report.model.accuracy["accuracy"] == 1.0
    assert result.report.pipeline.initiation_interval == (8 if form == "slices" else 1)
    assert lgn_hdl.simulate(result.path).samples == (30 if features == 105 else 60)
