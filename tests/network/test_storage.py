"""The .lgn file: what goes in comes out, whole or not at all."""

from __future__ import annotations

from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from image_networks import conv_classifier, image_of_bits, random_conv
from lgn_files import stored
from networks import bits_only, classifier, every_layer
from sparse_networks import sparse_classifier

from lgn_hdl.errors import NetworkError
from lgn_hdl.network import (
    BIT,
    AxisSum,
    FixedPoint,
    GroupSum,
    LutLayer,
    Network,
    Node,
    OrPool,
    TensorType,
    read_network,
    write_network,
)
from lgn_hdl.network.storage import network_digest

FORMATS = [FixedPoint(1), FixedPoint(12, 5, signed=True), FixedPoint(8, 0, scale=Fraction(1, 49))]


def assert_equal(one: Network, other: Network) -> None:
    assert (dict(one.inputs), one.outputs, one.classes) == (
        dict(other.inputs),
        other.outputs,
        other.classes,
    )
    assert dict(one.meta) == dict(other.meta)
    assert len(one.nodes) == len(other.nodes)
    for a, b in zip(one.nodes, other.nodes, strict=True):
        assert (a.name, a.inputs, type(a.layer)) == (b.name, b.inputs, type(b.layer))
        for field in fields(a.layer):  # pyright: ignore[reportArgumentType]
            x, y = getattr(a.layer, field.name), getattr(b.layer, field.name)
            if isinstance(x, np.ndarray):
                assert x.dtype == y.dtype
                assert np.array_equal(x, y)
            else:
                assert x == y
                assert type(x) is type(y)


@pytest.mark.parametrize(
    "network",
    [
        every_layer(),
        *(every_layer(form) for form in FORMATS),
        classifier(),
        bits_only(),
        conv_classifier(),
        sparse_classifier(),
        sparse_classifier(kind="max"),
        image_of_bits(
            random_conv(np.random.default_rng(0), 2, 3, k=6, positions=12),
            OrPool((2, 2), (2, 1), (0, 1)),
            shape=(2, 3, 4),
        ),
        Network(
            {"charges": TensorType((2, 3), FixedPoint(4))},
            (Node("profile", AxisSum((1,)), ("charges",)),),
            ("profile",),
        ),
    ],
    ids=str,
)
def test_round_trip(network: Network, tmp_path: Path) -> None:
    write_network(network, tmp_path / "a.lgn")
    back = read_network(tmp_path / "a.lgn")
    assert_equal(back, network)
    assert network_digest(back) == network_digest(network)
    write_network(back, tmp_path / "b.lgn")
    assert (tmp_path / "a.lgn").read_bytes() == (tmp_path / "b.lgn").read_bytes()


def test_masked_tensors_and_the_highest_table_bit(tmp_path: Path) -> None:
    tables = np.array([2**64 - 1, 1 << 63], np.uint64)
    network = Network(
        {"x": TensorType((6,), BIT), "slots": TensorType((3, 2), BIT, masked=True)},
        (Node("g", LutLayer(np.tile(np.arange(6, dtype=np.int32)[:, None], 2), tables), ("x",)),),
        ("g",),
    )
    write_network(network, tmp_path / "a.lgn")
    assert_equal(read_network(tmp_path / "a.lgn"), network)


def test_digest_depends_on_content_only() -> None:
    assert network_digest(classifier()) == network_digest(classifier())
    others = [
        classifier(seed=1),
        classifier(names=("a", "b", "c")),
        classifier(element=FixedPoint(8)),
        replace(classifier(), meta={}),
        replace(classifier(), outputs=("scores", "class")),
    ]
    assert len({network_digest(network) for network in [classifier(), *others]}) == 6


def test_digest_is_the_same_for_ever() -> None:
    """Reports name networks by it: a change here means a new file version."""
    tables = np.array([6, 9], np.uint64)
    network = Network(
        {"x": TensorType((2,), BIT)},
        (
            Node("gates", LutLayer(np.array([[0, 1], [1, 0]], np.int32), tables), ("x",)),
            Node("scores", GroupSum(2, tau=4.0, beta=0.5), ("gates",)),
        ),
        ("scores",),
        ("no", "yes"),
        {"source": "by hand"},
    )
    digest = "a352762767559fda8c41b0c8436e6567011c7fddc91e8c610d34254af985368c"
    assert network_digest(network) == digest


def test_nothing_else_is_left_in_the_folder(tmp_path: Path) -> None:
    for _ in range(2):
        write_network(classifier(), tmp_path / "a.lgn")
    assert [path.name for path in tmp_path.iterdir()] == ["a.lgn"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch) -> None:
    before = stored(classifier(), tmp_path)
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_network(classifier(seed=1), tmp_path / "network.lgn")
    assert [path.name for path in tmp_path.iterdir()] == ["network.lgn"]
    assert (tmp_path / "network.lgn").read_bytes() == before


def test_a_network_that_is_not_well_formed_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(NetworkError):
        write_network(replace(classifier(), outputs=("nothing",)), tmp_path / "a.lgn")
    assert not list(tmp_path.iterdir())


def test_a_million_gates(tmp_path: Path) -> None:
    gates, width = 1_000_000, 5000
    rng = np.random.default_rng(0)
    layer = LutLayer(
        rng.integers(0, width, (2, gates), dtype=np.int32),
        rng.integers(0, 16, gates, dtype=np.uint64),
    )
    network = Network({"x": TensorType((width,), BIT)}, (Node("gates", layer, ("x",)),), ("gates",))
    assert len(stored(network, tmp_path)) < 9.1 * gates
    assert_equal(read_network(tmp_path / "network.lgn"), network)


def test_a_network_is_written_in_the_oldest_version_that_holds_it(tmp_path: Path) -> None:
    versions = [stored(n, tmp_path)[8] for n in (every_layer(), conv_classifier())]
    assert versions == [1, 2]
