"""From gate layers to a Network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import FormatError, NetworkError
from ...network import FixedPoint, GroupSum, Layer, LutLayer, Network, TensorType, Thermometer
from ..assemble import chain, gate_tables, input_type, wires
from .files import GateLayer, read_arrays

__all__ = ["build", "fit_thresholds", "read_thresholds"]


def build(
    layers: Sequence[GateLayer],
    *,
    groups: int | None = None,
    tau: float = 1.0,
    thresholds: str | Path | np.ndarray | None = None,
    inputs: int | None = None,
    input_format: FixedPoint | str | None = None,
    classes: Sequence[str] = (),
    meta: Mapping[str, Any] | None = None,
) -> Network:
    """Turn a gate list into a Network.

    Parameters
    ----------
    layers : sequence of GateLayer
    groups : int, optional
        Number of classes: the last layer is summed in that many equal groups. Without it the
        network's output is the bits of the last layer.
    tau : float
        What the sums are divided by.
    thresholds : path or ndarray, optional
        Thresholds (F, T) or (T,) of F real features; without them the inputs are bits.
    inputs : int, optional
        Number of input bits; by default the largest index that the first layer reads, plus one.
    input_format : FixedPoint or str, optional
        Number format of the features.
    classes : sequence of str
        Names of the classes.
    meta : mapping, optional
        Remarks to keep with the network.

    Raises
    ------
    FormatError
        If the thresholds cannot be read or do not fit.
    NetworkError
        If an index is out of range or the groups do not fit.
    """
    chained: list[tuple[str, Layer]] = []
    for i, layer in enumerate(layers):
        connections = wires(np.stack([layer.a, layer.b]), layer.name)
        chained.append((f"gates{i}", LutLayer(connections, gate_tables(layer.gate))))
    read = 1 + max(int(layers[0].a.max()), int(layers[0].b.max()))
    if inputs is not None and inputs < read:
        raise NetworkError(
            f"{inputs} inputs are given, but the first layer reads input {read - 1}",
            where=layers[0].name,
        )
    width = inputs or read
    if groups is not None:
        chained.append(("scores", GroupSum(groups, tau)))
    source: TensorType
    if thresholds is None:
        source = input_type((width,), bits=True, input_format=input_format)
    else:
        values = read_thresholds(thresholds)
        features, values = fit_thresholds(values, width, exact=inputs is not None)
        chained.insert(0, ("binarization", Thermometer(values, axis=0)))
        source = input_type((features,), bits=False, input_format=input_format)
    return chain(source, chained, classes, meta)


def read_thresholds(source: str | Path | np.ndarray) -> np.ndarray:
    """Thresholds of shape (F, T) or (T,) as float64, from an array or a .npz file.

    Raises
    ------
    FormatError
        If the file has no array `thresholds` and not exactly one array, or it is not numbers.
    """
    where = "thresholds"
    if isinstance(source, str | Path):
        where = str(source)
        try:
            arrays = read_arrays(Path(source).read_bytes())
        except OSError as error:
            raise FormatError(f"cannot be read: {error.strerror}", where=where) from None
        except FormatError as error:
            raise error.at(where) from None
        if "thresholds" not in arrays and len(arrays) != 1:
            raise FormatError(
                f"holds {len(arrays)} arrays and none of them is called 'thresholds'", where=where
            )
        source = arrays["thresholds"] if "thresholds" in arrays else next(iter(arrays.values()))
    values = np.asarray(source)
    if values.dtype.kind not in "fiu" or values.ndim not in (1, 2) or values.size == 0:
        raise FormatError(
            f"found {values.dtype} of shape {values.shape}, expected numbers of shape "
            "(features, thresholds) or (thresholds,)",
            where=where,
        )
    values = values.astype(np.float64)
    if not np.isfinite(values).all():
        raise FormatError("a threshold is not finite", where=where)
    return values


def fit_thresholds(values: np.ndarray, width: int, *, exact: bool) -> tuple[int, np.ndarray]:
    """Number of features, and the thresholds with a feature axis.

    Parameters
    ----------
    values : ndarray, shape (F, T) or (T,)
    width : int
        Number of bits that the first layer takes, or at least reads.
    exact : bool
        Whether it takes exactly `width` bits.

    Raises
    ------
    FormatError
        If the thresholds do not make that many bits.
    """
    if values.ndim == 2:
        if values.size < width or (exact and values.size != width):
            raise FormatError(
                f"thresholds of shape {values.shape} give {values.size} bits, "
                f"the first layer has {width} inputs"
            )
        return values.shape[0], values
    if width % values.size:
        raise FormatError(
            f"{width} input bits are not a multiple of {values.size} thresholds per feature",
            hint="give the number of input bits: the last ones may be unused",
        )
    return width // values.size, values.reshape(1, -1)
