"""Detection by content, and files that must be refused with one clear sentence."""

from __future__ import annotations

import json
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from lgn_hdl.errors import FormatError, LgnError
from lgn_hdl.frontends import load_network
from lgn_hdl.network import FixedPoint, Network, write_network
from lgn_hdl.network.storage import network_digest

GOLDEN = Path(__file__).parents[1] / "golden" / "torchlogix" / "structure.pt"
GATES = {
    "layer0.a": np.array([0, 1]),
    "layer0.b": np.array([1, 0]),
    "layer0.gate": np.array([6, 1]),
}
CSV = "layer,neuron,input_a,input_b,gate_id\n0,0,0,1,6\n0,1,1,0,1\n"


def case(name: str = "nested") -> dict:
    return torch.load(GOLDEN, weights_only=True)[name]


class Malicious:
    """Unpickling this makes a folder."""

    def __init__(self, folder: Path):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_the_name_of_the_file_does_not_matter(tmp_path: Path) -> None:
    np.savez(tmp_path / "gates.npz", **GATES)  # pyright: ignore
    (tmp_path / "gates.npz").rename(tmp_path / "gates.csv")
    (tmp_path / "table").write_text(CSV)
    networks = [load_network(tmp_path / name, groups=2) for name in ("gates.csv", "table")]
    write_network(networks[0], tmp_path / "network.npz")
    networks.append(load_network(str(tmp_path / "network.npz")))
    for network in networks:
        assert network.outputs == ("class", "scores")
        plain = Network(network.inputs, network.nodes, network.outputs)
        reference = Network(networks[0].inputs, networks[0].nodes, networks[0].outputs)
        assert network_digest(plain) == network_digest(reference)


def test_three_places_for_the_architecture(tmp_path: Path) -> None:
    found = case()
    network = load_network(
        _saved(tmp_path, found["state_dict"]), architecture=found["architecture"]
    )
    digest = network_digest(network)
    text = json.dumps(found["architecture"])
    (tmp_path / "elsewhere.txt").write_text(text)
    path = tmp_path / "trained.pt"
    assert network_digest(load_network(path, architecture=tmp_path / "elsewhere.txt")) == digest
    (tmp_path / "architecture.json").write_text(text)
    assert network_digest(load_network(path)) == digest
    (tmp_path / "architecture.json").write_text("{}")
    (tmp_path / "trained.json").write_text(text)
    assert network_digest(load_network(path)) == digest


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model"])
def test_everything_in_one_checkpoint(tmp_path: Path, key: str) -> None:
    found = case()
    both = {key: found["state_dict"], "architecture": found["architecture"], "epoch": 3}
    network = load_network(_saved(tmp_path, both), input_format="int8", classes="abc")
    assert network.inputs["x"].element == FixedPoint(8, signed=True)
    assert network.classes == ("a", "b", "c")


def test_format_and_classes_of_a_stored_network(tmp_path: Path) -> None:
    found = case()
    network = load_network(
        _saved(tmp_path, found["state_dict"]), architecture=found["architecture"]
    )
    write_network(network, tmp_path / "n.lgn")
    changed = load_network(tmp_path / "n.lgn", input_format="ufixed<8,0>", classes="abc")
    assert changed.inputs["x"].element == FixedPoint(8, 8)
    assert changed.classes == ("a", "b", "c")
    with pytest.raises(FormatError, match=r"n\.lgn: option 'groups' does not apply to"):
        load_network(tmp_path / "n.lgn", groups=3)


def _saved(folder: Path, content: object) -> Path:
    torch.save(content, folder / "trained.pt")
    return folder / "trained.pt"


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"hello world\n", "of no known kind"),
        (b"hello, world\n", "no column 'layer'"),
        (b"\xff\xfe,\xfa\n", "neither a known binary file nor text"),
        (b"\x00\x01,\x02", "of no known kind"),
        (b"\x89LGN\r\n\x1a\n", "ends after 8 bytes"),
        (b"\x89LGN\r\n\x1a\n" + bytes(200), "checksum"),
        (b"PK\x03\x04 and no more", "the zip archive is broken"),
        (pickle.dumps({"layers.0.w": 1}), "a bare pickle"),
    ],
)
def test_files_that_are_none(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=message) as caught:
        load_network(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="nothing: cannot be read: No such file"):
        load_network(tmp_path / "nothing")
    with pytest.raises(FormatError, match="is a directory"):
        load_network(tmp_path)


def test_a_zip_of_something_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("readme.txt", "hello")
    with pytest.raises(FormatError, match=r"neither \.npz nor a torch checkpoint"):
        load_network(tmp_path / "a.zip")


def test_nothing_is_ever_unpickled(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    (tmp_path / "bare").write_bytes(pickle.dumps(Malicious(trap)))
    torch.save({"layers.0.w": Malicious(trap)}, tmp_path / "checkpoint")
    np.savez(tmp_path / "arrays.npz", **{"layer0.gate": np.array([Malicious(trap)])})
    with zipfile.ZipFile(tmp_path / "forged", "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps(Malicious(trap)))
    for name in ("bare", "checkpoint", "arrays.npz", "forged"):
        with pytest.raises(FormatError) as caught:
            load_network(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)
        assert not trap.exists()


def test_a_whole_module_in_the_checkpoint(tmp_path: Path) -> None:
    path = _saved(tmp_path, torch.nn.Sequential(torch.nn.Flatten()))
    with pytest.raises(FormatError, match=r"cannot be read safely.*save module\.state_dict"):
        load_network(path)


@pytest.mark.parametrize("content", [torch.zeros(3), [1, 2], {1: torch.zeros(2)}])
def test_checkpoints_of_something_else(tmp_path: Path, content: object) -> None:
    with pytest.raises(FormatError, match="expected a state_dict"):
        load_network(_saved(tmp_path, content))


def test_a_checkpoint_without_architecture(tmp_path: Path) -> None:
    path = _saved(tmp_path, case()["state_dict"])
    with pytest.raises(FormatError, match=r"no trained\.json or architecture\.json beside it"):
        load_network(path)
    for text, message in (("{", "not a JSON file"), ("[]", "holds no JSON object")):
        (tmp_path / "trained.json").write_text(text)
        with pytest.raises(FormatError, match=message):
            load_network(path)
    with pytest.raises(FormatError, match=r"none\.json: cannot be read"):
        load_network(path, architecture=tmp_path / "none.json")
    with pytest.raises(FormatError, match="not a description of a torchlogix network"):
        load_network(path, architecture={})


def test_errors_of_the_network_name_the_file_and_the_layer(tmp_path: Path) -> None:
    found = case()
    state = dict(found["state_dict"])
    state["0.1.1.weight"] = state["0.1.1.weight"] * float("inf")
    path = _saved(tmp_path, state)
    with pytest.raises(FormatError, match=r"trained\.pt: layer '0\.1\.1': weight is not finite"):
        load_network(path, architecture=found["architecture"])
    with pytest.raises(FormatError, match="'groups' does not apply to a torchlogix checkpoint"):
        load_network(path, groups=3)


def test_options_of_another_kind_of_file(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(CSV)
    with pytest.raises(FormatError, match="'architecture' does not apply to a gate list"):
        load_network(tmp_path / "table.csv", architecture={})


@pytest.mark.parametrize("cut", [50, 200, 1000])
@pytest.mark.parametrize("kind", ["npz", "pt", "csv"])
def test_truncated_and_flipped_files(tmp_path: Path, kind: str, cut: int) -> None:
    """Whatever is done to a file: a network, or one of our own errors."""
    if kind == "npz":
        np.savez_compressed(tmp_path / "f", **{k: np.repeat(v, 99) for k, v in GATES.items()})
        path = tmp_path / "f.npz"
    elif kind == "pt":
        wires = [[torch.tensor([0, 1])], [torch.tensor([1, 0])]]
        path = _saved(tmp_path, {"layers.0.w": torch.eye(16), "connections": wires})
    else:
        path = tmp_path / "f.csv"
        path.write_text(CSV * 20)
    data = path.read_bytes()
    rng = np.random.default_rng(cut)
    variants = [data[:cut], data[cut:], data[:-cut]]
    for _ in range(30):
        flipped = bytearray(data)
        for place in rng.integers(0, len(data), 3):
            flipped[place] ^= 1 << int(rng.integers(0, 8))
        variants.append(bytes(flipped))
    for variant in variants:
        path.write_bytes(variant)
        try:
            network = load_network(path)
        except LgnError as error:
            place = str(error)
        else:
            place = f"{path}: {network.types}"
        assert place.startswith(str(path))
