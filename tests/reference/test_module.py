"""The reference module: graphs, inputs, chunks, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lgn_hdl.errors import NetworkError
from lgn_hdl.network import (
    BIT,
    REAL,
    ArgMax,
    Concat,
    FixedPoint,
    GroupSum,
    LutLayer,
    Network,
    Node,
    Reshape,
    TensorType,
    Thermometer,
)
from lgn_hdl.reference import Reference, module


def xor_pairs(width: int) -> LutLayer:
    index = np.arange(width, dtype=np.int32)
    return LutLayer(np.stack([index, np.roll(index, 1)]), np.full(width, 0b0110, dtype=np.uint64))


def small(element=REAL) -> Network:
    """Thermometer, reshape, one layer of gates, sums of two groups."""
    return Network(
        inputs={"x": TensorType((2, 3), element)},
        nodes=(
            Node("bits", Thermometer(np.array([[[0.5, 1.5]]]), axis=1), ("x",)),
            Node("flat", Reshape((12,)), ("bits",)),
            Node("gates", xor_pairs(12), ("flat",)),
            Node("scores", GroupSum(2, tau=4.0, beta=0.5), ("gates",)),
            Node("class", ArgMax(), ("scores",)),
        ),
        outputs=("class", "scores"),
    )


def by_hand(x: np.ndarray) -> np.ndarray:
    bits = (x[..., None] > np.array([0.5, 1.5])).reshape(len(x), -1)
    gates = bits ^ np.roll(bits, 1, axis=1)
    return gates.reshape(len(x), 2, 6).sum(-1)


def test_scores_logits_and_classes() -> None:
    x = np.random.default_rng(0).uniform(-1, 3, (200, 2, 3))
    ref, scores = Reference(small()), by_hand(x)
    assert torch.equal(ref(x), torch.tensor(scores))
    assert ref(x).dtype == torch.int64
    assert torch.equal(ref.logits(x), torch.tensor((scores + 0.5) / 4.0))
    assert torch.equal(ref.predict(x), torch.tensor((scores[:, 1] > scores[:, 0]).astype(int)))
    assert set(ref.outputs(x)) == {"class", "scores"}
    assert torch.equal(ref.outputs(x)["class"], ref.predict(x))


def test_every_tensor_can_be_seen() -> None:
    x = torch.rand(5, 2, 3)
    ref = Reference(small())
    assert torch.equal(ref.tensor(x, "x"), x.double())
    assert ref.tensor(x, "flat").shape == (5, 12)
    assert torch.equal(ref.tensor(x, "gates").unflatten(1, (2, 6)).sum(-1), ref(x))
    with pytest.raises(NetworkError, match="no tensor 'nothing'"):
        ref.tensor(x, "nothing")


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(1).uniform(-1, 3, (100, 2, 3))
    whole = Reference(small()).outputs(x)
    monkeypatch.setattr(module, "CHUNK_BYTES", 1)
    monkeypatch.setattr(module, "CHUNK_SAMPLES", 1)
    single = Reference(small()).outputs(x)
    assert all(torch.equal(whole[name], single[name]) for name in whole)


def test_an_empty_batch() -> None:
    assert Reference(small())(np.zeros((0, 2, 3))).shape == (0, 2)
    assert Reference(small()).predict(np.zeros((0, 2, 3))).shape == (0,)


def test_fixed_point_inputs_are_quantised_first() -> None:
    ref = Reference(small(FixedPoint(2)))
    x = np.array([[[0.4, 0.5, 0.6], [1.5, 2.5, 99.0]]])
    stored = ref.tensor(x, "x")
    assert stored.dtype == torch.int64
    assert stored.tolist() == [[[0, 0, 1], [2, 2, 3]]]
    assert torch.equal(ref(x), torch.tensor(by_hand(stored.numpy())))
    with pytest.raises(NetworkError, match="NaN"):
        ref(np.full((1, 2, 3), np.nan))


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.float64, np.bool_])
def test_bits_of_any_dtype(dtype: type) -> None:
    network = Network(
        {"x": TensorType((4,), BIT)}, (Node("gates", xor_pairs(4), ("x",)),), ("gates",)
    )
    x = np.array([[0, 1, 1, 0]], dtype=dtype)
    out = Reference(network)(x)
    assert out.tolist() == [[0, 1, 0, 1]]
    with pytest.raises(NetworkError, match="no scores"):
        Reference(network).predict(x)
    with pytest.raises(NetworkError, match="no scores"):
        Reference(network).logits(x)


@pytest.mark.parametrize("value", [2, -1, 0.5, 256, np.nan])
def test_bits_that_are_none(value: float) -> None:
    network = Network(
        {"x": TensorType((2,), BIT)}, (Node("gates", xor_pairs(2), ("x",)),), ("gates",)
    )
    with pytest.raises(NetworkError, match="other than 0 and 1"):
        Reference(network)(np.array([[0, value]]))


def test_several_inputs_and_a_graph_that_joins() -> None:
    network = Network(
        inputs={"a": TensorType((2,), BIT), "b": TensorType((3,), BIT)},
        nodes=(Node("both", Concat(0), ("a", "b")), Node("gates", xor_pairs(5), ("both",))),
        outputs=("gates", "both", "a"),
    )
    ref = Reference(network)
    x = {"a": np.array([[1, 0]]), "b": np.array([[1, 1, 0]])}
    found = ref.outputs(x)
    assert found["both"].tolist() == [[1, 0, 1, 1, 0]]
    assert found["gates"].tolist() == [[1, 1, 1, 0, 1]]
    assert found["a"].tolist() == [[1, 0]]
    with pytest.raises(NetworkError, match="expected \\['a', 'b'\\]"):
        ref({"a": x["a"]})
    with pytest.raises(NetworkError, match="different numbers of samples"):
        ref({"a": np.zeros((2, 2)), "b": np.zeros((1, 3))})


def test_wrong_shape_says_both() -> None:
    with pytest.raises(NetworkError, match=r"has shape \(7, 6\), expected a batch of \(2, 3\)"):
        Reference(small())(np.zeros((7, 6)))
