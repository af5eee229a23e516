"""Live difflogic modules: to a Network, or to a file of what their state_dict lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from ...errors import LgnError, NetworkError
from ...network import FixedPoint, GroupSum, Layer, LutLayer, Network, Reshape, TensorType
from ..assemble import chain, gate_tables, input_type, wires
from ..modules import kind_of, leaves
from ..torchlogix.shapes import flattened
from .gates import gate_layer
from .wiring import SUFFIX, input_pair

__all__ = ["convert", "indices", "is_module", "save_indices"]

HINT = "expected difflogic's LogicLayer, GroupSum and Flatten in a Sequential"


def is_module(module: nn.Module) -> bool:
    """Whether a module is a network of this library: there is a LogicLayer in it."""
    return any(kind_of(part) == "LogicLayer" for part in module.modules())


def convert(
    module: nn.Module,
    input_shape: int | Sequence[int] | None = None,
    *,
    input_format: FixedPoint | str | None = None,
    classes: Sequence[str] = (),
) -> Network:
    """Turn a live difflogic module into a Network that decides as the module in eval mode does.

    Parameters
    ----------
    module : torch.nn.Module
        A Sequential of LogicLayer, Flatten and GroupSum (nested ones and subclasses included), or
        a module whose only child is one. It is not changed.
    input_shape : int or sequence of int, optional
        Shape of one sample, without the batch axis. By default the inputs of the first
        LogicLayer, flat.
    input_format : FixedPoint or str, optional
        These networks take bits, so nothing but "bit" fits.
    classes : sequence of str
        Names of the classes.

    Raises
    ------
    NetworkError
        If a layer is not supported or does not fit.
    FormatError
        If weights or indices are not well formed.
    """
    found = _layers(module)
    if isinstance(input_shape, int):
        input_shape = (input_shape,)
    path, kind, first = next(layer for layer in found if layer[1] == "LogicLayer")
    with _at(kind, path):
        shape = input_shape or (int(first.in_dim),)
    source = current = input_type(shape, bits=True, input_format=input_format)
    layers: list[tuple[str, Layer]] = []
    for path, kind, layer in found:
        with _at(kind, path):
            if layers and isinstance(layers[-1][1], GroupSum):
                raise NetworkError(f"{kind} follows a GroupSum, which must be the last layer")
            prefix, make = _MAKERS[kind]
            made = make(layer, current)
            if isinstance(made, Reshape) and made.shape == current.shape:
                continue
            current = made.infer(current)
        count = sum(name.startswith(prefix) for name, _ in layers)
        layers.append((f"{prefix}{count}" if count or kind == "LogicLayer" else prefix, made))
    return chain(source, layers, classes, {"source": "difflogic"})


def indices(module: nn.Module) -> dict[str, np.ndarray]:
    """What the state_dict of a live module lacks, for `numpy.savez`.

    Returns
    -------
    dict of str to ndarray
        `<path>.indices` of shape (2, N) for every LogicLayer; `inputs`, the number of inputs of
        the first one; `groups` and `tau` of the GroupSum, if there is one.

    Raises
    ------
    NetworkError
        If a layer is not supported, or the layers do not simply follow each other.
    FormatError
        If indices are not well formed.
    """
    arrays: dict[str, np.ndarray] = {}
    width = None
    for path, kind, layer in _layers(module):
        with _at(kind, path):
            if kind == "GroupSum":
                made = _group_sum(layer)
                arrays["groups"], arrays["tau"] = np.array(made.groups), np.array(made.tau)
            elif kind == "LogicLayer":
                if width not in (None, layer.in_dim):
                    raise NetworkError(
                        f"takes {layer.in_dim} inputs, the layer before has {width} outputs",
                        hint="save the network with lgn_hdl.convert(module, shape).save(path)",
                    )
                pair = input_pair(layer.indices)
                arrays.setdefault("inputs", np.array(layer.in_dim))
                arrays[f"{path}.{SUFFIX}" if path else SUFFIX] = pair
                width = pair.shape[1]
    return arrays


def save_indices(module: nn.Module, path: str | Path) -> None:
    """Write `indices(module)` to an .npz file.

    Parameters
    ----------
    module : torch.nn.Module
    path : str or Path
        `net.indices.npz`, to stand beside the state_dict `net.pth`.

    Raises
    ------
    NetworkError, FormatError
        As `indices`.
    """
    arrays: dict[str, Any] = {**indices(module)}
    with open(path, "wb") as file:  # savez would append .npz to another name
        np.savez_compressed(file, **arrays)


def _layers(module: nn.Module) -> list[tuple[str, str, Any]]:
    found = list(leaves(module, _MAKERS, _unsupported))
    if all(kind != "LogicLayer" for _, kind, _ in found):
        raise NetworkError("there is no LogicLayer in the module", hint=HINT)
    return found


def _unsupported(kind: str, path: str) -> NetworkError:
    text = f"{kind} is not a layer this program knows in a difflogic network"
    return NetworkError(text, where=f"layer {path!r}", hint=HINT)


@contextmanager
def _at(kind: str, path: str) -> Iterator[None]:
    """Errors inside name the layer."""
    try:
        yield
    except LgnError as error:
        raise error.at(f"layer {path!r}") from None
    except (AttributeError, TypeError, ValueError) as error:
        text = f"{kind} is not as difflogic 0.1 makes it: {error}"
        raise NetworkError(text, where=f"layer {path!r}") from None


def _flatten(layer: Any, source: TensorType) -> Layer:
    return Reshape(flattened(source.shape, layer.start_dim, layer.end_dim))


def _logic(layer: Any, source: TensorType) -> Layer:
    if not source.shape or source.shape[-1] != layer.in_dim:
        raise NetworkError(f"takes {layer.in_dim} inputs on the last axis, its input is {source}")
    pair = input_pair(layer.indices)
    return LutLayer(wires(pair, SUFFIX), gate_tables(gate_layer(layer.weights, pair).gate))


def _group_sum(layer: Any, _: TensorType | None = None) -> GroupSum:
    if hasattr(layer, "beta") or hasattr(layer, "randperm"):
        raise NetworkError("the GroupSum is of another library than the LogicLayers")
    return GroupSum(int(layer.k), float(layer.tau))


_MAKERS: dict[str, tuple[str, Callable[[Any, TensorType], Layer]]] = {
    "Flatten": ("flatten", _flatten),
    "LogicLayer": ("gates", _logic),
    "GroupSum": ("scores", _group_sum),
}
