"""Sparse CNNs evaluated on whole frames and on slots: two formulations, one answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sparse_networks import sparse_classifier, sparse_decision, sparse_images

from lgn_hdl import Model
from lgn_hdl.errors import NetworkError
from lgn_hdl.logic.frames import evaluate_frames, kept_pixels
from lgn_hdl.network import (
    ArgMax,
    FixedPoint,
    InputReduce,
    Network,
    Node,
    Quantize,
    Reshape,
    Thermometer,
)
from lgn_hdl.network.chain import sparse_chain
from lgn_hdl.reference import Reference


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["average", "max"])
def test_scores_are_those_of_the_reference(kind: str, seed: int) -> None:
    network = sparse_classifier(kind=kind, slots=3 + seed, seed=seed)
    images = sparse_images(np.random.default_rng(seed), 150, (2, 7, 9), 0.1)
    number = network.inputs["x"].element
    assert isinstance(number, FixedPoint)
    bits, scores = evaluate_frames(network, number.quantize(images).reshape(150, -1))
    wanted = Reference(network).outputs(images)
    assert np.array_equal(scores, wanted["dense"].numpy())
    assert bits.shape == (150, 0)
    assert len(np.unique(scores, axis=0)) > 50
    model = Model(network)
    assert np.array_equal(model.predict(images), wanted["class"].numpy())
    assert np.array_equal(model.logits(images), scores * float(network.types["dense"].element.step))


@pytest.mark.parametrize("seed", [0, 2, 8])
def test_decision_is_that_of_the_reference(seed: int) -> None:
    network = sparse_decision(seed=seed)
    images = sparse_images(np.random.default_rng(seed), 100, (1, 7, 9), 0.1)
    model, wanted = Model(network), Reference(network).outputs(images)
    assert np.array_equal(model.bits(images), wanted["decision"].numpy().astype(bool))
    assert np.array_equal(model.scores(images), wanted["last"].numpy())
    assert np.array_equal(model.predict(images), wanted["decision"].numpy()[:, 0])
    assert np.array_equal(model.predict(images), Reference(network).predict(images).numpy())
    assert np.array_equal(model.predict(images), model.logits(images)[:, 0] > 0)
    assert model.classes == ("background", "signal")
    assert 5 < model.predict(images).sum() < 95


def test_class_names_of_a_decision() -> None:
    network = sparse_decision()
    assert replace(network, classes=()).class_names == ("0", "1")
    with pytest.raises(NetworkError, match="3 class names are given for a decision between 2"):
        replace(network, classes=("a", "b", "c")).validate()


def test_the_first_pixels_in_raster_order_are_kept() -> None:
    x = np.zeros((1, 2, 3, 4), np.int64)
    x[0, 0, [0, 0, 1, 2], [1, 3, 0, 2]] = [5, 2, 9, 9]
    active, kept = kept_pixels(x, InputReduce(2, 0.5), FixedPoint(4, 2))
    # 2 is a half, which is not above the threshold.
    assert np.argwhere(active[0]).tolist() == [[0, 1], [1, 0], [2, 2]]
    assert np.argwhere(kept[0]).tolist() == [[0, 1], [1, 0]]


def reordered(network: Network, nodes: list[Node], outputs: tuple[str, ...]) -> Network:
    return replace(network, nodes=tuple(nodes), outputs=outputs, classes=())


def test_networks_without_a_choice_have_scores() -> None:
    network = sparse_classifier()
    bare = reordered(network, list(network.nodes[:-1]), ("dense",))
    assert bare.scores == "dense"
    images = sparse_images(np.random.default_rng(0), 9, (2, 7, 9), 0.1)
    assert np.array_equal(Model(bare).predict(images), Model(network).predict(images))
    rounded = Node("rounded", Quantize(FixedPoint(6, 2, signed=True)), ("dense",))
    bare = reordered(network, [*network.nodes[:-1], rounded], ("rounded",))
    assert bare.scores == "rounded"
    assert np.array_equal(
        Model(bare).scores(images), Reference(bare).tensor(images, "rounded").numpy()
    )


def test_a_decision_of_a_rounded_number() -> None:
    network = sparse_decision()
    last = Node("rounded", Quantize(FixedPoint(5, 1, signed=True)), ("last",))
    decision = replace(network.nodes[-1], inputs=("rounded",))
    made = reordered(network, [*network.nodes[:-1], last, decision], ("decision",))
    assert (made.scores, made.decision) == ("rounded", "decision")
    images = sparse_images(np.random.default_rng(1), 30, (1, 7, 9), 0.1)
    assert np.array_equal(Model(made).predict(images), Reference(made).predict(images).numpy())


def test_a_decision_of_several_numbers_is_refused() -> None:
    network = sparse_classifier()
    node = Node("decision", Thermometer(np.zeros((1, 1)), axis=0), ("dense",))
    made = reordered(network, [*network.nodes[:-1], node], ("decision", "dense"))
    with pytest.raises(NetworkError, match="compares 4 numbers with 1 thresholds, expected one"):
        Model(made).predict(np.zeros((1, 2, 7, 9)))


def test_no_samples() -> None:
    for network, shape in ((sparse_classifier(), (2, 7, 9)), (sparse_decision(), (1, 7, 9))):
        model, none = Model(network), np.zeros((0, *shape))
        assert model.predict(none).shape == (0,)
        assert model.scores(none).shape == (0, len(network.class_names) if shape[0] == 2 else 1)


def test_images_the_wrong_way_round() -> None:
    model = Model(sparse_classifier())
    images = sparse_images(np.random.default_rng(0), 4, (2, 7, 9), 0.1)
    flat = model.scores(images.reshape(4, -1))
    assert np.array_equal(flat, model.scores(images))
    with pytest.raises(NetworkError, match=r"shape \(4, 7, 9, 2\), expected \(n, 2, 7, 9\)"):
        model.scores(images.transpose(0, 2, 3, 1))
    one = Model(sparse_decision())
    single = sparse_images(np.random.default_rng(0), 4, (1, 7, 9), 0.1)
    assert np.array_equal(one.scores(single), one.scores(single.transpose(0, 2, 3, 1)))


def test_what_is_no_chain() -> None:
    network = sparse_classifier()
    nodes = list(network.nodes)
    assert sparse_chain(network) is not None
    twice = Node("again", nodes[-3].layer, ("relu2",))
    with pytest.raises(NetworkError, match=r"reads relu2, expected flat.*follow each other"):
        sparse_chain(reordered(network, [*nodes[:-2], twice], ("again",)))
    with pytest.raises(NetworkError, match=r"a InputReduce in a sparse network, expected a flat"):
        sparse_chain(reordered(network, nodes[:1], ("reduce",)))
    with pytest.raises(NetworkError, match=r"a SparseFlatten .* expected a dense layer behind"):
        sparse_chain(reordered(network, nodes[:-2], ("flat",)))
    late = Node("late", Reshape((2, 2)), ("dense",))
    with pytest.raises(NetworkError, match=r"a Reshape .* expected at most an argmax"):
        sparse_chain(reordered(network, [*nodes[:-1], late], ("late",)))
    assert isinstance(nodes[-1].layer, ArgMax)
