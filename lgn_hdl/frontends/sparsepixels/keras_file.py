"""Reads what Keras saves: the layers in a `.keras` file, weights in it or in an HDF5 file."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import FormatError

if TYPE_CHECKING:
    import h5py

__all__ = ["KerasModel", "read_keras", "read_variables", "read_weights", "snake_case"]

#: Variables of a layer, in the order in which Keras numbers them.
VARIABLES = ("kernel", "bias")


@dataclass(frozen=True)
class KerasModel:
    """The layers of a model one after another, and their weights.

    Parameters
    ----------
    layers : sequence of mapping
        `class_name` and `config` of each layer, as Keras writes them, in the order of the data.
    weights : mapping of str to mapping of str to ndarray
        By the name of the layer, then `kernel` and `bias`.
    variables : mapping of str to ndarray
        All of the file, by their place in it, of a model with quantisers of HGQ2.
    """

    layers: Sequence[Mapping[str, Any]]
    weights: Mapping[str, Mapping[str, np.ndarray]]
    variables: Mapping[str, np.ndarray] = field(default_factory=dict)


def read_keras(path: str | Path) -> KerasModel:
    """Read a `.keras` file with its layers in a chain.

    Raises
    ------
    FormatError
        If it is not such a file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
            stored = archive.read("model.weights.h5")
        layers = config["config"]["layers"]
        hgq = any(layer["class_name"] == "InputReduce" for layer in layers)
        # Keras 3 writes mappings here, Keras 2 with QKeras lists.
        calls = layers[-1].get("inbound_nodes", [{}])
        if not hgq and any(isinstance(call, Mapping) for call in calls):
            raise FormatError(
                "is a model of Keras 3 without an input reduction",
                where=str(path),
                hint="expected one with the layers of sparsepixels 0.3, or one of QKeras",
            )
        if not all(isinstance(layer["config"]["name"], str) for layer in layers):
            raise ValueError("a layer has no name")
        layers = layers if hgq else _chain(layers)
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        raise FormatError(f"is no model that Keras saved: {error!r}", where=str(path)) from None
    with _open(io.BytesIO(stored), path) as file:
        if hgq:
            return KerasModel(layers, {}, dict(_datasets(file)))
        return KerasModel(layers, _numbered(file, layers, path))


def read_weights(
    path: str | Path, layers: Sequence[Mapping[str, Any]] = ()
) -> Mapping[str, Mapping[str, np.ndarray]]:
    """Read the weights in an HDF5 file, by layer and variable.

    Parameters
    ----------
    path : str or Path
    layers : sequence of mapping
        The model's, as in a `KerasModel`: some files number the layers of a kind instead of naming
        them.

    Raises
    ------
    FormatError
        If it is not such a file.
    """
    found: dict[str, dict[str, np.ndarray]] = {}
    with _open(path, path) as file:
        if layers and any("/vars/" in name for name, _ in _datasets(file)):
            return _numbered(file, layers, path)
        for name, array in _datasets(file):
            layer, variable = name.split("/")[0], name.split("/")[-1].partition(":")[0]
            found.setdefault(layer, {})[variable] = array
    if not found:
        raise FormatError("holds no weights", where=str(path))
    return found


def read_variables(path: str | Path) -> Mapping[str, np.ndarray]:
    """Read the variables in an HDF5 file, by their place in it."""
    with _open(path, path) as file:
        return dict(_datasets(file))


def _chain(layers: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The layers, each of which reads the one before."""
    last: str | None = None
    for layer in layers:
        inputs = [node[0] for call in layer["inbound_nodes"] for node in call]
        if inputs != ([last] if last is not None else []):
            raise ValueError(f"layer {layer['config']['name']!r} reads {inputs}, expected {last!r}")
        last = layer["config"]["name"]
    return list(layers)


def _numbered(
    file: h5py.File, layers: Sequence[Mapping[str, Any]], path: str | Path
) -> Mapping[str, Mapping[str, np.ndarray]]:
    """Weights that Keras files under the class of a layer and its number among its kind."""
    stored = dict(_datasets(file))
    seen: Counter[str] = Counter()
    weights: dict[str, dict[str, np.ndarray]] = {}
    for layer in layers:
        kind = snake_case(layer["class_name"])
        name = kind + (f"_{seen[kind]}" if seen[kind] else "")
        seen[kind] += 1
        for number, variable in enumerate(VARIABLES):
            ends = [key for key in stored if key.endswith(f"/{name}/vars/{number}")]
            if ends:
                weights.setdefault(layer["config"]["name"], {})[variable] = stored[ends[0]]
    if not weights:
        raise FormatError("holds no weights of its layers", where=str(path))
    return weights


def snake_case(name: str) -> str:
    """QConv2D is stored as q_conv2d."""
    out = ""
    for i, letter in enumerate(name):
        new_word = (
            letter.isupper() and i and (name[i - 1].islower() or name[i + 1 : i + 2].islower())
        )
        out += ("_" if new_word else "") + letter.lower()
    return out


def _datasets(file: h5py.File) -> list[tuple[str, np.ndarray]]:
    import h5py

    found: list[tuple[str, np.ndarray]] = []

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "fu":
            found.append((name, np.asarray(item[()], np.float64)))

    file.visititems(visit)
    return found


def _open(source: Any, path: str | Path) -> h5py.File:
    try:
        import h5py
    except ImportError:
        raise FormatError(
            "is read with h5py, which is not installed",
            where=str(path),
            hint='pip install "lgn-hdl[keras]"',
        ) from None
    try:
        return h5py.File(source, "r")
    except OSError as error:
        raise FormatError(f"is no HDF5 file: {error}", where=str(path)) from None
