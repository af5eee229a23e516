"""What all frontends share: the type of the input, and how a chain of layers becomes a Network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import NetworkError
from ..network import BIT, REAL, ArgMax, FixedPoint, GroupSum, Layer, Network, Node, TensorType

__all__ = ["INPUT", "assembled", "chain", "gate_tables", "input_type", "wires"]

#: The name of the only input.
INPUT = "x"


def input_type(
    shape: Sequence[int], *, bits: bool, input_format: FixedPoint | str | None = None
) -> TensorType:
    """Type of the network's input: bits, real numbers, or the given fixed-point format.

    Raises
    ------
    NetworkError
        If the format is not understood, or given for an input of bits.
    """
    if isinstance(input_format, str):
        input_format = FixedPoint.parse(input_format)
    if bits and input_format not in (None, FixedPoint(1)):
        raise NetworkError(
            f"input format {input_format} is given, but the network takes bits",
            hint="a number format needs thresholds that turn numbers into bits",
        )
    return TensorType(tuple(map(int, shape)), BIT if bits else input_format or REAL)


def chain(
    source: TensorType,
    layers: Sequence[tuple[str, Layer]],
    classes: Sequence[str] = (),
    meta: Mapping[str, Any] | None = None,
) -> Network:
    """A Network of `layers` one after another; behind a group sum it also tells the class.

    The outputs are `class` and the scores, or the last bits where there are no scores.

    Raises
    ------
    NetworkError
        At the first layer that does not fit the one before.
    """
    nodes: list[Node] = []
    last = INPUT
    for name, layer in layers:
        nodes.append(Node(name, layer, (last,)))
        last = name
    return assembled(source, nodes, last, classes, meta)


def assembled(
    source: TensorType,
    nodes: Sequence[Node],
    last: str,
    classes: Sequence[str] = (),
    meta: Mapping[str, Any] | None = None,
) -> Network:
    """A Network of `nodes` whose result is the tensor `last`, with the class as in `chain`.

    Raises
    ------
    NetworkError
        At the first node that does not fit the ones before.
    """
    nodes = list(nodes)
    outputs: tuple[str, ...] = (last,)
    if any(node.name == last and isinstance(node.layer, GroupSum) for node in nodes):
        nodes.append(Node("class", ArgMax(), (last,)))
        outputs = ("class", last)
    network = Network(
        inputs={INPUT: source},
        nodes=tuple(nodes),
        outputs=outputs,
        classes=tuple(map(str, classes)),
        meta=dict(meta or {}),
    )
    return network.validate()


def wires(indices: np.ndarray, where: str) -> np.ndarray:
    """Input indices as int32; whether they are below the layer's width, the layer checks.

    Raises
    ------
    NetworkError
        If one is not an integer, negative or absurdly large.
    """
    if indices.dtype.kind not in "iu":
        raise NetworkError(f"indices are {indices.dtype}, expected integers", where=where)
    wrong = (indices < 0) | (indices > np.iinfo(np.int32).max)
    if wrong.any():
        row, neuron = np.argwhere(wrong)[0]
        index = indices[row, neuron]
        raise NetworkError(
            f"neuron {neuron}, input {row}: index {index} is out of range", where=where
        )
    return np.ascontiguousarray(indices, dtype=np.int32)


def gate_tables(ids: np.ndarray) -> np.ndarray:
    """Tables of two-input gates from their printed ids, whose most significant bit is index 0."""
    ids = ids.astype(np.uint64)
    tables = np.zeros_like(ids)
    for index in range(4):
        tables |= ((ids >> np.uint64(3 - index)) & np.uint64(1)) << np.uint64(index)
    return tables
