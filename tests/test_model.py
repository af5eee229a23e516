"""Model, the facade: the same answers as the PyTorch reference, and clear refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from networks import bits_only, classifier, every_layer

import lgn_hdl
from lgn_hdl.errors import LgnError, NetworkError
from lgn_hdl.network import REAL, FixedPoint, Network
from lgn_hdl.network.storage import network_digest

NETWORKS = [
    classifier(element=REAL),
    classifier(element=FixedPoint(6, 4, signed=True)),
    every_layer(REAL),
    every_layer(FixedPoint(4)),
]


def samples(network: Network, count: int = 300) -> np.ndarray:
    """Real values, some of them exactly on thresholds, some beyond every format."""
    rng = np.random.default_rng(0)
    (tensor,) = network.inputs.values()
    x = rng.uniform(-2, 2, (count, *tensor.shape))
    thresholds = network.nodes[0].layer.thresholds  # pyright: ignore
    shared = np.broadcast_to(thresholds[..., 0], tensor.shape)
    x[::3] = np.where(rng.random(x[::3].shape) < 0.5, shared, x[::3])
    x[1], x[2] = 1e30, -np.inf
    return x


@pytest.mark.parametrize("network", NETWORKS, ids=range(4))
def test_answers_are_those_of_the_reference(network: Network) -> None:
    model, x = lgn_hdl.Model(network), samples(network)
    reference = model.reference()
    scores = model.scores(x)
    assert scores.dtype == np.int64
    assert np.array_equal(scores, reference(x).numpy())
    assert np.array_equal(model.predict(x), reference.predict(x).numpy())
    assert np.array_equal(model.logits(x), reference.logits(x).numpy())
    assert len(set(model.predict(x).tolist())) > 1
    flat = x.reshape(len(x), -1)
    assert np.array_equal(model.scores(flat), scores)
    assert np.array_equal(model.scores(x.tolist()), scores)
    assert model.scores(x[:0]).shape == (0, scores.shape[1])


def test_bits() -> None:
    model = lgn_hdl.Model(bits_only())
    x = np.random.default_rng(0).integers(0, 2, (200, 6))
    expected = model.reference()(x).numpy().astype(bool)
    for kind in (np.int64, np.uint8, bool, np.float32):
        assert np.array_equal(model.bits(x.astype(kind)), expected)


def test_not_a_number_passes_no_threshold() -> None:
    model = lgn_hdl.Model(classifier(element=REAL))
    x = np.full((1, 4), np.nan)
    assert np.array_equal(model.scores(x), model.scores(np.full((1, 4), -np.inf)))
    assert np.array_equal(model.scores(x), model.reference()(x).numpy())
    with pytest.raises(NetworkError, match="NaN"):
        lgn_hdl.Model(classifier(element=FixedPoint(8))).scores(x)


def test_save_and_load(tmp_path: Path) -> None:
    for network in (*NETWORKS, bits_only()):
        model = lgn_hdl.Model(network)
        model.save(tmp_path / "model.lgn")
        for back in (
            lgn_hdl.load(tmp_path / "model.lgn"),
            lgn_hdl.Model.read(tmp_path / "model.lgn"),
        ):
            assert network_digest(back.network) == network_digest(network)
            assert back.classes == model.classes


def test_load_with_a_format_and_names(tmp_path: Path) -> None:
    lgn_hdl.Model(classifier()).save(tmp_path / "model.lgn")
    model = lgn_hdl.load(tmp_path / "model.lgn", input_format="fixed<8,2>", classes=("a", "b", "c"))
    (tensor,) = model.network.inputs.values()
    assert tensor.element == FixedPoint(8, 6, signed=True)
    assert model.classes == ("a", "b", "c")
    with pytest.raises(LgnError, match="2 class names are given for 3 scores"):
        lgn_hdl.load(tmp_path / "model.lgn", classes=("a", "b"))


def test_class_names() -> None:
    assert lgn_hdl.Model(classifier()).classes == ("0", "1", "2")
    assert lgn_hdl.Model(classifier(names=("x", "y", "z"))).classes == ("x", "y", "z")
    assert lgn_hdl.Model(bits_only()).classes == ()


def test_a_network_without_scores() -> None:
    model = lgn_hdl.Model(bits_only())
    for ask in (model.scores, model.predict, model.logits):
        with pytest.raises(NetworkError, match=r"no group sum, so it has no scores.*--groups K"):
            ask(np.zeros((1, 6)))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((3, 5)), r"input 'x': samples have shape \(3, 5\), expected \(n, 4\)"),
        (np.zeros(4), r"samples have shape \(4,\)"),
        (np.float64(1), r"samples have shape \(\)"),
        (np.zeros((2, 2, 4)), r"samples have shape \(2, 2, 4\)"),
    ],
)
def test_samples_that_do_not_fit(x: np.ndarray, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        lgn_hdl.Model(classifier()).predict(x)


@pytest.mark.parametrize("wrong", [2, -1, 0.5, np.nan])
def test_bits_are_zero_or_one(wrong: float) -> None:
    with pytest.raises(NetworkError, match="takes bits, found values other than 0 and 1"):
        lgn_hdl.Model(bits_only()).bits(np.full((1, 6), wrong))


def test_a_broken_network_has_no_model() -> None:
    network = classifier()
    with pytest.raises(NetworkError, match="'nothing' is not a tensor"):
        lgn_hdl.Model(Network(network.inputs, network.nodes, ("nothing",)))


def test_the_public_names() -> None:
    for name in lgn_hdl.__all__:
        assert getattr(lgn_hdl, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'train'"):
        _ = lgn_hdl.train
