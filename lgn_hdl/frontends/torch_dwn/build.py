"""From LUT layers, thresholds and the number of classes to a Network."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from torch import Tensor

from ...errors import FormatError, NetworkError
from ...network import FixedPoint, GroupSum, Layer, LutLayer, Network, Reshape, Thermometer
from ..assemble import chain, input_type
from ..gatelist.build import fit_thresholds
from .luts import Luts

__all__ = ["assemble", "threshold_array"]


def assemble(
    layers: Sequence[Luts],
    *,
    groups: int | None = None,
    tau: float = 1.0,
    thresholds: np.ndarray | None = None,
    inputs: int | None = None,
    input_shape: Sequence[int] | None = None,
    input_format: FixedPoint | str | None = None,
    classes: Sequence[str] = (),
    warnings: Sequence[str] = (),
) -> Network:
    """Chain the layers behind the thermometer and in front of the class sums.

    Parameters
    ----------
    layers : sequence of Luts
        At least one.
    groups : int, optional
        Number of classes; without it the outputs are the bits of the last layer.
    tau : float
        What the sums are divided by to give the logits.
    thresholds : ndarray of float64, shape (..., T), optional
        Bit t of feature f is x[f] > thresholds[f, t]; without them the inputs are bits. The axes of
        a sample are flattened behind them. Those of shape (T,) or (1, ..., T) go for every feature.
    inputs : int, optional
        Number of input bits, where the first layer does not tell it.
    input_shape : sequence of int, optional
        Shape of one sample; by default that of the thresholds, else (features,).
    input_format, classes
        As in `load_network`.
    warnings : sequence of str
        Remarks to keep with the network.

    Raises
    ------
    FormatError
        If the thresholds do not fit.
    NetworkError
        If a layer does not fit the one before it, or the shape does not fit the first.
    """
    first = layers[0]
    read = 1 + int(first.connections.max())
    if inputs is not None and (inputs < read or first.inputs not in (None, inputs)):
        takes = f"takes {first.inputs}" if first.inputs else f"reads input {read - 1}"
        raise NetworkError(f"{inputs} inputs are given, but it {takes}", where=first.where)
    width = first.inputs or inputs or read
    exact = (first.inputs or inputs) is not None
    shape, chained = _front(width, exact, thresholds, tuple(input_shape or ()))
    source = input_type(shape, bits=thresholds is None, input_format=input_format)
    for i, layer in enumerate(layers):
        if i and layer.inputs not in (None, width):
            raise NetworkError(
                f"takes {layer.inputs} inputs, the layer before it has {width} outputs",
                where=layer.where,
            )
        chained.append((f"luts{i}", LutLayer(layer.connections, layer.tables)))
        width = layer.tables.size
    remarks = list(warnings)
    if groups is not None:
        if groups > 0 and width % groups:
            missing = -width % groups
            chained[-1] = (chained[-1][0], _filled(layers[-1], missing))
            remarks.append(
                f"{width} outputs cannot be split into {groups} equal groups: as in torch-dwn, "
                f"{missing} zeros are added at the end"
            )
        chained.append(("scores", GroupSum(groups, tau)))
    meta: dict[str, Any] = {"source": "torch-dwn"}
    if remarks:
        meta["warnings"] = remarks
    return chain(source, chained, classes, meta)


def _front(
    width: int, exact: bool, thresholds: np.ndarray | None, shape: tuple[int, ...]
) -> tuple[tuple[int, ...], list[tuple[str, Layer]]]:
    """Shape of a sample, and the layers that make `width` bits (or more, unless `exact`) of it."""
    layers: list[tuple[str, Layer]] = []
    size = width
    if thresholds is not None:
        shared = thresholds.size == thresholds.shape[-1]
        values = thresholds.reshape(-1 if shared else (-1, thresholds.shape[-1]))
        size, values = fit_thresholds(values, width, exact=exact)
        shape = shape or (() if shared else thresholds.shape[:-1])
        layers.append(("binarization", Thermometer(values, axis=0)))
    shape = shape or (size,)
    if prod(shape) != size:
        raise NetworkError(f"the input shape {shape} is given, but there are {size} inputs")
    if len(shape) > 1:
        layers.insert(0, ("flatten", Reshape((size,))))
    return shape, layers


def _filled(layer: Luts, missing: int) -> LutLayer:
    """The layer with constant zeros after its tables."""
    connections = np.pad(layer.connections, ((0, 0), (0, missing)))
    return LutLayer(connections, np.pad(layer.tables, (0, missing)))


def threshold_array(thresholds: Any, where: str) -> np.ndarray:
    """Thresholds of a fitted thermometer as float64, shape (..., T) as they are.

    Parameters
    ----------
    thresholds : Tensor or array_like of numbers
    where : str
        Where they were found, for messages.

    Raises
    ------
    FormatError
        If they are not finite numbers.
    """
    if isinstance(thresholds, Tensor):
        thresholds = thresholds.detach().cpu().double().numpy()
    values = np.asarray(thresholds)
    if values.dtype.kind not in "fiu" or values.ndim == 0 or values.size == 0:
        raise FormatError(
            f"found {values.dtype} of shape {values.shape}, expected numbers of shape "
            "(features, thresholds)",
            where=where,
        )
    values = values.astype(np.float64)
    if not np.isfinite(values).all():
        raise FormatError("a threshold is not finite", where=where)
    return values
