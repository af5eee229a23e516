"""Gate lists as files: two kinds of .npz, and a .csv."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from zipfile import BadZipFile

import numpy as np

from ...errors import FormatError

__all__ = ["GATES", "GateLayer", "read_arrays", "read_csv", "read_npz"]

CSV_COLUMNS = ("layer", "neuron", "input_a", "input_b", "gate_id")
GATES = 16


@dataclass(frozen=True, eq=False)
class GateLayer:
    """One layer of two-input gates.

    Parameters
    ----------
    a, b : ndarray of integers, shape (N,)
        Indices of the first and second input.
    gate : ndarray of uint8, shape (N,)
        Gate id g as printed: the output is bit 3 - (2·a + b) of g.
    name : str
        Where in the file it stands, for messages.
    """

    a: np.ndarray
    b: np.ndarray
    gate: np.ndarray
    name: str

    def __post_init__(self) -> None:
        for key, array in (("input a", self.a), ("input b", self.b), ("gate ids", self.gate)):
            if array.dtype.kind not in "iu" or array.ndim != 1 or array.size == 0:
                raise FormatError(
                    f"{key} are {array.dtype} of shape {array.shape}, expected a list of integers",
                    where=self.name,
                )
        sizes = (self.a.size, self.b.size, self.gate.size)
        if len(set(sizes)) > 1:
            raise FormatError(
                f"inputs a, b and gate ids have the lengths {sizes}, expected equal ones",
                where=self.name,
            )
        wrong = (self.gate < 0) | (self.gate >= GATES)
        if wrong.any():
            neuron = int(np.argmax(wrong))
            raise FormatError(
                f"gate {neuron} has the id {self.gate[neuron]}, expected 0 to 15", where=self.name
            )


def read_arrays(data: bytes) -> dict[str, np.ndarray]:
    """Arrays of a .npz file; pickled objects in it are refused, never loaded."""
    try:
        archive = np.load(BytesIO(data), allow_pickle=False)
        if isinstance(archive, np.ndarray):
            raise FormatError("a single array (.npy), expected an .npz file")
        with archive:
            return {name: archive[name] for name in archive.files}
    except (ValueError, KeyError, EOFError, OSError, BadZipFile, zlib.error, MemoryError) as error:
        raise FormatError(f"the .npz file cannot be read: {error}") from None
    except RuntimeError as error:  # an unusual compression or an encrypted member
        raise FormatError(f"the .npz file cannot be read: {error}") from None


def read_npz(data: bytes) -> list[GateLayer]:
    """`gate_types`, `connections.A`, `connections.B`; or `layer{i}.a`, `.b`, `.gate`."""
    arrays = read_arrays(data)
    if "gate_types" in arrays:
        return _stacked(arrays)
    numbers = sorted(int(m[1]) for key in arrays if (m := re.fullmatch(r"layer(\d+)\.gate", key)))
    if not numbers:
        raise FormatError(
            f"the .npz file holds {_names(arrays)}, not a gate list",
            hint="expected gate_types, connections.A and connections.B; "
            "or layer0.a, layer0.b, layer0.gate and so on",
        )
    if numbers != list(range(len(numbers))):
        raise FormatError(f"layers {numbers} are there, expected 0, 1, 2 and so on without a gap")
    layers = []
    for i in numbers:
        parts = [_get(arrays, f"layer{i}.{part}") for part in ("a", "b", "gate")]
        layers.append(GateLayer(*parts, name=f"layer{i}"))
    return layers


def _stacked(arrays: Mapping[str, np.ndarray]) -> list[GateLayer]:
    gates = arrays["gate_types"]
    a, b = _get(arrays, "connections.A"), _get(arrays, "connections.B")
    if gates.ndim != 2 or not gates.shape == a.shape == b.shape:
        raise FormatError(
            f"gate_types, connections.A and connections.B have the shapes "
            f"{gates.shape}, {a.shape} and {b.shape}, expected (layers, gates) for all"
        )
    return [GateLayer(a[i], b[i], gates[i], name=f"layer {i}") for i in range(len(gates))]


def _get(arrays: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    if name not in arrays:
        raise FormatError(f"array {name!r} is missing, the file holds {_names(arrays)}")
    return arrays[name]


def _names(arrays: Mapping[str, Any]) -> str:
    names = sorted(map(str, arrays))
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def read_csv(data: bytes) -> list[GateLayer]:
    """Columns layer, neuron, input_a, input_b, gate_id, one gate per line in any order."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FormatError("neither a known binary file nor text") from None
    header, _, body = text.partition("\n")
    columns = [column.strip().strip('"') for column in header.split(",")]
    missing = [column for column in CSV_COLUMNS if column not in columns]
    if missing:
        raise FormatError(
            f"the first line has no column {missing[0]!r}",
            hint=f"a .csv gate list has the columns {', '.join(CSV_COLUMNS)}",
        )
    if not body.strip():
        raise FormatError("the .csv file has a header and no gates")
    where = [columns.index(column) for column in CSV_COLUMNS]
    try:
        rows = np.loadtxt(
            body.splitlines(), np.int64, delimiter=",", comments=None, usecols=where, ndmin=2
        )
    except (ValueError, OverflowError) as error:
        raise FormatError(f"the .csv file has a line that is not a gate: {error}") from None
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    numbers, starts = np.unique(rows[:, 0], return_index=True)
    if numbers[0] not in (0, 1) or numbers[-1] - numbers[0] + 1 != numbers.size:
        raise FormatError(
            f"layers are numbered {numbers[:8].tolist()}, expected 0, 1, 2 … or 1, 2, 3 …"
        )
    layers = np.split(rows, starts[1:])
    return [_csv_layer(layer, number) for layer, number in zip(layers, numbers, strict=True)]


def _csv_layer(rows: np.ndarray, number: int) -> GateLayer:
    name = f"layer {number}"
    wrong = rows[:, 1] != np.arange(len(rows))
    if wrong.any():
        raise FormatError(
            f"has {len(rows)} gates and no neuron {np.argmax(wrong)}, or one twice", where=name
        )
    return GateLayer(rows[:, 2], rows[:, 3], rows[:, 4], name=name)
