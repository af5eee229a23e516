"""A second evaluation of sparse CNNs: on whole frames with zeros, where the reference has slots.

No slot, place or pair occurs here, so that a mistake in one of the two formulations shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from ..errors import NetworkError
from ..network import (
    ArgMax,
    Dense,
    FixedPoint,
    InputReduce,
    Layer,
    Network,
    Quantize,
    SparseConv2d,
    SparseFlatten,
    SparsePool2d,
    TensorType,
    Thermometer,
)
from ..network.arithmetic import unit_ratio

__all__ = ["evaluate_frames", "kept_pixels"]

#: Samples that are evaluated together.
_CHUNK = 64


def kept_pixels(x: np.ndarray, layer: InputReduce, number: FixedPoint) -> tuple[np.ndarray, ...]:
    """Which pixels are active, and which of them are kept.

    Parameters
    ----------
    x : ndarray of int64, shape (n, C, H, W)
        Stored integers of `number`.

    Returns
    -------
    active, kept : ndarray of bool, shape (n, H, W)
    """
    active = x[:, 0] > number.floor_int(layer.threshold)
    flat = active.reshape(len(x), x.shape[2] * x.shape[3])
    rank = np.cumsum(flat, axis=1).reshape(active.shape)
    return active, active & (rank <= layer.slots)


def evaluate_frames(network: Network, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Outgoing bits and scores of a sparse CNN.

    Parameters
    ----------
    network : Network
        A chain of layers; see `network.chain`.
    x : ndarray of int64, shape (n, F)
        Stored integers of the input.

    Returns
    -------
    bits : ndarray of bool, shape (n, B)
    scores : ndarray of int64, shape (n, C)

    Raises
    ------
    NetworkError
        If there is a layer that no sparse CNN has.
    """
    names = [name for name in network.outputs if network.types[name].is_bits]
    bits, scores = [], []
    for start in range(0, max(len(x), 1), _CHUNK):
        found = dict(_tensors(network, x[start : start + _CHUNK]))
        rows = len(x[start : start + _CHUNK])
        if names:
            parts = [found[name].reshape(rows, network.types[name].size) for name in names]
            bits.append(np.concatenate(parts, axis=1).astype(bool))
        else:
            bits.append(np.zeros((rows, 0), bool))
        scores.append(found[network.scores] if network.scores else np.zeros((rows, 0), np.int64))
    return np.concatenate(bits), np.concatenate(scores)


def _tensors(network: Network, x: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Every tensor by name; of a sparse one the frame (n, C, H, W), zero where no slot is."""
    types = network.types
    (source,) = network.inputs.values()
    value, mask = x.reshape(len(x), *source.shape), np.zeros(0, bool)
    for node in network.nodes:
        source, out = types[node.inputs[0]], types[node.name]
        if isinstance(node.layer, InputReduce):
            assert isinstance(source.element, FixedPoint), "checked by infer"
            _, mask = kept_pixels(value, node.layer, source.element)
            value = value * mask[:, None]
        elif isinstance(node.layer, SparsePool2d):
            value, mask = _pooled(node.layer, value), _pooled_mask(node.layer, mask)
        else:
            value = _applied(node.layer, value, mask, source, out)
        yield node.name, value


def _applied(
    layer: Layer, x: np.ndarray, mask: np.ndarray, source: TensorType, out: TensorType
) -> np.ndarray:
    number, target = source.element, out.element
    assert isinstance(number, FixedPoint), "checked by infer"
    match layer:
        case SparseConv2d(kernel=kernel, bias=bias, kernel_format=weights, bias_format=offset):
            assert isinstance(target, FixedPoint)
            total = _correlated(x, kernel) * _whole(number.step * weights.step / target.step)
            biased = total + (bias * _whole(unit_ratio(offset, target)))[:, None, None]
            return np.where(total != 0, biased, 0) * mask[:, None]
        case Dense(weight=weight, bias=bias, weight_format=weights, bias_format=offset):
            assert isinstance(target, FixedPoint)
            total = x @ weight.T * _whole(number.step * weights.step / target.step)
            return total + bias * _whole(unit_ratio(offset, target))
        case Quantize(format=target):
            return _rounded(x, unit_ratio(number, target), target)
        case SparseFlatten():
            return x.transpose(0, 2, 3, 1).reshape(len(x), out.size)
        case ArgMax():
            return np.argmax(x, axis=1)
        case Thermometer(thresholds=thresholds):
            limits = [number.floor_int(t) for t in thresholds.ravel()]
            return np.stack([x > limit for limit in limits], axis=-1)
        case _:
            raise NetworkError(f"no evaluation on frames for {type(layer).__name__}")


def _correlated(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Σ kernel[f, c, v, u] · x[c, row + v - centre, column + u - centre], zero outside."""
    filters, _, height, width = kernel.shape
    rows, columns = x.shape[2:]
    padding = ((0, 0), (0, 0), (height // 2, height // 2), (width // 2, width // 2))
    padded = np.pad(x, padding)
    out = np.zeros((len(x), filters, rows, columns), np.int64)
    for v in range(height):
        for u in range(width):
            window = padded[:, :, v : v + rows, u : u + columns]
            out += np.einsum("fc,nchw->nfhw", kernel[:, :, v, u], window)
    return out


def _cells(window: tuple[int, ...], x: np.ndarray) -> np.ndarray:
    """The whole cells of frames (..., H, W) as (..., rows, height, columns, width)."""
    (height, width), (rows, columns) = window, (x.shape[-2], x.shape[-1])
    rows, columns = rows // height, columns // width
    whole = x[..., : rows * height, : columns * width]
    return whole.reshape(*x.shape[:-2], rows, height, columns, width)


def _pooled(layer: SparsePool2d, x: np.ndarray) -> np.ndarray:
    cells = _cells(layer.window, x)
    return cells.max((-3, -1)) if layer.kind == "max" else cells.sum((-3, -1))


def _pooled_mask(layer: SparsePool2d, mask: np.ndarray) -> np.ndarray:
    return np.any(_cells(layer.window, mask), axis=(-3, -1))


def _rounded(x: np.ndarray, ratio: Fraction, target: FixedPoint) -> np.ndarray:
    """To the nearest multiple, the even one of two equally near, saturating."""
    quotient, rest = np.divmod(x * ratio.numerator, ratio.denominator)
    up = (2 * rest > ratio.denominator) | ((2 * rest == ratio.denominator) & (quotient % 2 == 1))
    return np.clip(quotient + up, target.min_int, target.max_int)


def _whole(ratio: Fraction) -> int:
    assert ratio.denominator == 1, "the format of a sum is fine enough for what is added"
    return ratio.numerator
