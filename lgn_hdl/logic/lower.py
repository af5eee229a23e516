"""Network to LogicProgram: every tensor becomes an array of signal ids."""

from __future__ import annotations

import numpy as np

from ..errors import NetworkError
from ..network import (
    REAL,
    ArgMax,
    FixedPoint,
    GroupSum,
    LogicConv,
    LutLayer,
    Network,
    Node,
    OrPool,
    TensorType,
    Thermometer,
)
from ..network.shaping import arranged
from .program import FIRST_INPUT, LogicProgram, WeightedSums

__all__ = ["layer_of_gates", "lower"]

#: Table of a two-input OR.
OR = np.uint64(14)


def lower(network: Network) -> LogicProgram:
    """Write a network of logic layers as gates, without simplifying anything.

    Parameters
    ----------
    network : Network
        With one input, of bits or of fixed-point numbers.

    Returns
    -------
    LogicProgram
        Scores and outgoing bits are those of the network; `ArgMax` stays outside.

    Raises
    ------
    NetworkError
        If the input has no number format yet, or a layer is not a logic layer.
    """
    return _lowering(network).result()


def layer_of_gates(network: Network) -> np.ndarray:
    """Name of the layer that each gate of `lower(network)` comes from, shape (gates,)."""
    done = _lowering(network)
    counts = [len(table) for _, table in done.gates]
    return np.repeat(np.array(done.owners, dtype=object), counts)


def _lowering(network: Network) -> _Lowering:
    if len(network.inputs) != 1:
        raise NetworkError(f"the network has {len(network.inputs)} inputs, expected one")
    (name, tensor) = next(iter(network.inputs.items()))
    return _Lowering(network, name, tensor)


class _Lowering:
    """Signals of every tensor, and the input bits and gates so far."""

    def __init__(self, network: Network, name: str, tensor: TensorType):
        if tensor.element == REAL:
            raise NetworkError(
                f"input {name!r} holds real numbers", hint="give a number format for the hardware"
            )
        self.network, self.tensor = network, tensor
        self.format = tensor.element if isinstance(tensor.element, FixedPoint) else FixedPoint(1)
        self.features = np.arange(tensor.size, dtype=np.int32).reshape(tensor.shape)
        self.input_feature = [np.zeros(0, np.int32)]
        self.input_threshold = [np.zeros(0, np.int64)]
        self.num_inputs = 0
        self.signals: dict[str, np.ndarray] = {}
        self.gates: list[tuple[np.ndarray, np.ndarray]] = []
        self.owners: list[str] = []  # the layer of each entry of `gates`
        self.sums: dict[str, WeightedSums] = {}
        # All input bits come first, because signals are numbered inputs before gates.
        if tensor.is_bits:
            self.signals[name] = self._compare(self.features, np.zeros(tensor.shape, np.int64))
        for node in network.nodes:
            if isinstance(node.layer, Thermometer):
                self._thermometer(node, node.layer)
        self.next_signal = FIRST_INPUT + self.num_inputs
        for node in network.nodes:
            if node.name not in self.signals:
                self._node(node)
                self.owners += [node.name] * (len(self.gates) - len(self.owners))

    def _compare(self, feature: np.ndarray, threshold: np.ndarray) -> np.ndarray:
        """New input bits, and their signals, in the shape of the arguments."""
        self.input_feature.append(feature.astype(np.int32).ravel())
        self.input_threshold.append(threshold.astype(np.int64).ravel())
        first = FIRST_INPUT + self.num_inputs
        self.num_inputs += feature.size
        return np.arange(first, first + feature.size, dtype=np.int32).reshape(feature.shape)

    def _thermometer(self, node: Node, layer: Thermometer) -> None:
        feature = self._features(node.inputs[0])
        shape = (*feature.shape, layer.thresholds.shape[-1])
        # For x in the format, x > t exactly when int(x) > floor_int(t); beyond the format's range
        # the comparison is constant, which the nearest value outside expresses as well.
        low, high = self.format.min_int - 1, self.format.max_int
        edges = [self.format.floor_int(t) for t in layer.thresholds.ravel().tolist()]
        edge = np.array([min(max(e, low), high) for e in edges], np.int64)
        signals = self._compare(
            np.broadcast_to(feature[..., None], shape),
            np.broadcast_to(edge.reshape(layer.thresholds.shape), shape),
        )
        merged = np.moveaxis(signals, -1, layer.axis + 1)
        self.signals[node.name] = merged.reshape(self.network.types[node.name].shape)

    def _features(self, name: str) -> np.ndarray:
        """Feature numbers of a tensor between the network input and a thermometer."""
        if name in self.network.inputs:
            return self.features
        node = next(node for node in self.network.nodes if node.name == name)
        features = arranged(node.layer, *map(self._features, node.inputs))
        if features is None:
            raise NetworkError(
                "stands before a thermometer, where numbers can only be arranged",
                where=f"layer {name!r}",
            )
        return features

    def _node(self, node: Node) -> None:
        layer = node.layer
        if isinstance(layer, ArgMax) or any(name not in self.signals for name in node.inputs):
            return  # the class, and numbers on their way to a thermometer, are no gates
        inputs = [self.signals[name] for name in node.inputs]
        moved = arranged(layer, *inputs)
        if moved is not None:
            self.signals[node.name] = moved
        elif isinstance(layer, LutLayer):
            self.signals[node.name] = self._luts(layer, inputs[0])
        elif isinstance(layer, LogicConv):
            self.signals[node.name] = self._conv(layer, inputs[0])
        elif isinstance(layer, OrPool):
            self.signals[node.name] = self._pool(layer, inputs[0])
        elif isinstance(layer, GroupSum):
            self.sums[node.name] = _group_sums(layer, inputs[0])
        else:
            raise NetworkError(
                f"{type(layer).__name__} is not a logic layer", where=f"layer {node.name!r}"
            )

    def _gates(self, fanin: np.ndarray, table: np.ndarray | np.uint64) -> np.ndarray:
        """New gates from (*shape, k) signals and as many tables; their signals in that shape."""
        shape = fanin.shape[:-1]
        table = np.broadcast_to(table, shape).ravel()
        self.gates.append((fanin.reshape(-1, fanin.shape[-1]), table))
        first, self.next_signal = self.next_signal, self.next_signal + len(table)
        return np.arange(first, self.next_signal, dtype=np.int32).reshape(shape)

    def _luts(self, layer: LutLayer, x: np.ndarray) -> np.ndarray:
        return self._gates(x[..., layer.connections.T], layer.tables)

    def _conv(self, layer: LogicConv, x: np.ndarray) -> np.ndarray:
        corners, image = _corners(layer, x)  # (P, 1 + axes), (C, *padded)
        places = layer.taps + corners[:, None]  # (k, K, P, S, 1 + axes)
        signals = np.moveaxis(image[tuple(np.moveaxis(places, -1, 0))], 0, -1)
        first = 0
        for width in layer.levels:
            rows = signals.reshape(layer.kernels, len(corners), width, layer.k)
            signals = self._gates(rows, layer.tables[:, None, first : first + width])
            first += width
        return signals.reshape(layer.kernels, *layer.infer(TensorType(x.shape)).shape[1:])

    def _pool(self, layer: OrPool, x: np.ndarray) -> np.ndarray:
        corners, image = _corners(layer, x)
        inside = np.indices(layer.window).reshape(len(layer.window), -1).T  # (places, axes)
        places = corners[:, None, 1:] + inside  # (P, places, axes)
        rows = image[(slice(None), *np.moveaxis(places, -1, 0))]  # (C, P, places)
        while rows.shape[-1] > 1:  # a balanced tree of two-input gates
            even = rows.shape[-1] // 2 * 2
            pairs = rows[..., :even].reshape(*rows.shape[:2], -1, 2)
            rows = np.concatenate([self._gates(pairs, OR), rows[..., even:]], axis=-1)
        return rows.reshape(layer.infer(TensorType(x.shape)).shape)

    def result(self) -> LogicProgram:
        network = self.network
        width = max((fanin.shape[1] for fanin, _ in self.gates), default=1)
        padded = [np.pad(fanin, ((0, 0), (0, width - fanin.shape[1]))) for fanin, _ in self.gates]
        arity = [np.full(len(table), fanin.shape[1], np.uint8) for fanin, table in self.gates]
        leaving = [name for name in network.outputs if network.types[name].is_bits]
        empty = np.zeros(0, np.int32)
        bits = np.concatenate([empty, *(self.signals[name].ravel() for name in leaving)])
        return LogicProgram(
            self.format,
            self.tensor.size,
            np.concatenate(self.input_feature),
            np.concatenate(self.input_threshold),
            np.concatenate([np.zeros((0, width), np.int32), *padded]),
            np.concatenate([np.zeros(0, np.uint8), *arity]),
            np.concatenate([np.zeros(0, np.uint64), *(table for _, table in self.gates)]),
            bits,
            self.sums[network.scores] if network.scores else _no_sums(),
        ).check()


def _corners(layer: LogicConv | OrPool, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The corner of every position's window, channel 0 first, and the image padded with zeros."""
    shape = layer.infer(TensorType(x.shape)).shape[1:]
    corners = np.indices(shape).reshape(len(shape), -1).T * np.array(layer.stride)
    padding = [(0, 0), *((p, p) for p in layer.padding)]
    return np.pad(corners, ((0, 0), (1, 0))).astype(np.int32), np.pad(x, padding)


def _group_sums(layer: GroupSum, x: np.ndarray) -> WeightedSums:
    return WeightedSums(
        np.arange(layer.groups + 1, dtype=np.int64) * (x.size // layer.groups),
        x.astype(np.int32),
        np.ones(x.size, np.int64),
        np.zeros(layer.groups, np.int64),
    )


def _no_sums() -> WeightedSums:
    empty = np.zeros(0, np.int64)
    return WeightedSums(np.zeros(1, np.int64), empty.astype(np.int32), empty, empty)
