"""The small file that says what the layers of a QKeras model are, where only weights were saved."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import FormatError
from ..files import ZIP, read_file, read_json
from .keras_file import read_keras

__all__ = ["FORMAT", "Architecture", "architecture", "read_architecture"]

FORMAT, VERSION = "sparsepixels-architecture", 1
_BITS = re.compile(r"quantized_bits\((\d+),\s*(-?\d+)(?:,\s*alpha=1(?:\.0)?)?\)")
#: What a layer of each type has to say, and what it may.
FIELDS: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "QConv2D": (("kernel_quantizer", "bias_quantizer"), ("activation",)),
    "QDense": (("kernel_quantizer", "bias_quantizer"), ("activation",)),
    "QActivation": (("activation",), ()),
    "Activation": (("activation",), ()),
    "AveragePooling2D": (("pool_size",), ()),
    "MaxPooling2D": (("pool_size",), ()),
    "Flatten": ((), ()),
}


@dataclass(frozen=True)
class Architecture:
    """Layers of a model, and how its pixels are chosen where the file says it.

    Parameters
    ----------
    layers : sequence of mapping
        As in a `KerasModel`.
    slots : int, optional
    threshold : float, optional
    """

    layers: Sequence[Mapping[str, Any]]
    slots: int | None = None
    threshold: float | None = None


def read_architecture(source: str | Path | Mapping[str, Any]) -> Architecture:
    """Read the layers of a model from a `.keras` file, a JSON file, or what one holds.

    Raises
    ------
    FormatError
        If it is none of these, naming the file and the layer.
    """
    if isinstance(source, Mapping):
        return _from_json(source)
    path = Path(source)
    try:
        if read_file(path).startswith(ZIP):
            return Architecture(read_keras(path).layers)
        return _from_json(read_json(path))
    except FormatError as error:
        where = error.where or ""
        raise error if where.startswith(str(path)) else error.at(str(path)) from None


def architecture(
    layers: Sequence[Mapping[str, Any]], slots: int | None = None, threshold: float | None = None
) -> dict[str, Any]:
    """The small description of the layers of a `KerasModel`, for a JSON file.

    Raises
    ------
    FormatError
        If a layer is none of a SparsePixels model.
    """
    found: dict[str, Any] = {"format": FORMAT, "version": VERSION}
    described = []
    for layer in layers:
        kind, config = layer["class_name"], layer["config"]
        if kind == "InputLayer":
            found["input_shape"] = list(config["batch_input_shape"][1:])
            continue
        if kind not in FIELDS:
            raise _unknown(kind, f"layer {config.get('name')!r}")
        entry = {"type": kind, "name": config["name"]}
        for field in (name for names in FIELDS[kind] for name in names):
            value = config[field]
            if isinstance(value, Mapping):
                value = f"quantized_bits({value['config']['bits']}, {value['config']['integer']})"
            entry[field] = value
        described.append(entry)
    chosen = {"slots": slots, "threshold": threshold}
    return {**found, **{k: v for k, v in chosen.items() if v is not None}, "layers": described}


def _from_json(found: Mapping[str, Any]) -> Architecture:
    if found.get("format") != FORMAT or found.get("version") != VERSION:
        raise FormatError(
            f"the architecture is {found.get('format')!r}, version {found.get('version')!r}, "
            f"expected {FORMAT!r}, version {VERSION}"
        )
    shape, layers = found.get("input_shape"), found.get("layers")
    if not isinstance(shape, list) or not _integers(shape, 3):
        raise FormatError(
            f"architecture: 'input_shape' is {shape!r}, expected height, width and channels"
        )
    if not isinstance(layers, list) or not layers:
        raise FormatError("architecture: 'layers' is not a list of layers")
    slots, threshold = found.get("slots"), found.get("threshold")
    if slots is not None and not _integers([slots], 1):
        raise FormatError(f"architecture: 'slots' is {slots!r}, expected a number of pixels")
    if threshold is not None and not isinstance(threshold, (int, float)):
        raise FormatError(f"architecture: 'threshold' is {threshold!r}, expected a number")
    start = {"name": "x_in", "batch_input_shape": [None, *shape]}
    made = [{"class_name": "InputLayer", "config": start}]
    made += [_layer(entry, number) for number, entry in enumerate(layers)]
    return Architecture(made, slots, threshold)


def _layer(entry: Any, number: int) -> dict[str, Any]:
    """A layer as Keras writes it, with the options that it does not say as they have to be."""
    where = f"architecture, layer {number}"
    if not isinstance(entry, Mapping):
        raise FormatError(f"is {entry!r}, expected an object", where=where)
    kind = str(entry.get("type"))
    if kind not in FIELDS:
        raise _unknown(kind, where)
    needed, optional = FIELDS[kind]
    wrong = [key for key in entry if key not in ("type", "name", *needed, *optional)]
    if wrong:
        raise FormatError(f"{kind}: {wrong[0]!r} is no field of it", where=where)
    config: dict[str, Any] = {"name": entry.get("name"), "activation": "linear", "use_bias": True}
    config |= {"data_format": "channels_last"}
    for field in ("name", *needed):
        if entry.get(field) is None:
            raise FormatError(f"{kind}: {field!r} is missing", where=where)
    config |= {field: entry[field] for field in (*needed, *optional) if field in entry}
    for field in ("kernel_quantizer", "bias_quantizer"):
        if field in config:
            config[field] = _bits(config[field], f"{where}: {kind}: {field!r}")
    if "pool_size" in config:
        if not _integers(config["pool_size"], 2):
            raise FormatError(f"{kind}: 'pool_size' is {config['pool_size']!r}", where=where)
        config |= {"strides": config["pool_size"], "padding": "valid"}
    elif kind == "QConv2D":
        config |= {"strides": [1, 1], "padding": "same", "dilation_rate": [1, 1], "groups": 1}
    return {"class_name": kind, "config": config}


def _bits(text: Any, where: str) -> dict[str, Any]:
    match = _BITS.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise FormatError(f"is {text!r}, expected 'quantized_bits(B, I)'", where=where)
    options = {"bits": int(match[1]), "integer": int(match[2]), "alpha": 1, "keep_negative": True}
    return {"class_name": "quantized_bits", "config": options}


def _integers(values: Any, count: int) -> bool:
    return (
        isinstance(values, (list, tuple))
        and len(values) == count
        and all(type(n) is int and n > 0 for n in values)
    )


def _unknown(kind: Any, where: str) -> FormatError:
    return FormatError(
        f"{kind} is no layer of a SparsePixels model",
        where=where,
        hint="expected " + ", ".join(FIELDS),
    )
