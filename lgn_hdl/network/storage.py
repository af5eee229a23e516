"""The .lgn file: a version, a JSON header, the arrays, a checksum. Specified in docs/lgn-file.md.

Nothing in the file is executed, every size is checked before memory is asked for, and whatever is
not exactly as the header says is refused with the reason.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import struct
from dataclasses import fields
from fractions import Fraction
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FormatError, LgnError
from .arithmetic import Dense, Quantize
from .fixed import FixedPoint
from .images import LogicConv, OrPool
from .layers import ArgMax, GroupSum, Layer, LutLayer, Thermometer
from .network import Network, Node
from .shaping import AxisSum, Concat, Permute, Reshape, Slice
from .sparse import InputReduce, SparseConv2d, SparseFlatten, SparsePool2d
from .tensors import TensorType

__all__ = ["MAGIC", "VERSION", "network_digest", "read_network", "write_network"]

#: Like PNG's: the first byte is not ASCII, and the line ends show a text-mode transfer.
MAGIC = b"\x89LGN\r\n\x1a\n"
#: The newest version; a network of older layers is written in the oldest that can hold it.
VERSION = 2
_PREFIX = struct.Struct("<8sIIQ")  # magic, version, reserved, header length
_ALIGN = 64
_DIGEST = 32
_FIRST_LAYERS = (ArgMax, Concat, GroupSum, LutLayer, Reshape, Thermometer)
_LATER_LAYERS = (
    AxisSum,
    Dense,
    InputReduce,
    LogicConv,
    OrPool,
    Permute,
    Quantize,
    Slice,
    SparseConv2d,
    SparseFlatten,
    SparsePool2d,
)
_LAYERS = {c.__name__: c for c in (*_FIRST_LAYERS, *_LATER_LAYERS)}
_ARRAY_FIELDS = {
    "thresholds": "float64",
    "connections": "int32",
    "taps": "int32",
    "tables": "uint64",
    "kernel": "int64",
    "weight": "int64",
    "bias": "int64",
}
_STORED = {"uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float64"}
_TUPLE_FIELDS = {"shape", "axes", "window", "stride", "padding"}
_SCALAR_FIELDS = {
    "axis": {int},
    "start": {int},
    "stop": {int},
    "groups": {int},
    "tau": {int, float},
    "beta": {int, float},
    "slots": {int},
    "threshold": {int, float},
    "kind": {str},
}
_FORMAT_FIELDS = {"format", "kernel_format", "weight_format", "bias_format"}
_RATIONAL = re.compile(r"\d{1,400}(/\d{1,400})?", re.ASCII)


def write_network(network: Network, path: str | Path) -> None:
    """Write `network` to `path`; the file appears whole or not at all."""
    data = _encode(network.validate())
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def read_network(path: str | Path) -> Network:
    """Read and validate the network in the file `path`.

    Raises
    ------
    FormatError
        If the file is not a .lgn file, is newer than this program, or is broken.
    NetworkError
        If it holds a network that is not well formed.
    """
    path = Path(path)
    try:
        return _decode(path.read_bytes()).validate()
    except LgnError as error:
        raise error.at(str(path)) from None


def network_digest(network: Network) -> str:
    """SHA-256 of the stored form, as hex: equal for equal networks."""
    return hashlib.sha256(_encode(network)).hexdigest()


def _encode(network: Network) -> bytes:
    arrays: list[np.ndarray] = []
    header = {
        "inputs": [{"name": n, **_encode_type(t)} for n, t in network.inputs.items()],
        "nodes": [
            {
                "name": node.name,
                "type": type(node.layer).__name__,
                "inputs": list(node.inputs),
                "fields": _encode_fields(node.layer, arrays),
            }
            for node in network.nodes
        ],
        "outputs": list(network.outputs),
        "classes": list(network.classes),
        "meta": dict(network.meta),
        "arrays": [],
    }
    offset = 0
    for array in arrays:
        header["arrays"].append(
            {"dtype": array.dtype.name, "shape": list(array.shape), "offset": offset}
        )
        offset += array.nbytes + -array.nbytes % _ALIGN
    text = json.dumps(header, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-(len(text) + _PREFIX.size) % _ALIGN)
    first = all(isinstance(node.layer, _FIRST_LAYERS) for node in network.nodes)
    parts = [_PREFIX.pack(MAGIC, 1 if first else VERSION, 0, len(text)), text]
    for array in arrays:
        little_endian = array.astype(array.dtype.newbyteorder("<"), copy=False)
        parts += [little_endian.tobytes(), b"\0" * (-array.nbytes % _ALIGN)]
    body = b"".join(parts)
    return body + hashlib.sha256(body).digest()


def _encode_type(tensor: TensorType) -> dict[str, Any]:
    element: Any = tensor.element
    if isinstance(element, FixedPoint):
        element = _encode_format(element)
    return {"shape": list(tensor.shape), "element": element, "masked": tensor.masked}


def _encode_format(number: FixedPoint) -> list[Any]:
    return [number.width, number.fraction, number.signed, str(number.scale)]


def _encode_fields(layer: Layer, arrays: list[np.ndarray]) -> dict[str, Any]:
    encoded: dict[str, Any] = {}
    for field in fields(layer):  # pyright: ignore[reportArgumentType]
        value = getattr(layer, field.name)
        if isinstance(value, np.ndarray):
            encoded[field.name] = {"array": len(arrays)}
            arrays.append(np.ascontiguousarray(_narrowed(value)))
        elif isinstance(value, FixedPoint):
            encoded[field.name] = _encode_format(value)
        else:
            encoded[field.name] = list(value) if isinstance(value, tuple) else value
    return encoded


def _narrowed(array: np.ndarray) -> np.ndarray:
    """Truth tables of few inputs, and constants of few bits, fit in fewer bytes."""
    if array.dtype not in (np.uint64, np.int64) or array.size == 0:
        return array
    small = np.result_type(np.min_scalar_type(array.max()), np.min_scalar_type(array.min()))
    if array.dtype == np.int64:  # signed, whatever the values are
        small = np.result_type(small, np.int8)
    return array.astype(small)


def _decode(data: bytes) -> Network:
    if data[: len(MAGIC)] != MAGIC:
        raise FormatError("not a .lgn file: its first bytes are not the .lgn signature")
    if len(data) < _PREFIX.size + _DIGEST:
        raise FormatError(f"the file ends after {len(data)} bytes, inside its prefix")
    _, version, _, length = _PREFIX.unpack_from(data)
    if version > VERSION:
        raise FormatError(
            f"written in .lgn version {version}, this program reads up to {VERSION}",
            hint="upgrade lgn-hdl",
        )
    if hashlib.sha256(memoryview(data)[:-_DIGEST]).digest() != data[-_DIGEST:]:
        raise FormatError("the checksum does not match: the file is broken or cut short")
    payload = memoryview(data)[_PREFIX.size + length : -_DIGEST]
    if _PREFIX.size + length + _DIGEST > len(data):
        raise FormatError(f"the header claims {length} bytes, more than the file has")
    try:
        text = data[_PREFIX.size : _PREFIX.size + length]
        header = json.loads(text, parse_constant=_no_json)
        arrays = _decode_arrays(header["arrays"], payload)
        names = _texts([entry["name"] for entry in header["inputs"]], "inputs")
        if len(set(names)) < len(names):
            raise FormatError(f"the name of an input is given twice: {', '.join(names)}")
        return Network(
            inputs=dict(zip(names, map(_decode_type, header["inputs"]), strict=True)),
            nodes=tuple(_decode_node(entry, arrays) for entry in header["nodes"]),
            outputs=_texts(header["outputs"], "outputs"),
            classes=_texts(header["classes"], "classes"),
            meta=dict(header["meta"]),
        )
    except (
        LookupError,
        ArithmeticError,
        TypeError,
        ValueError,
        AttributeError,
        RecursionError,
    ) as error:
        raise FormatError(f"the header is not understood: {error!r}") from None


def _no_json(constant: str) -> float:
    raise ValueError(f"{constant} is not a JSON number")


def _texts(value: Any, what: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise FormatError(f"{what} are {value!r}, expected a list of names")
    return tuple(value)


def _decode_arrays(entries: list[dict[str, Any]], payload: memoryview) -> dict[int, np.ndarray]:
    arrays = {i: _decode_array(entry, payload) for i, entry in enumerate(entries)}
    if sum(array.nbytes for array in arrays.values()) > len(payload):
        raise FormatError("the arrays overlap")
    return arrays


def _decode_array(entry: dict[str, Any], payload: memoryview) -> np.ndarray:
    name, shape, offset = entry["dtype"], tuple(entry["shape"]), entry["offset"]
    if name not in _STORED or any(type(n) is not int or n < 0 for n in (*shape, offset)):
        raise FormatError(f"array of {name} and shape {shape} at {offset} is not allowed")
    dtype = np.dtype(name).newbyteorder("<")
    count = prod(shape)
    if offset + count * dtype.itemsize > len(payload):
        raise FormatError(f"array of {name} and shape {shape} lies beyond the end of the file")
    return np.frombuffer(payload, dtype, count, offset).reshape(shape)


def _decode_type(entry: dict[str, Any]) -> TensorType:
    element = entry["element"]
    if isinstance(element, list):
        element = _decode_format(element)
    elif element not in ("bit", "real"):
        raise FormatError(f"tensor element {element!r} is unknown")
    return TensorType(tuple(entry["shape"]), element, bool(entry["masked"]))


def _decode_format(value: list[Any]) -> FixedPoint:
    width, fraction, signed, scale = value
    if type(width) is not int or type(fraction) is not int or not _RATIONAL.fullmatch(scale):
        raise FormatError(f"number format {value!r} is not understood")
    return FixedPoint(width, fraction, bool(signed), Fraction(scale))


def _decode_node(entry: dict[str, Any], arrays: dict[int, np.ndarray]) -> Node:
    """The layer takes its arrays out of `arrays`: none is used twice."""
    kind, (name,) = entry["type"], _texts([entry["name"]], "names of layers")
    if kind not in _LAYERS:
        raise FormatError(f"layer {name!r} is of the unknown type {kind!r}")
    values: dict[str, Any] = {}
    for key, value in entry["fields"].items():
        if key in _ARRAY_FIELDS:
            dtype = np.dtype(_ARRAY_FIELDS[key])
            stored = arrays.pop(value["array"])
            if not np.can_cast(stored.dtype, dtype, "safe"):
                raise FormatError(f"layer {name!r}: {key} is stored as {stored.dtype}")
            values[key] = stored.astype(dtype)
        elif key in _FORMAT_FIELDS and isinstance(value, list):
            values[key] = _decode_format(value)
        elif key in _TUPLE_FIELDS and isinstance(value, list):
            if any(type(n) is not int for n in value):
                raise FormatError(f"layer {name!r}: {key} is {value!r}, expected integers")
            values[key] = tuple(value)
        elif type(value) in _SCALAR_FIELDS.get(key, ()):
            values[key] = value
        else:
            raise FormatError(f"layer {name!r}: {key} is {value!r}, which is not understood")
    return Node(name, _LAYERS[kind](**values), _texts(entry["inputs"], f"inputs of {name!r}"))
