"""What a network means, as an and-inverter graph over the bits of its features.

Written from `docs/ir.md` alone and not with `logic.lower`, which is one of the things to prove.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..errors import NetworkError
from ..network import (
    ArgMax,
    Concat,
    FixedPoint,
    GroupSum,
    LogicConv,
    LutLayer,
    Network,
    OrPool,
    Permute,
    Reshape,
    Slice,
    Thermometer,
)
from .aig import FALSE, TRUE, Aig

__all__ = ["Meaning", "network_meaning"]


@dataclass(frozen=True)
class Meaning:
    """Literals of what a network computes.

    Parameters
    ----------
    groups : list of list of int
        The bits that each class counts, one of weight 1 for every neuron.
    bits : list of int
        The bits that leave as such, output by output.
    """

    groups: list[list[int]]
    bits: list[int]


def network_meaning(aig: Aig, network: Network) -> Meaning:
    """Write a network into a graph whose inputs are the bits of its features.

    Feature f of width w is inputs f·w to f·w + w - 1, least significant first.

    Raises
    ------
    NetworkError
        If a layer is not a logic layer, or an output is one that no hardware is made for.
    """
    ((name, tensor),) = network.inputs.items()
    number = tensor.element if isinstance(tensor.element, FixedPoint) else FixedPoint(1)
    # One object for each element: a literal, or the literals of a number.
    values: dict[str, np.ndarray] = {name: _features(aig, number, tensor.size, tensor.is_bits)}
    values[name] = values[name].reshape(tensor.shape)
    groups: list[list[int]] = []
    types = network.types
    for node in network.nodes:
        layer, x = node.layer, [values.get(source) for source in node.inputs]
        shape = types[node.name].shape
        if isinstance(layer, Thermometer):
            assert x[0] is not None
            values[node.name] = _thermometer(aig, layer, x[0], number).reshape(shape)
        elif isinstance(layer, LutLayer):
            assert x[0] is not None
            values[node.name] = _luts(aig, layer, x[0])
        elif isinstance(layer, LogicConv):
            assert x[0] is not None
            values[node.name] = _convolution(aig, layer, x[0], shape)
        elif isinstance(layer, OrPool):
            assert x[0] is not None
            values[node.name] = _pooling(aig, layer, x[0], shape)
        elif isinstance(layer, Reshape):
            assert x[0] is not None
            values[node.name] = x[0].reshape(shape)
        elif isinstance(layer, Permute):
            assert x[0] is not None
            values[node.name] = np.transpose(x[0], layer.axes)
        elif isinstance(layer, Slice):
            assert x[0] is not None
            values[node.name] = x[0].take(range(layer.start, layer.stop), axis=layer.axis)
        elif isinstance(layer, Concat):
            values[node.name] = np.concatenate([v for v in x if v is not None], axis=layer.axis)
        elif isinstance(layer, GroupSum):
            if node.name == network.scores:
                assert x[0] is not None
                groups = x[0].reshape(layer.groups, -1).tolist()
        elif not isinstance(layer, ArgMax):
            raise NetworkError(
                f"{type(layer).__name__} is not a logic layer", where=f"layer {node.name!r}"
            )
    _check_outputs(network)
    leaving = [out for out in network.outputs if types[out].is_bits]
    return Meaning(groups, [bit for out in leaving for bit in values[out].ravel().tolist()])


def _check_outputs(network: Network) -> None:
    """Bits, the scores, and their class leave; the rest would go unproved."""
    scores = network.scores
    classes = [
        n.name for n in network.nodes if isinstance(n.layer, ArgMax) and n.inputs == (scores,)
    ]
    for name in network.outputs:
        if not network.types[name].is_bits and name not in (scores, *classes):
            raise NetworkError(
                f"output {name!r} is neither bits, nor the scores {scores!r}, nor their argmax"
            )


def _features(aig: Aig, number: FixedPoint, features: int, bits: bool) -> np.ndarray:
    if bits:
        return np.array(aig.inputs[:features], object)
    out = np.empty(features, object)
    for f in range(features):
        out[f] = tuple(aig.inputs[f * number.width : (f + 1) * number.width])
    return out


def _thermometer(aig: Aig, layer: Thermometer, x: np.ndarray, number: FixedPoint) -> np.ndarray:
    """Bit t of a feature is x > threshold t, with the axis of t where the layer has it."""
    thresholds = np.broadcast_to(layer.thresholds, (*x.shape, layer.thresholds.shape[-1]))
    out = np.empty(thresholds.shape, object)
    for place in np.ndindex(*x.shape):
        for t, threshold in enumerate(thresholds[place].tolist()):
            out[*place, t] = _above(aig, tuple(x[place]), threshold, number)
    return np.moveaxis(out, -1, layer.axis + 1)


def _above(aig: Aig, bits: Sequence[int], threshold: float, number: FixedPoint) -> int:
    """Whether a number is larger than a real threshold, compared as exact fractions."""
    # The number is larger exactly if its stored integer is larger than this quotient, rounded down.
    edge = Fraction(threshold) / Fraction(number.step)
    edge = edge.numerator // edge.denominator
    if edge < number.min_int:
        return TRUE
    if edge >= number.max_int:
        return FALSE
    if number.signed:  # two's complement with the sign bit turned orders like an unsigned number
        bits = (*bits[:-1], bits[-1] ^ 1)
        edge -= number.min_int
    return aig.exceeds(bits, [edge >> place & 1 for place in range(number.width)])


def _luts(aig: Aig, layer: LutLayer, x: np.ndarray) -> np.ndarray:
    tables, wires = layer.tables.tolist(), layer.connections.T.tolist()
    rows = x.reshape(-1, x.shape[-1]).tolist()
    out = [
        aig.lookup(table, [row[wire] for wire in inputs])
        for row in rows
        for table, inputs in zip(tables, wires, strict=True)
    ]
    flat = np.empty(len(out), object)
    flat[:] = out
    return flat.reshape(*x.shape[:-1], len(tables))


def _inside(
    x: np.ndarray,
    channel: int,
    position: Sequence[int],
    place: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
) -> int:
    """The bit that a place of the window at a position sees; there are zeros around the image."""
    where = [p * s + w - q for p, s, w, q in zip(position, stride, place, padding, strict=True)]
    if all(0 <= i < n for i, n in zip(where, x.shape[1:], strict=True)):
        return x[channel, *where]
    return FALSE


def _convolution(aig: Aig, layer: LogicConv, x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    out = np.empty(shape, object)
    taps = np.moveaxis(layer.taps, 0, 3).tolist()  # kernel, position, table, input, coordinates
    for kernel, tables in enumerate(layer.tables.tolist()):
        for number, position in enumerate(np.ndindex(*shape[1:])):
            chosen = taps[kernel][0 if layer.shared else number]
            bits = [
                _inside(x, channel, position, place, layer.stride, layer.padding)
                for inputs in chosen
                for channel, *place in inputs
            ]
            left = iter(tables)
            while len(bits) > 1:
                groups = [bits[i : i + layer.k] for i in range(0, len(bits), layer.k)]
                bits = [aig.lookup(next(left), group) for group in groups]
            out[kernel, *position] = bits[0]
    return out


def _pooling(aig: Aig, layer: OrPool, x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    out = np.empty(shape, object)
    for channel, *position in np.ndindex(*shape):
        out[channel, *position] = aig.any(
            _inside(x, channel, position, place, layer.stride, layer.padding)
            for place in np.ndindex(*layer.window)
        )
    return out
