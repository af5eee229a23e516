"""Live torch-dwn modules, read by class name and attributes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from torch import nn

from ...errors import NetworkError
from ...network import FixedPoint, Network
from ..modules import kind_of, leaves
from .build import assemble, threshold_array
from .luts import Luts, buffers, lut_layer

__all__ = ["convert", "is_module"]

KINDS = ("LUTLayer", "LearnableMapping", "STE", "GroupSum", "Flatten")


def is_module(module: nn.Module) -> bool:
    """Whether a torch-dwn `LUTLayer` is in the module."""
    return any(kind_of(m) == "LUTLayer" and hasattr(m, "luts") for m in module.modules())


def convert(
    module: nn.Module,
    input_shape: int | Sequence[int] | None = None,
    *,
    thresholds: Any = None,
    input_format: FixedPoint | str | None = None,
    classes: Sequence[str] = (),
) -> Network:
    """Turn a live torch-dwn module into a Network that decides as the module in eval mode does.

    Parameters
    ----------
    module : torch.nn.Module
        A Sequential of `LUTLayer`, `LearnableMapping`, `STE` and, at its end, `GroupSum`; or a
        module whose only child is one. It is not changed.
    input_shape : int or sequence of int, optional
        Shape of one sample; by default that of the thresholds, else flat.
    thresholds : Thermometer, Tensor or array_like of shape (..., T), optional
        A fitted thermometer of torch-dwn, or its thresholds; without them the inputs are bits.
    input_format, classes
        As in `load_network`.

    Raises
    ------
    FormatError
        If the thresholds are not numbers, or do not fit the first layer.
    NetworkError
        If a layer is not supported or does not fit.
    """
    walked = _Walk()
    for path, kind, layer in leaves(module, KINDS, _unsupported):
        where = f"layer {path!r}"
        try:
            walked.add(kind, layer, where)
        except (AttributeError, TypeError, ValueError) as error:
            raise NetworkError(
                f"{kind} is not as torch-dwn makes it: {error}", where=where
            ) from None
    walked.check_bits("the end of the network")
    values = None
    if thresholds is not None:
        # A thermometer is no module; it is known by its attribute.
        values = threshold_array(getattr(thresholds, "thresholds", thresholds), "thresholds")
    return assemble(
        walked.layers,
        groups=walked.groups,
        tau=walked.tau,
        thresholds=values,
        input_shape=(input_shape,) if isinstance(input_shape, int) else input_shape,
        input_format=input_format,
        classes=classes,
    )


class _Walk:
    """What the layers met so far make."""

    def __init__(self) -> None:
        self.layers: list[Luts] = []
        self.groups: int | None = None
        self.tau = 1.0
        #: The layer whose table entries, not their signs, are what leaves the last layer.
        self.entries: str | None = None

    def add(self, kind: str, layer: Any, where: str) -> None:
        if self.groups is not None:
            raise NetworkError(f"{kind} follows a GroupSum, which must be the last", where=where)
        if kind == "Flatten":
            if (layer.start_dim, layer.end_dim) != (1, -1):
                raise NetworkError("Flatten must keep the batch axis and no other", where=where)
        elif kind == "LUTLayer":
            found = lut_layer(dict(layer.state_dict()), where)
            self.layers.append(replace(found, inputs=int(layer.input_size)))
            self.entries = None if layer.ste else where
        elif kind == "LearnableMapping":
            self.layers.append(buffers(layer.weights, where))
        elif kind == "STE":
            self.entries = None
        else:
            self.check_bits("the GroupSum")
            self._group_sum(layer, where)

    def check_bits(self, reader: str) -> None:
        """Entries of tables may only go to a LUTLayer or an STE, which take their signs."""
        if not self.layers:
            raise NetworkError(f"there is no LUTLayer in front of {reader}")
        if self.entries is not None:
            raise NetworkError(
                f"has ste=False: entries of its tables, not bits, go to {reader}",
                where=self.entries,
                hint="only a LUTLayer or an STE may follow it",
            )

    def _group_sum(self, layer: Any, where: str) -> None:
        self.groups, self.tau = int(layer.k), float(layer.tau)
        if layer.randperm is None:
            return
        order = np.asarray(layer.randperm)
        last = self.layers[-1]
        width = last.tables.size
        if (
            order.ndim != 1
            or order.dtype.kind not in "iu"
            or not ((order >= 0) & (order < width)).all()
        ):
            raise NetworkError(f"randperm does not number the {width} bits before it", where=where)
        self.layers[-1] = replace(
            last,
            connections=last.connections[:, order],
            tables=last.tables[order],
        )


def _unsupported(kind: str, path: str) -> NetworkError:
    return NetworkError(
        f"{kind} is not a layer this program knows",
        where=f"layer {path!r}",
        hint="expected torch-dwn layers in a Sequential",
    )
