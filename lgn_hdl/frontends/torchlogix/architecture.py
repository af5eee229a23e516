"""Describes a live torchlogix module: its layers in order, as a dictionary that JSON can hold.

Objects are read by class name and attributes, so torchlogix need not be installed. The
description has what a state_dict lacks: the order and kind of the layers, their options, and the
group sum, which leaves no trace in a state_dict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from torch import nn

from ...errors import NetworkError
from ..modules import leaves

__all__ = ["FORMAT", "VERSION", "architecture", "unsupported"]

FORMAT = "torchlogix-architecture"
VERSION = 1

PARAMETRIZATIONS = {
    "RawLUTParametrization": "raw",
    "WarpLUTParametrization": "warp",
    "LightLUTParametrization": "light",
}
CONNECTIONS = {"FixedDenseConnections": "fixed", "LearnableDenseConnections": "learnable"}
#: Layers of torchlogix that this version does not know.
PLANNED = {
    "LogicConv2d",
    "LogicConv3d",
    "LogicConvTranspose2d",
    "LogicConvTranspose3d",
    "OrPooling2d",
    "OrPooling3d",
    "ResidualLogicBlock",
}


def architecture(
    module: nn.Module, input_shape: int | Sequence[int] | None = None
) -> dict[str, Any]:
    """Describe a live module, for a JSON file next to its state_dict.

    Parameters
    ----------
    module : torch.nn.Module
        A Sequential of torchlogix layers (nested ones and subclasses included), or a module whose
        only child is one.
    input_shape : int or sequence of int, optional
        Shape of one sample, without the batch axis. Not needed where the layers tell it.

    Returns
    -------
    dict
        `format`, `version`, `input_shape` and `layers`: each with its `type`, its `path` in the
        module, and its options.

    Raises
    ------
    NetworkError
        If a layer is not supported.
    """
    if isinstance(input_shape, int):
        input_shape = (input_shape,)
    return {
        "format": FORMAT,
        "version": VERSION,
        "input_shape": None if input_shape is None else [int(n) for n in input_shape],
        "layers": list(_layers(module)),
    }


def unsupported(kind: str, path: str) -> NetworkError:
    """The error about a layer of the class `kind`."""
    if kind in PLANNED:
        return NetworkError(f"{kind} is not supported yet", where=f"layer {path!r}")
    return NetworkError(
        f"{kind} is not a layer this program knows",
        where=f"layer {path!r}",
        hint="expected torchlogix layers in a Sequential",
    )


def _layers(module: nn.Module) -> Iterator[dict[str, Any]]:
    for path, kind, layer in leaves(module, {*_OPTIONS, *PLANNED}, unsupported):
        if kind in PLANNED:
            raise unsupported(kind, path)
        try:
            yield {"type": kind, "path": path, **_OPTIONS[kind](layer)}
        except (AttributeError, TypeError, ValueError) as error:
            raise NetworkError(
                f"{kind} is not as torchlogix 0.2 makes it: {error}", where=f"layer {path!r}"
            ) from None


def _dense(module: Any) -> dict[str, Any]:
    parametrization = type(module.parametrization).__name__
    connections = type(module.connections).__name__
    if parametrization not in PARAMETRIZATIONS:
        raise ValueError(f"its parametrization is {parametrization}")
    if connections not in CONNECTIONS:
        raise ValueError(f"its connections are {connections}")
    return {
        "in_dim": int(module.in_dim),
        "out_dim": int(module.out_dim),
        "lut_rank": int(module.lut_rank),
        "parametrization": PARAMETRIZATIONS[parametrization],
        "connections": CONNECTIONS[connections],
        "materialize_basis": bool(module.parametrization.materialize_basis),
    }


def _binarization(module: Any) -> dict[str, Any]:
    return {"feature_dim": int(module.feature_dim)}


def _learnable_binarization(module: Any) -> dict[str, Any]:
    return {
        "feature_dim": int(module.feature_dim),
        "temperature_softplus": float(module.temperature_softplus),
    }


_OPTIONS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "DummyBinarization": lambda _: {},
    "FixedBinarization": _binarization,
    "SoftBinarization": _binarization,
    "LearnableBinarization": _learnable_binarization,
    "Flatten": lambda m: {"start_dim": int(m.start_dim), "end_dim": int(m.end_dim)},
    "LogicDense": _dense,
    "GroupSum": lambda m: {"k": int(m.k), "tau": float(m.tau), "beta": float(m.beta)},
}
