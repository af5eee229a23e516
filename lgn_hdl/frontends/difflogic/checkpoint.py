"""From a difflogic state_dict and its connections to a Network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from ...errors import FormatError, NetworkError
from ...network import FixedPoint, Network
from .. import gatelist
from .gates import gate_layer
from .wiring import SUFFIX, in_order, read_wiring

__all__ = ["from_state_dict", "is_checkpoint", "load"]

#: Parts of layers of other libraries whose parameters are called `weights`, too.
OTHERS = ("connections", "mapping")


def is_checkpoint(state: Mapping[str, Any]) -> bool:
    """Whether a state_dict has weights of a LogicLayer."""
    return any(_layer_path(key) is not None for key in state)


def load(
    state: Mapping[str, Any],
    checkpoint: Mapping[str, Any],
    path: Path,
    *,
    indices: str | Path | Mapping[Any, Any] | Sequence[Any] | None = None,
    **options: Any,
) -> Network:
    """The network of a checkpoint; its connections are looked for where they may be.

    Parameters
    ----------
    state : mapping of str to Tensor
        The state_dict; `<path>.indices` in it are connections.
    checkpoint : mapping
        The whole content of the file, which may have `indices`.
    path : Path
        The file; `<stem>.indices.npz` and `<stem>.indices.pt` beside it are the last resort.
    indices : path, mapping or sequence, optional
        The connections, or a file of them.
    **options
        As for `from_state_dict`.

    Raises
    ------
    FormatError
        If there are no connections, or they or the state_dict are not well formed.
    NetworkError
        If an index is out of range or the options do not fit.
    """
    stored = {k: v for k, v in state.items() if k.rpartition(".")[2] == SUFFIX}
    for found in (indices, checkpoint.get(SUFFIX), stored or None, _beside(path)):
        if found is not None:
            return from_state_dict(state, found, **options)
    name = path.with_suffix(f".{SUFFIX}.npz").name
    raise FormatError(
        "a difflogic state_dict does not hold the connections of its layers, and there is no "
        f"{name} beside it",
        hint="where the module is, write one with "
        f"lgn_hdl.frontends.difflogic.save_indices(module, {name!r})",
    )


def _beside(path: Path) -> Path | None:
    candidates = (path.with_suffix(f".{SUFFIX}{ending}") for ending in (".npz", ".pt"))
    return next((file for file in candidates if file.is_file()), None)


def from_state_dict(
    state: Mapping[str, Tensor],
    indices: str | Path | Mapping[Any, Any] | Sequence[Any],
    *,
    groups: int | None = None,
    thresholds: str | Path | np.ndarray | None = None,
    inputs: int | None = None,
    input_format: FixedPoint | str | None = None,
    classes: Sequence[str] = (),
) -> Network:
    """Build a Network from a state_dict and the connections of its layers.

    The layers follow each other in the order of the numbers in their paths.

    Parameters
    ----------
    state : mapping of str to Tensor
        `<path>.weights` of shape (N, 16) for every LogicLayer.
    indices : path, mapping or sequence
        What `indices(module)` returned, a file of it, or the `indices` of every LogicLayer in a
        list; in the order of the layers.
    groups : int, optional
        Number of classes. By default the `groups` beside the indices; if there are none either,
        the network's output is the bits of the last layer.
    thresholds : path or ndarray, optional
        Thresholds (F, T) or (T,) of F real features; without them the inputs are bits.
    inputs : int, optional
        Number of input bits. By default the `inputs` beside the indices, else the largest index
        that the first layer reads, plus one.
    input_format, classes
        As in `convert`.

    Raises
    ------
    FormatError
        If the state_dict or the indices are not well formed or do not belong together.
    NetworkError
        If an index is out of range or the groups do not fit.
    """
    paths = {key: _layer_path(key) for key in state if key.rpartition(".")[2] != SUFFIX}
    odd = [key for key, path in paths.items() if path is None]
    if odd:
        raise FormatError(f"the state_dict has {odd[0]!r}, which no LogicLayer has")
    ordered = in_order(str(path) for path in paths.values())
    wiring = read_wiring(indices)
    if len(wiring.layers) != len(ordered):
        raise FormatError(
            f"the indices are for {len(wiring.layers)} layers, "
            f"the state_dict has {len(ordered)} ({', '.join(ordered)})"
        )
    width = wiring.inputs if inputs is None else inputs
    layers = []
    for path, pair in zip(ordered, wiring.layers, strict=True):
        where = f"layer {path!r}"
        layers.append(gate_layer(state[f"{path}.weights" if path else "weights"], pair, where))
        if layers[1:]:
            _check_range(pair, width=layers[-2].gate.size, where=where)
    return gatelist.build(
        layers,
        groups=wiring.groups if groups is None else groups,
        tau=wiring.tau,
        thresholds=thresholds,
        inputs=width,
        input_format=input_format,
        classes=classes,
        meta={"source": "difflogic"},
    )


def _layer_path(key: str) -> str | None:
    """Path of the LogicLayer whose weights stand under `key`, if it is one."""
    path, _, name = key.rpartition(".")
    return path if name == "weights" and path.rpartition(".")[2] not in OTHERS else None


def _check_range(pair: np.ndarray, *, width: int, where: str) -> None:
    wrong = (pair < 0) | (pair >= width)
    if wrong.any():
        row, neuron = np.argwhere(wrong)[0]
        raise NetworkError(
            f"neuron {neuron}, input {row}: index {pair[row, neuron]} is out of range, "
            f"the layer has {width} inputs",
            where=where,
        )
