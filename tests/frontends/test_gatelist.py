"""Gate lists: the four forms, what they mean, and what is refused."""

from __future__ import annotations

import io
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lgn_hdl.errors import FormatError, LgnError, NetworkError
from lgn_hdl.frontends import load_network
from lgn_hdl.frontends.assemble import gate_tables
from lgn_hdl.frontends.gatelist import (
    GateLayer,
    build,
    from_checkpoint,
    read_csv,
    read_npz,
)
from lgn_hdl.network import BIT, REAL, FixedPoint, LutLayer, Network
from lgn_hdl.reference import Reference

ARCHIVES = {
    "3x2550": ("tt10/binarized_*.npz", 3, 2550),
    "3x2000": ("tt10/baralizm_*.npz", 3, 2000),
    "8x1300": ("tt10/barabasi_*.npz", 8, 1300),
    "6x4000": ("tt10/final_*.npz", 6, 4000),
    "6x4000 trained": ("tt10/final_*.pth", 6, 4000),
    "2x4000": ("carleton/*.csv", 2, 4000),
}


def archive(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)  # pyright: ignore
    return file.getvalue()


def layers_of(network: Network) -> list[LutLayer]:
    return [node.layer for node in network.nodes if isinstance(node.layer, LutLayer)]


def random_layers(rng: np.random.Generator, inputs: int, sizes: list[int]) -> list[GateLayer]:
    found, width = [], inputs
    for i, size in enumerate(sizes):
        a, b = rng.integers(0, width, (2, size), dtype=np.int32)
        found.append(GateLayer(a, b, rng.integers(0, 16, size, dtype=np.uint8), f"layer {i}"))
        width = size
    return found


def by_hand(layers: list[GateLayer], x: np.ndarray) -> np.ndarray:
    for layer in layers:
        a, b = x[:, layer.a], x[:, layer.b]
        x = (layer.gate >> (3 - (2 * a + b))) & 1
    return x


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_every_form_computes_what_its_gates_say(seed: int) -> None:
    rng = np.random.default_rng(seed)
    layers = random_layers(rng, 9, [8, 8])
    x = rng.integers(0, 2, (64, 9), dtype=np.uint8)
    expected = by_hand(layers, x)
    a, b = (np.stack([getattr(layer, key) for layer in layers]) for key in "ab")
    gates = np.stack([layer.gate for layer in layers]).astype(np.int64)
    weights = [torch.nn.functional.one_hot(torch.tensor(g), 16).T.float() for g in gates]
    wires = [[torch.tensor(row) for row in side] for side in (a, b)]
    named = {
        f"layer{i}.{key}": getattr(layer, name)
        for i, layer in enumerate(layers)
        for key, name in (("a", "a"), ("b", "b"), ("gate", "gate"))
    }
    rows = [f"{gates[i, n]},{i + 1},{b[i, n]},{a[i, n]},{n}" for i in range(2) for n in range(8)]
    rng.shuffle(rows)
    text = "\n".join(["gate_id,layer,input_b,input_a,neuron", *rows])
    state = {"layers.0.w": weights[0], "layers.1.w": weights[1], "connections": wires}
    forms = [
        layers,
        read_npz(archive(**named)),
        read_npz(archive(gate_types=gates, **{"connections.A": a, "connections.B": b})),
        read_csv(text.encode()),
        from_checkpoint(state),
    ]
    for form in forms:
        network = build(form, inputs=9)
        assert network.inputs["x"].element == BIT
        assert torch.equal(Reference(network)(x), torch.tensor(expected))


def test_tables_are_the_bit_reversal_of_gate_ids() -> None:
    assert gate_tables(np.array([1, 3, 5, 6, 14, 15, 2], dtype=np.uint8)).tolist() == [
        0b1000, 0b1100, 0b1010, 0b0110, 0b0111, 0b1111, 0b0100,
    ]  # fmt: skip


def test_groups_thresholds_and_classes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    layers = random_layers(rng, 6, [20])
    x = rng.standard_normal((50, 3))
    thresholds = np.array([[-0.5, 0.5], [0.0, 1.0], [-1.0, 0.0]])
    bits = (x[:, :, None] > thresholds).reshape(50, 6).astype(np.uint8)
    expected = torch.tensor(by_hand(layers, bits).reshape(50, 4, 5).sum(-1).astype(np.int64))
    file = tmp_path / "thresholds.npz"
    np.savez(file, other=np.zeros(2), thresholds=thresholds)
    for given_as in (thresholds, file, str(file)):
        network = build(layers, groups=4, thresholds=given_as, classes="abcd")
        assert torch.equal(Reference(network)(x), expected)
        assert network.inputs["x"].element == REAL
        assert network.classes == tuple("abcd")
    shared = build(layers, thresholds=np.array([0.25, 0.75]), inputs=6, input_format="fixed<8,3>")
    assert shared.inputs["x"].shape == (3,)
    assert shared.inputs["x"].element == FixedPoint(8, 5, signed=True)
    assert [node.name for node in shared.nodes] == ["binarization", "gates0"]
    single = tmp_path / "single.npz"
    np.savez(single, t=np.array([0.25, 0.75]))
    assert build(layers, thresholds=single, inputs=6).inputs["x"].shape == (3,)


def test_number_of_inputs() -> None:
    layers = [GateLayer(np.array([3]), np.array([7]), np.array([6]), "layer 0")]
    assert build(layers).inputs["x"].shape == (8,)
    assert build(layers, inputs=10).inputs["x"].shape == (10,)
    with pytest.raises(NetworkError, match="7 inputs are given, but the first layer reads input 7"):
        build(layers, inputs=7)


@pytest.mark.parametrize("name", ARCHIVES)
def test_the_shared_models_load(shared: Path, name: str) -> None:
    pattern, depth, width = ARCHIVES[name]
    (path,) = (shared / "models").glob(pattern)
    network = load_network(path, groups=10)
    assert [layer.tables.size for layer in layers_of(network)] == [width] * depth
    assert network.outputs == ("class", "scores")
    assert network.inputs["x"].shape == ((784 if "carleton" in pattern else 256),)


def test_the_two_files_of_the_6x4000_network_are_the_same(shared: Path) -> None:
    discrete, trained = (
        load_network(next((shared / "models/tt10").glob(f"final_*{end}"))) for end in ("npz", "pth")
    )
    for a, b in zip(layers_of(discrete), layers_of(trained), strict=True):
        assert np.array_equal(a.tables, b.tables)
        assert np.array_equal(a.connections, b.connections)


@pytest.mark.parametrize(
    ("name", "size", "threshold", "least"),
    [("3x2550", 16, 0.05, 0.90), ("6x4000", 16, 0.1, 0.93), ("2x4000", 28, 0.5, 0.92)],
)
def test_accuracy_on_mnist(
    shared: Path, name: str, size: int, threshold: float, least: float
) -> None:
    (path,) = (shared / "models").glob(ARCHIVES[name][0])
    with np.load(shared / "data/mnist/mnist_train.npz") as data:
        images, labels = torch.tensor(data["x"][:5000]), torch.tensor(data["y"][:5000])
    x = images[:, None].float() / 255
    if size != 28:
        x = torch.nn.functional.interpolate(
            x, size=size, mode="bilinear", antialias=True, align_corners=False
        )
    predicted = Reference(load_network(path, groups=10)).predict(x.flatten(1) > threshold)
    assert (predicted == labels).float().mean() > least


def test_a_million_gates_load_in_about_a_second(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    wires = rng.integers(0, 250_000, (2, 4, 250_000))
    path = tmp_path / "large.npz"
    gates = rng.integers(0, 16, (4, 250_000))
    np.savez(path, **{"gate_types": gates, "connections.A": wires[0], "connections.B": wires[1]})
    start = time.process_time()
    network = load_network(path, groups=10, inputs=250_000)
    assert time.process_time() - start < 2
    assert sum(layer.tables.size for layer in layers_of(network)) == 1_000_000


# --- what is refused -----------------------------------------------------------------------------

GOOD = {"layer0.a": np.array([0, 1]), "layer0.b": np.array([1, 0]), "layer0.gate": np.array([6, 1])}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layer0.b": None}, r"array 'layer0\.b' is missing"),
        ({"layer0.gate": None}, "not a gate list"),
        ({"layer0.a": np.array([0])}, r"lengths \(1, 2, 2\)"),
        ({"layer0.a": np.array([0.0, 1.0])}, "input a are float64"),
        ({"layer0.a": np.zeros((1, 2), int)}, r"of shape \(1, 2\)"),
        ({"layer0.gate": np.array([6, 16])}, "gate 1 has the id 16, expected 0 to 15"),
        ({"layer0.gate": np.array([-1, 6])}, "gate 0 has the id -1"),
        ({"layer2.gate": np.array([6])}, r"layers \[0, 2\] are there"),
        ({"layer0.a": np.array([{}, 1])}, "cannot be read: .*allow_pickle"),
    ],
)
def test_archives_that_are_wrong(change: dict, message: str) -> None:
    arrays = {k: v for k, v in {**GOOD, **change}.items() if v is not None}
    with pytest.raises(FormatError, match=message):
        read_npz(archive(**arrays))


def test_stacked_archives_that_are_wrong() -> None:
    gates = np.zeros((2, 3), int)
    with pytest.raises(FormatError, match=r"'connections\.A' is missing"):
        read_npz(archive(gate_types=gates))
    with pytest.raises(FormatError, match=r"shapes \(2, 3\), \(2, 3\) and \(3,\)"):
        read_npz(
            archive(gate_types=gates, **{"connections.A": gates, "connections.B": gates[0, :]})
        )


@pytest.mark.parametrize("index", [-1, 2**33])
def test_indices_out_of_range(index: int) -> None:
    layer = GateLayer(np.array([0, 1]), np.array([0, index]), np.array([6, 6]), "layer0")
    with pytest.raises(NetworkError, match=f"layer0: neuron 1, input 1: index {index} is out of"):
        build([layer])


def test_indices_beyond_the_layer_before() -> None:
    second = GateLayer(np.array([0, 2]), np.array([0, 1]), np.array([6, 6]), "layer1")
    layers = [*read_npz(archive(**GOOD)), second]
    with pytest.raises(NetworkError, match="'gates1': neuron 1, input 0: index 2 is out of range"):
        build(layers)


HEADER = "layer,neuron,input_a,input_b,gate_id\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b,c\n1,2,3\n", "no column 'layer'"),
        (HEADER, "a header and no gates"),
        (HEADER + "0,0,1\n", "a line that is not a gate"),
        (HEADER + "0,0,1,x,6\n", "a line that is not a gate"),
        (HEADER + "0,0,1,1.5,6\n", "a line that is not a gate"),
        (HEADER + "0,0,1,1,16\n", "layer 0: gate 0 has the id 16"),
        (HEADER + "0,0,1,1,6\n0,2,1,1,6\n", "layer 0: has 2 gates and no neuron 1"),
        (HEADER + "0,0,1,1,6\n0,0,1,1,6\n", "layer 0: has 2 gates and no neuron 1, or one twice"),
        (HEADER + "0,0,1,1,6\n2,0,0,0,6\n", r"layers are numbered \[0, 2\]"),
        (HEADER + "3,0,1,1,6\n", r"layers are numbered \[3\]"),
    ],
)
def test_tables_that_are_wrong(text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read_csv(text.encode())


def state() -> dict:
    wires = [torch.tensor([0, 1]), torch.tensor([1, 0])]
    return {"layers.0.w": torch.eye(16)[:, :2], "connections": [[wires[0]], [wires[1]]]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"connections": None}, "has no 'connections'"),
        (
            {"layers.0.w": torch.zeros(2, 16)},
            r"\(2, 16\), expected a tensor of shape \(16, g",
        ),
        ({"layers.0.w": torch.full((16, 2), torch.nan)}, r"layers\.0\.w: the weight .* not finite"),
        ({"layers.2.w": torch.zeros(16, 2)}, "layer 1 is missing"),
        ({"layers.1.w": torch.zeros(16, 2)}, "expected .* with 2 index lists"),
        ({"connections": 5}, "'connections' holds int"),
        ({"connections": [[[0, 1]], [[1, 0]]]}, "a list is in 'connections'"),
        ({"connections": [[torch.zeros(2)], [torch.zeros(2)]]}, "input a are float32"),
        ({"other": torch.zeros(2)}, "found other"),
    ],
)
def test_checkpoints_that_are_wrong(change: dict, message: str) -> None:
    found = {k: v for k, v in {**state(), **change}.items() if v is not None}
    with pytest.raises(FormatError, match=message):
        from_checkpoint(found)


@pytest.mark.parametrize(
    ("thresholds", "message"),
    [
        (np.zeros((2, 2, 2)), "expected numbers of shape"),
        (np.array(["a"]), "expected numbers of shape"),
        (np.array([np.nan]), "not finite"),
        (np.zeros((1, 1)), "give 1 bits, the first layer has 2 inputs"),
        (np.zeros(3), "not a multiple of 3 thresholds"),
        ("/does/not/exist.npz", "cannot be read"),
    ],
)
def test_thresholds_that_are_wrong(thresholds: np.ndarray | str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        build(read_npz(archive(**GOOD)), thresholds=thresholds)


def test_threshold_files_that_are_wrong(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    path.write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(FormatError, match=r"t\.npz: the \.npz file cannot be read"):
        build(read_npz(archive(**GOOD)), thresholds=path)
    np.savez(path, a=np.zeros(2), b=np.zeros(2))
    with pytest.raises(FormatError, match="holds 2 arrays and none of them is called 'thresholds'"):
        build(read_npz(archive(**GOOD)), thresholds=path)


def test_groups_and_formats_that_do_not_fit() -> None:
    layers = read_npz(archive(**GOOD))
    with pytest.raises(NetworkError, match="cannot be split into 3 equal groups"):
        build(layers, groups=3)
    with pytest.raises(LgnError, match="the network takes bits"):
        build(layers, input_format="int8")
    with pytest.raises(NetworkError, match="3 class names are given for 2 scores"):
        build(layers, groups=2, classes="abc")
