"""Broken, forged and foreign .lgn files: refused in one sentence, with no other exception."""

from __future__ import annotations

import copy
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lgn_files import header_of, read, stored, with_header
from networks import classifier

from lgn_hdl.errors import FormatError, LgnError, NetworkError
from lgn_hdl.network import BIT, LutLayer, Network, Node, TensorType
from lgn_hdl.network.storage import MAGIC, VERSION, network_digest


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("broken")


@pytest.fixture(scope="module")
def small(folder: Path) -> bytes:
    return stored(classifier(), folder)


@settings(max_examples=400)
@given(data=st.data(), count=st.integers(1, 3))
def test_flipped_bits(small: bytes, folder: Path, data, count: int) -> None:
    broken = bytearray(small)
    for bit in data.draw(
        st.lists(st.integers(0, 8 * len(small) - 1), min_size=count, max_size=count, unique=True)
    ):
        broken[bit // 8] ^= 1 << bit % 8
    with pytest.raises(FormatError, match=r"changed\.lgn: "):
        read(bytes(broken), folder)


@settings(max_examples=100)
@given(data=st.data())
def test_cut_short_or_too_long(small: bytes, folder: Path, data) -> None:
    end = data.draw(st.integers(0, len(small) - 1))
    more = data.draw(st.binary(min_size=1, max_size=40))
    for broken in (small[:end], small + more, small[:end] + more):
        if broken != small:
            with pytest.raises(FormatError):
                read(broken, folder)


def test_missing_file_and_other_files(tmp_path: Path) -> None:
    for content in (b"", b"PK\x03\x04", b"LGN", b"\x89LGN\n\x1a\n" + bytes(100)):
        with pytest.raises(FormatError, match=r"not a \.lgn file"):
            read(content, tmp_path)
    with pytest.raises(FormatError, match="ends after 8 bytes"):
        read(MAGIC, tmp_path)


def test_text_mode_transfer_is_found(small: bytes, folder: Path) -> None:
    with pytest.raises(FormatError, match=r"not a \.lgn file"):
        read(small.replace(b"\r\n", b"\n"), folder)


def test_newer_version(small: bytes, folder: Path) -> None:
    message = (
        rf"changed\.lgn: written in \.lgn version {VERSION + 1}.*reads up to {VERSION}.*upgrade"
    )
    with pytest.raises(FormatError, match=message):
        read(with_header(small, {"anything": 1}, version=VERSION + 1), folder)


def test_checksum(small: bytes, folder: Path) -> None:
    with pytest.raises(FormatError, match="checksum does not match"):
        read(small[:-1] + bytes([small[-1] ^ 1]), folder)


@pytest.mark.parametrize("length", [2**20, 2**63, 2**64 - 1])
def test_header_longer_than_the_file(small: bytes, folder: Path, length: int) -> None:
    with pytest.raises(FormatError, match=f"claims {length} bytes, more than the file has"):
        read(with_header(small, header_of(small), length=length), folder)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"3", b"null", b"\xff\xfe", b"[" * 100_000])
def test_header_that_is_no_object(small: bytes, folder: Path, text: bytes) -> None:
    with pytest.raises(FormatError, match="header is not understood"):
        read(with_header(small, text), folder)


def changed(data: bytes, change) -> bytes:
    header = header_of(data)
    change(header)
    return with_header(data, header)


ARRAY_CHANGES = {
    "object": ({"dtype": "object"}, "array of object .* is not allowed"),
    "pickle": ({"dtype": "O"}, "is not allowed"),
    "float16": ({"dtype": "float16"}, "is not allowed"),
    "number": ({"dtype": 7}, "is not allowed"),
    "no dtype": ({"dtype": None}, "is not allowed"),
    "negative": ({"shape": [-1, -1]}, "is not allowed"),
    "fraction": ({"shape": [2.5]}, "is not allowed"),
    "boolean": ({"shape": [True]}, "is not allowed"),
    "huge": ({"shape": [2**40, 2**40]}, "beyond the end of the file"),
    "huge with zero": ({"shape": [0, 2**80]}, "changed.lgn: "),
    "many axes": ({"shape": [1] * 100}, "changed.lgn: "),
    "far": ({"offset": 2**62}, "beyond the end of the file"),
    "farther": ({"offset": 10**30}, "beyond the end of the file"),
    "before": ({"offset": -8}, "is not allowed"),
    "no offset": ({"offset": None}, "is not allowed"),
    "no shape": ({"shape": None}, "header is not understood"),
}


@pytest.mark.parametrize("name", ARRAY_CHANGES)
def test_arrays_that_lie(small: bytes, folder: Path, name: str) -> None:
    change, message = ARRAY_CHANGES[name]
    broken = changed(small, lambda header: header["arrays"][0].update(change))
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match=message):
            read(broken, folder)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_a_small_file_cannot_ask_for_much_memory(folder: Path) -> None:
    """The same bytes as many arrays, or one array in many layers."""
    gates = 20_000
    layer = LutLayer(np.zeros((1, gates), np.int32), np.ones(gates, np.uint64))
    network = Network({"x": TensorType((1,), BIT)}, (Node("g", layer, ("x",)),), ("g",))
    data = stored(network, folder)

    def shared_array(header: dict) -> None:
        header["nodes"] += [{**header["nodes"][0], "name": f"g{i}"} for i in range(500)]

    def shared_bytes(header: dict) -> None:
        arrays = header["arrays"]
        for i in range(500):
            node = copy.deepcopy(header["nodes"][0]) | {"name": f"g{i}"}
            for field in node["fields"].values():
                arrays.append(arrays[field["array"]])
                field["array"] = len(arrays) - 1
            header["nodes"].append(node)

    for change in (shared_array, shared_bytes):
        broken = changed(data, change)
        tracemalloc.start()
        try:
            with pytest.raises(FormatError):
                read(broken, folder)
            assert tracemalloc.get_traced_memory()[1] < 2 << 20  # not 500 times 80 kB
        finally:
            tracemalloc.stop()


HEADER_CHANGES = {
    "unknown layer": (lambda h: h["nodes"][1].update(type="Blur"), "unknown type 'Blur'"),
    "unknown field": (lambda h: h["nodes"][3]["fields"].update(gamma=1), "not understood"),
    "missing field": (lambda h: h["nodes"][1]["fields"].pop("tables"), "not understood"),
    "array as number": (lambda h: h["nodes"][1]["fields"].update(tables=3), "changed.lgn"),
    "array number": (
        lambda h: h["nodes"][1]["fields"].update(tables={"array": 99}),
        "not understood",
    ),
    "array used twice": (
        lambda h: h["nodes"][1]["fields"].update(tables={"array": 0}),
        "not understood",
    ),
    "array of another type": (
        lambda h: (
            h["nodes"][0]["fields"].update(thresholds={"array": 2}),
            h["nodes"][1]["fields"].update(tables={"array": 0}),
        ),
        "tables is stored as float64",
    ),
    "text as axis": (lambda h: h["nodes"][0]["fields"].update(axis="0"), "axis"),
    "fraction as axis": (lambda h: h["nodes"][0]["fields"].update(axis=0.0), "axis"),
    "text as groups": (lambda h: h["nodes"][3]["fields"].update(groups="3"), "groups"),
    "fraction as groups": (lambda h: h["nodes"][3]["fields"].update(groups=3.0), "groups"),
    "list as groups": (lambda h: h["nodes"][3]["fields"].update(groups=[3]), "groups"),
    "text as tau": (lambda h: h["nodes"][3]["fields"].update(tau="1"), "tau"),
    "infinite tau": (
        lambda h: h["nodes"][3]["fields"].update(tau=float("inf")),
        "Infinity is not a JSON number",
    ),
    "wires as an object": (
        lambda h: h["nodes"][0].update(inputs={"x": 1}),
        "inputs of 'bits' are .* expected a list of names",
    ),
    "no name": (lambda h: h["nodes"][0].update(name=None), "expected a list of names"),
    "size": (lambda h: h["inputs"][0].update(shape=[2**40]), "at most"),
    "element": (lambda h: h["inputs"][0].update(element="complex"), "'complex' is unknown"),
    "width": (lambda h: h["inputs"][0].update(element=[99, 0, False, "1"]), "width is 99"),
    "endless width": (
        lambda h: h["inputs"][0].update(element=[float("inf"), 0, False, "1"]),
        "not understood",
    ),
    "fraction": (lambda h: h["inputs"][0].update(element=[8, 10**9, False, "1"]), "fractional"),
    "scale": (lambda h: h["inputs"][0].update(element=[8, 0, False, "1/0"]), "not understood"),
    "long scale": (
        lambda h: h["inputs"][0].update(element=[8, 0, False, "1e999999999"]),
        "not understood",
    ),
    "shape": (lambda h: h["inputs"][0].update(shape=[4.5]), "expected positive integers"),
    "two inputs of a name": (
        lambda h: h["inputs"].append({**h["inputs"][0], "shape": [5]}),
        "twice",
    ),
    "no outputs": (lambda h: h.update(outputs=[]), "has no output"),
    "class names": (lambda h: h.update(classes=["a"]), "1 class names are given for 3 scores"),
}


@pytest.mark.parametrize("name", HEADER_CHANGES)
def test_headers_that_lie(small: bytes, folder: Path, name: str) -> None:
    change, message = HEADER_CHANGES[name]
    with pytest.raises((FormatError, NetworkError), match=message):
        read(changed(small, change), folder)


strange = st.sampled_from(
    [None, True, False, -1, 0, 1, 2**31, 2**63, 10**40, 0.5, -0.0, float("nan"), float("inf")]
) | st.sampled_from(["", "x", "bits", "bit", "real", "float64", [], [[]], [2], [1, 2], {}, [None]])


def places(value: Any, at: tuple = ()):
    """Every path into a JSON value."""
    yield at
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*at, key))
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*at, index))


@settings(max_examples=600, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_header_with_a_right_checksum(small: bytes, folder: Path, data) -> None:
    """Whatever stands in the header: a valid network, or one of the two errors."""
    header = header_of(small)
    *path, last = data.draw(st.sampled_from([p for p in places(header) if p]))
    target = header
    for key in path:
        target = target[key]
    if data.draw(st.booleans()) and data.draw(st.booleans()):
        del target[last]
    else:
        target[last] = data.draw(strange)
    assert outcome(with_header(small, header), folder) in ("read", "FormatError", "NetworkError")


def outcome(data: bytes, folder: Path) -> str:
    """How reading ends: "read", or the name of the error if it is one line that names the file."""
    try:
        network = read(data, folder)
    except LgnError as error:
        text = str(error)
        return type(error).__name__ if str(folder) in text and "\n" not in text else text
    network_digest(network.validate())
    return "read"
