"""The connections of a difflogic state_dict: where they are, in which form, and what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from difflogic_goldens import check, goldens, output, stored
from torch import nn

from lgn_hdl.errors import FormatError, LgnError, NetworkError
from lgn_hdl.frontends import load_network
from lgn_hdl.frontends.difflogic import from_state_dict, is_checkpoint
from lgn_hdl.frontends.difflogic.wiring import in_order
from lgn_hdl.network import GroupSum


def pairs(name: str = "random") -> list[tuple[torch.Tensor, torch.Tensor]]:
    return [(a.long(), b.long()) for a, b in goldens()[name]["indices"]]


FORMS: dict[str, Any] = {
    "pairs": lambda: pairs(),
    "stacked pairs": lambda: [torch.stack(pair) for pair in pairs()],
    "by position": lambda: dict(enumerate(pairs())),
    "by path": lambda: {f"model.{i}": pair for i, pair in enumerate(pairs())},
    "by path with a suffix": lambda: {f"{i}.indices": pair for i, pair in enumerate(pairs())},
    "under one key": lambda: {"indices": pairs()},
    "lists of integers": lambda: [[a.tolist(), b.tolist()] for a, b in pairs()],
    "arrays": lambda: {f"arr_{i}": torch.stack(p).int().numpy() for i, p in enumerate(pairs())},
    "last layer first": lambda: dict(reversed(list(enumerate(pairs())))),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_the_indices(form: str, tmp_path: Path) -> None:
    case = goldens()["random"]
    state, _ = stored(case)
    torch.save(state, tmp_path / "net.pth")
    content = FORMS[form]()
    path = tmp_path / "wires"
    if form == "arrays":
        np.savez(path, **content)
        path = tmp_path / "wires.npz"
    else:
        torch.save(content, path)
    found = [load_network(tmp_path / "net.pth", indices=i, groups=5) for i in (content, path)]
    for network in found:
        # The scores are exact; tau is what none of these forms can tell.
        assert network.group_sum == GroupSum(5)
        assert torch.equal(output(network, case["x"]) / 2, case["out"])


def test_layers_of_one_size_in_one_array() -> None:
    case = goldens()["float64"]
    state, wiring = stored(case)
    stacked = torch.stack([torch.stack(pair) for pair in pairs("float64")])
    for form in (stacked, stacked.numpy(), {"indices": stacked}):
        found = from_state_dict(state, form, groups=5)
        assert torch.equal(output(found, case["x"]) / 3, case["out"])
    single = {"weights": state["0.weights"]}
    for form in (stacked[0], {"indices": stacked[0]}, [stacked[0]]):
        assert from_state_dict(single, form).nodes[0].layer.tables.size == 20  # pyright: ignore
    del wiring["groups"]
    assert from_state_dict(state, wiring).outputs == ("gates1",)


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model", None])
@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "net.model."])
def test_connections_in_the_checkpoint(key: str | None, prefix: str, tmp_path: Path) -> None:
    case = goldens()["many_layers"]
    state = {prefix + name: value for name, value in stored(case)[0].items()}
    content = {key: state, "epoch": 3} if key else state
    torch.save({**content, "indices": pairs("many_layers")}, tmp_path / "net.pth")
    network = load_network(tmp_path / "net.pth", groups=3, classes="abc")
    assert network.classes == ("a", "b", "c")
    check(network, case)
    names = [f"{prefix}{i}.indices" for i in range(12)]
    state.update(
        zip(reversed(names), map(torch.stack, reversed(pairs("many_layers"))), strict=True)
    )
    torch.save(content, tmp_path / "net.pth")
    check(load_network(tmp_path / "net.pth", groups=3), case)


def test_which_connections_win(tmp_path: Path) -> None:
    """The option, then the checkpoint, then a file beside it."""
    case = goldens()["random"]
    state, wiring = stored(case)
    zeros = [torch.zeros(2, len(a), dtype=torch.int64) for a, _ in pairs()]
    wrong = {"inputs": 14, "groups": 5, "tau": 2.0, "indices": zeros}
    path = tmp_path / "net.v2.pth"
    torch.save(state, path)
    torch.save({k: torch.tensor(v) for k, v in wiring.items()}, tmp_path / "good.pt")
    torch.save(wrong, tmp_path / "net.v2.indices.pt")
    with pytest.raises(AssertionError):
        check(load_network(path), case)
    np.savez(tmp_path / "net.v2.indices.npz", **wiring)
    check(load_network(path), case)
    torch.save({"model": state, "indices": wrong}, path)
    with pytest.raises(AssertionError):
        check(load_network(path), case)
    check(load_network(path, indices=tmp_path / "good.pt"), case)


def test_options_win_over_the_indices_file() -> None:
    state, wiring = stored(goldens()["random"])
    found = from_state_dict(state, wiring, groups=4, inputs=20, classes="abcd")
    assert found.group_sum == GroupSum(4, 2.0)
    assert found.inputs["x"].shape == (20,)
    assert found.classes == tuple("abcd")


def test_an_input_that_nothing_reads() -> None:
    state, wiring = stored(goldens()["unread_input"])
    assert from_state_dict(state, wiring).inputs["x"].shape == (15,)
    del wiring["inputs"]
    assert from_state_dict(state, wiring).inputs["x"].shape == (14,)
    assert from_state_dict(state, wiring, inputs=15).inputs["x"].shape == (15,)
    with pytest.raises(NetworkError, match="layer '0': 13 inputs are given, but the first layer"):
        from_state_dict(state, wiring, inputs=13)


def test_thresholds_in_front() -> None:
    """difflogic's experiments round their inputs: one threshold of one half."""
    case = goldens()["random"]
    state, wiring = stored(case)
    network = from_state_dict(state, wiring, thresholds=np.array([0.5]), input_format="ufixed<8,0>")
    noise = torch.rand(case["x"].shape) * 0.4
    x = torch.where(case["x"] == 1, 0.55 + noise, 0.5 - noise)
    assert torch.equal(output(network, x), case["out"])


@pytest.mark.parametrize(
    ("names", "ordered"),
    [
        (["10", "2", "1"], ["1", "2", "10"]),
        (["1.10", "1.9", "0.11"], ["0.11", "1.9", "1.10"]),
        (["block2.0", "block1.1", "block1.0"], ["block1.0", "block1.1", "block2.0"]),
        (["", ], [""]),
        (["b"], ["b"]),
    ],
)  # fmt: skip
def test_layers_go_by_the_numbers_in_their_names(names: list[str], ordered: list[str]) -> None:
    assert in_order(names) == ordered


@pytest.mark.parametrize("names", [["a", "b"], ["0", "0.1"], ["a1", "b0"], ["1", "01"]])
def test_names_without_an_order(names: list[str]) -> None:
    with pytest.raises(FormatError, match=r"the order of the layers '.*' and '.*' cannot"):
        in_order(names)


def test_names_of_other_libraries_weights() -> None:
    tensor = torch.zeros(3, 16)
    assert not is_checkpoint({"0.weight": tensor, "0.connections.weights": tensor})
    assert not is_checkpoint({"0.luts": tensor, "0.mapping.weights": tensor})
    assert is_checkpoint({"1.weights": tensor})
    assert is_checkpoint({"weights": tensor})


# --- what is refused -----------------------------------------------------------------------------


def replaced(values: dict[str, Any], key: str, place: tuple[int, int], value: float) -> None:
    values[key] = values[key].copy() if isinstance(values[key], np.ndarray) else values[key].clone()
    values[key][place] = value


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s, w: w.pop("1.indices"), r"for 1 layers, the state_dict has 2 \(0, 1\)"),
        (lambda s, w: s.pop("0.weights"), r"for 2 layers, the state_dict has 1 \(1\)"),
        (lambda s, w: w.update({"x.indices": w["0.indices"]}), "order of the layers '1' and 'x'"),
        (lambda s, w: s.update({"head.weights": s["0.weights"]}), "layers '1' and 'head' cannot"),
        (lambda s, w: s.update({"2.bias": s["0.weights"]}), "'2.bias', which no LogicLayer has"),
        (lambda s, w: s.update({"1.weights": s["1.weights"].T}), r"layer '1': .*shape \(16, 20\)"),
        (lambda s, w: s.update({"0.weights": s["0.weights"].long()}), "layer '0': .*torch.int64"),
        (lambda s, w: s.update({"0.weights": [1]}), "layer '0': weights are a list, not a tensor"),
        (lambda s, w: s.update({"1.weights": s["1.weights"][:7]}), "layer '1': .* for 7 neurons"),
        (lambda s, w: w.update({"1.indices": w["0.indices"]}), "20 neurons, the indices for 16"),
        (
            lambda s, w: replaced(s, "1.weights", (3, 7), float("nan")),
            "layer '1': the weight of gate 7 of neuron 3 is not finite",
        ),
        (
            lambda s, w: replaced(s, "0.weights", (3, 7), float("inf")),
            "layer '0': the weight of gate 7 of neuron 3 is not finite",
        ),
        (
            lambda s, w: replaced(w, "1.indices", (1, 5), 16),
            "layer '1': neuron 5, input 1: index 16 is out of range, the layer has 16 inputs",
        ),
        (
            lambda s, w: replaced(w, "1.indices", (0, 5), -1),
            "layer '1': neuron 5, input 0: index -1 is out of range",
        ),
        (
            lambda s, w: replaced(w, "0.indices", (0, 5), -1),
            "layer '0': neuron 5, input 0: index -1 is out of range",
        ),
        (
            lambda s, w: replaced(w, "0.indices", (0, 5), 14),
            "layer '0': 14 inputs are given, but the first layer reads input 14",
        ),
        (
            lambda s, w: w.update({"1.indices": w["1.indices"] * 1.0}),
            r"indices: layer '1': the indices are float64 of shape \(2, 20\), expected integers",
        ),
        (
            lambda s, w: w.update({"1.indices": w["1.indices"][:1]}),
            r"layer '1': the indices are int64 of shape \(1, 20\)",
        ),
        (lambda s, w: w.update({"1.indices": ([1], [1, 2])}), "layer '1': .*not two lists of the"),
        (lambda s, w: w.update({"1.indices": None}), "layer '1': the indices are object"),
        (lambda s, w: w.update({"groups": 2.0}), "indices: 'groups' is 2.0, expected a number"),
        (lambda s, w: w.update({"groups": "2"}), "indices: 'groups' is '2', expected a number"),
        (lambda s, w: w.update({"groups": 7}), "20 bits cannot be split into 7 equal groups"),
        (lambda s, w: w.update({"inputs": 0}), "indices: 'inputs' is 0, expected more than 0"),
        (lambda s, w: w.update({"tau": float("nan")}), "'tau' is nan, expected more than 0"),
        (lambda s, w: w.clear(), "indices: holds no layer"),
    ],
)
def test_states_and_indices_that_are_wrong(change: Any, message: str) -> None:
    state, wiring = stored(goldens()["random"])
    assert set(state) == {"0.weights", "1.weights"}
    change(state, wiring)
    with pytest.raises(LgnError, match=message):
        from_state_dict(state, wiring)


def test_no_connections_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    torch.save(stored(goldens()["random"])[0], path)
    with pytest.raises(FormatError, match=r"no net\.indices\.npz beside it") as caught:
        load_network(path, groups=5)
    assert str(caught.value).startswith(f"{path}: a difflogic state_dict does not hold the conn")
    assert "save_indices(module, 'net.indices.npz')" in str(caught.value)
    with pytest.raises(FormatError, match="'architecture' does not apply to a difflogic checkp"):
        load_network(path, architecture={})
    torch.save({"model": {1: torch.zeros(1)}}, path)
    with pytest.raises(FormatError, match="expected a state_dict"):
        load_network(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"0,1\n", r"neither an \.npz file nor a torch file \(expected an \.npz file or torch"),
        (b"PK\x03\x04 and no more", "the zip archive is broken"),
        (3, "holds a int"),
        ([], "holds no layer"),
        ({"a": torch.zeros(2)}, r"layer 'a': the indices are float32 of shape \(2,\)"),
        (nn.Flatten(), "cannot be read safely"),
    ],
)
def test_indices_files_that_are_none(content: Any, message: str, tmp_path: Path) -> None:
    path, wiring = tmp_path / "net.pth", tmp_path / "net.indices.npz"
    torch.save(stored(goldens()["random"])[0], path)
    if isinstance(content, bytes):
        wiring.write_bytes(content)
    else:
        torch.save(content, wiring)
    with pytest.raises(FormatError, match=message) as caught:
        load_network(path)
    assert str(caught.value).startswith(f"{path}: {wiring}: ")
    with pytest.raises(FormatError, match=r"other\.npz: cannot be read: No such file"):
        load_network(path, indices=tmp_path / "other.npz")


def test_archives_that_cannot_be_read(tmp_path: Path) -> None:
    state, wiring = stored(goldens()["random"])
    path = tmp_path / "net.indices.npz"
    np.savez(path, **wiring)
    data = bytearray(path.read_bytes())
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(header) + flags] |= 1
    path.write_bytes(data)
    with pytest.raises(FormatError, match=r"net\.indices\.npz: .* is encrypted"):
        from_state_dict(state, path)
    np.save(tmp_path / "t.npy", np.array([0.5]))
    with pytest.raises(FormatError, match=r"t\.npy: a single array \(\.npy\), expected an \.npz"):
        from_state_dict(state, wiring, thresholds=tmp_path / "t.npy")
