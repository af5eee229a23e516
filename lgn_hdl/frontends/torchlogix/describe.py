"""What a description says about each layer of the library, read from the live layer.

Objects are read by class name and attributes, so torchlogix need not be installed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from ...errors import NetworkError
from .schema import PLANNED, unsupported

__all__ = ["KNOWN", "options"]

PARAMETRIZATIONS = {
    "RawLUTParametrization": "raw",
    "WarpLUTParametrization": "warp",
    "LightLUTParametrization": "light",
}
DENSE_CONNECTIONS = {"FixedDenseConnections": "fixed", "LearnableDenseConnections": "learnable"}
CONV_CONNECTIONS = {"FixedConvConnections": "fixed"}


def options(kind: str, path: str, layer: nn.Module) -> dict[str, Any]:
    """The description of a layer: its type, path and options.

    Raises
    ------
    NetworkError
        If the layer is not supported, or not as the library makes it.
    """
    if kind in PLANNED or kind not in _OPTIONS:
        raise unsupported(kind, path)
    try:
        return {"type": kind, "path": path, **_OPTIONS[kind](layer)}
    except (AttributeError, TypeError, ValueError) as error:
        raise NetworkError(
            f"{kind} is not as torchlogix 0.2 makes it: {error}", where=f"layer {path!r}"
        ) from None


def _luts(module: Any, connections: dict[str, str]) -> dict[str, Any]:
    parametrization, wiring = type(module.parametrization).__name__, type(module.connections)
    if parametrization not in PARAMETRIZATIONS:
        raise ValueError(f"its parametrization is {parametrization}")
    if wiring.__name__ not in connections:
        raise ValueError(f"its connections are {wiring.__name__}")
    return {
        "lut_rank": int(module.lut_rank),
        "parametrization": PARAMETRIZATIONS[parametrization],
        "connections": connections[wiring.__name__],
        "materialize_basis": bool(module.parametrization.materialize_basis),
    }


def _dense(module: Any) -> dict[str, Any]:
    luts = _luts(module, DENSE_CONNECTIONS)
    return {"in_dim": int(module.in_dim), "out_dim": int(module.out_dim), **luts}


def _conv(axes: int) -> Callable[[Any], dict[str, Any]]:
    def read(module: Any) -> dict[str, Any]:
        return {
            "in_dim": _sizes(module.in_dim, axes),
            "channels": int(module.channels),
            "num_kernels": int(module.num_kernels),
            "tree_depth": int(module.tree_depth),
            "receptive_field_size": _sizes(module.receptive_field_size, axes),
            "stride": _sizes(module.stride, axes),
            "padding": _sizes(module.padding, axes),
            **_luts(module, CONV_CONNECTIONS),
        }

    return read


def _pool(axes: int) -> Callable[[Any], dict[str, Any]]:
    def read(module: Any) -> dict[str, Any]:
        stride = module.kernel_size if module.stride is None else module.stride
        return {
            "kernel_size": _sizes(module.kernel_size, axes),
            "stride": _sizes(stride, axes),
            "padding": _sizes(module.padding, axes),
        }

    return read


def _sizes(value: Any, axes: int) -> list[int]:
    sizes = [int(n) for n in value] if isinstance(value, (tuple, list)) else [int(value)] * axes
    if len(sizes) != axes:
        raise ValueError(f"{value} is not for {axes} axes")
    return sizes


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
    "LogicConv2d": _conv(2),
    "LogicConv3d": _conv(3),
    "OrPooling2d": _pool(2),
    "OrPooling3d": _pool(3),
    "GroupSum": lambda m: {"k": int(m.k), "tau": float(m.tau), "beta": float(m.beta)},
}
#: Kinds of layers that have a description, or will have one.
KNOWN = {*_OPTIONS, *PLANNED}
