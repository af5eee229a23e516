"""Real inputs as ordinals: how many of its own thresholds a feature passes.

x > t_j exactly when ordinal(x) > j for the sorted thresholds t_0 < t_1 < ... of that feature, so a
network over ordinals is the network over the reals, with integers for inputs. This is how a
network is evaluated bit-packed before it has a number format.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..errors import NetworkError
from .fixed import FixedPoint
from .layers import Thermometer
from .network import Network, Node
from .shaping import arranged
from .tensors import REAL, TensorType

__all__ = ["OrdinalEncoder", "with_ordinal_input"]


@dataclass(frozen=True, eq=False)
class OrdinalEncoder:
    """Sorted distinct thresholds of each feature, shape (F, T), padded with +inf."""

    thresholds: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Ordinals (n, F) int64 of real features (n, F); NaN passes no threshold, as in PyTorch."""
        ordinals = np.zeros(x.shape, np.int64)
        for t in range(self.thresholds.shape[1]):
            ordinals += x > self.thresholds[:, t]
        return ordinals


def with_ordinal_input(network: Network) -> tuple[Network, OrdinalEncoder]:
    """Replace the one real input of a network by ordinals.

    Raises
    ------
    NetworkError
        If a layer that computes stands between the input and a thermometer.
    """
    ((name, tensor),) = network.inputs.items()
    features = {name: np.arange(tensor.size).reshape(tensor.shape)}
    found: list[tuple[Node, np.ndarray, np.ndarray]] = []
    for node in network.nodes:
        sources = [features[name] for name in node.inputs if name in features]
        if not sources:
            continue
        (source, *_), moved = sources, arranged(node.layer, *sources)
        if moved is not None:
            features[node.name] = moved
        elif isinstance(node.layer, Thermometer):
            shape = (*source.shape, node.layer.thresholds.shape[-1])
            feature = np.broadcast_to(source[..., None], shape)
            found.append((node, feature, np.broadcast_to(node.layer.thresholds, shape)))
        else:
            raise NetworkError("reads real numbers", where=f"layer {node.name!r}")
    encoder = OrdinalEncoder(_sorted_thresholds(tensor.size, found))
    layers = {
        node.name: Thermometer(
            _ordinal_of(encoder.thresholds, feature, thresholds), node.layer.axis
        )
        for node, feature, thresholds in found
        if isinstance(node.layer, Thermometer)
    }
    nodes = tuple(replace(n, layer=layers.get(n.name, n.layer)) for n in network.nodes)
    ordinals = FixedPoint.covering(0, encoder.thresholds.shape[1])
    inputs = {name: TensorType(tensor.shape, ordinals)}
    assert tensor.element == REAL
    return replace(network, inputs=inputs, nodes=nodes), encoder


def _sorted_thresholds(features: int, found: list) -> np.ndarray:
    pairs = [np.stack([f.ravel(), t.ravel()], axis=1) for _, f, t in found]
    unique = np.unique(np.concatenate(pairs), axis=0)  # by feature, then by threshold
    feature = unique[:, 0].astype(np.int64)
    place = np.arange(len(unique)) - np.searchsorted(feature, feature)
    out = np.full((features, int(place.max()) + 1), np.inf)
    out[feature, place] = unique[:, 1]
    return out


def _ordinal_of(table: np.ndarray, feature: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    ordinals = np.zeros(thresholds.shape, np.float64)
    for t in range(table.shape[1]):
        ordinals += thresholds > table[feature, t]
    return ordinals
