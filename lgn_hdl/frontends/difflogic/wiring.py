"""What a difflogic state_dict lacks: the connections, and number of inputs, groups and tau."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from ...errors import FormatError
from ..files import ZIP, load_torch, read_file, zip_names
from ..gatelist.files import read_arrays

__all__ = ["Wiring", "in_order", "input_pair", "read_wiring"]

SUFFIX = "indices"
HINT = "expected an .npz file or torch.save of the indices of every layer, each of shape (2, N)"


@dataclass(frozen=True, eq=False)
class Wiring:
    """The connections of a network.

    Parameters
    ----------
    layers : sequence of ndarray of integers, each of shape (2, N)
        Indices of the first and the second inputs of every layer, in the order of the layers.
    inputs : int, optional
        Number of inputs of the first layer.
    groups : int, optional
        Number of classes of the group sum.
    tau : float
        What the group sum divides by.
    """

    layers: Sequence[np.ndarray]
    inputs: int | None = None
    groups: int | None = None
    tau: float = 1.0


def read_wiring(source: str | Path | Mapping[Any, Any] | Sequence[Any] | Any) -> Wiring:
    """The wiring in a file, or in what such a file holds.

    Parameters
    ----------
    source : path, mapping, sequence, Tensor or ndarray
        The connections of a layer are a (2, N) tensor or array, or a pair (A, B). They stand in
        a list, or in a mapping whose keys are `<path>.indices` or anything with numbers to sort
        by. A mapping may also have `inputs`, `groups` and `tau`.

    Raises
    ------
    FormatError
        If the file cannot be read, or holds something else.
    """
    where = SUFFIX
    try:
        if isinstance(source, str | Path):
            where = str(source)
            source = _read(Path(source))
        return _wiring(source)
    except FormatError as error:
        raise error.at(where) from None


def _read(path: Path) -> Any:
    data = read_file(path)
    if not data.startswith(ZIP):
        raise FormatError("neither an .npz file nor a torch file", hint=HINT)
    if any(name.endswith("data.pkl") for name in zip_names(path)):
        return load_torch(path, HINT)
    return read_arrays(data)


def _wiring(found: Any) -> Wiring:
    options: dict[str, Any] = {}
    if isinstance(found, Mapping):
        found = {str(key): value for key, value in found.items()}
        for name in ("inputs", "groups", "tau"):
            if name in found:
                options[name] = _number(found.pop(name), name)
        if list(found) == [SUFFIX]:  # all layers under one key
            found = found[SUFFIX]
    if isinstance(found, Mapping):
        named = {key.removesuffix(f".{SUFFIX}"): value for key, value in found.items()}
    elif isinstance(found, Tensor | np.ndarray) and found.ndim == 2:
        named = {"0": found}
    elif isinstance(found, list | tuple) or getattr(found, "ndim", 0) == 3:
        named = {str(i): value for i, value in enumerate(found)}
    else:
        raise FormatError(f"holds a {type(found).__name__}", hint=HINT)
    if not named:
        raise FormatError("holds no layer", hint=HINT)
    pairs = {}
    for name, value in named.items():
        try:
            pairs[name] = input_pair(value)
        except FormatError as error:
            raise error.at(f"layer {name!r}") from None
    return Wiring([pairs[name] for name in in_order(pairs)], **options)


def _number(value: Any, name: str) -> int | float:
    """A positive number; a whole one unless it is `tau`."""
    array = _array(value) if isinstance(value, Tensor | np.ndarray | int | float) else np.array(())
    kinds = "iuf" if name == "tau" else "iu"
    if array.size != 1 or array.dtype.kind not in kinds:
        raise FormatError(f"{name!r} is {value!r}, expected a number")
    number = array.item()
    if not (isfinite(number) and number > 0):
        raise FormatError(f"{name!r} is {number}, expected more than 0")
    return float(number) if name == "tau" else number


def input_pair(value: Any) -> np.ndarray:
    """Indices of shape (2, N) from such a tensor or array, or from a pair (A, B).

    Raises
    ------
    FormatError
        If it is something else.
    """
    try:
        pair = isinstance(value, list | tuple)
        array = np.stack([_array(part) for part in value]) if pair else _array(value)
    except (TypeError, ValueError):  # no numbers at all, or lists of different lengths
        raise FormatError("the indices are not two lists of the same length") from None
    if array.dtype.kind not in "iu" or array.ndim != 2 or array.shape[0] != 2:
        raise FormatError(
            f"the indices are {array.dtype} of shape {array.shape}, "
            "expected integers of shape (2, neurons)"
        )
    return array


def _array(value: Any) -> np.ndarray:
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)


def in_order(names: Iterable[str]) -> list[str]:
    """Names by the numbers in them: "2" stands before "10", and "1.9" before "2.0".

    Raises
    ------
    FormatError
        If two names differ in more than their numbers, so that their order cannot be known.
    """
    # Odd parts are numbers, even ones the text between them.
    parts = {name: re.split(r"(\d+)", name) for name in names}
    keys = {name: [int(p) if i % 2 else p for i, p in enumerate(parts[name])] for name in parts}
    ordered = sorted(parts, key=keys.__getitem__)
    for a, b in pairwise(ordered):
        differ = [x != y for x, y in zip(keys[a], keys[b], strict=False)]
        if True not in differ or differ.index(True) % 2 == 0:
            raise FormatError(f"the order of the layers {a!r} and {b!r} cannot be known")
    return ordered
