"""A front end as sums: which elements of the inputs each feature adds up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np

from ...errors import NetworkError
from ...network import AxisSum, FixedPoint, TensorType
from ...network.partition import Front
from ...network.shaping import arranged

__all__ = ["FeatureTerms", "Term", "feature_terms"]

#: An element's number, and how often it is counted.
Term = tuple[int, int]


@dataclass(frozen=True, eq=False)
class FeatureTerms:
    """Every feature as a sum of elements of the inputs.

    Elements are numbered through all inputs in port order, each in row-major order.

    Parameters
    ----------
    inputs : mapping of str to TensorType
    number : FixedPoint
        Of every feature.
    terms : tuple of tuple of Term
        For each feature its elements, ascending.
    """

    inputs: Mapping[str, TensorType]
    number: FixedPoint
    terms: tuple[tuple[Term, ...], ...]

    @cached_property
    def first(self) -> dict[str, int]:
        """Number of the first element of each input."""
        starts = accumulate((tensor.size for tensor in self.inputs.values()), initial=0)
        return dict(zip(self.inputs, starts, strict=False))

    @cached_property
    def numbers(self) -> list[FixedPoint]:
        """Number format of each element."""
        found: list[FixedPoint] = []
        for tensor in self.inputs.values():
            assert isinstance(tensor.element, FixedPoint), "checked by front_of"
            found += [tensor.element] * tensor.size
        return found

    @cached_property
    def low(self) -> list[int]:
        """Place of each element's lowest bit, the elements side by side; last the sum of widths."""
        return [*accumulate((number.width for number in self.numbers), initial=0)]

    def evaluate(self, elements: np.ndarray) -> np.ndarray:
        """Features (n, F) of stored integers (n, elements): what the hardware is to compute."""
        columns = [
            sum(elements[:, element] * count for element, count in terms) for terms in self.terms
        ]
        return np.stack(columns, axis=1)


def feature_terms(front: Front) -> FeatureTerms:
    """Follow every feature of a front end back to the inputs.

    Raises
    ------
    NetworkError
        If a layer neither arranges numbers nor adds them.
    """
    network = front.network
    sums: list[Counter[int]] = []  # of every number so far, the elements it is made of
    tensors: dict[str, np.ndarray] = {}
    for name, tensor in network.inputs.items():
        tensors[name] = np.arange(len(sums), len(sums) + tensor.size).reshape(tensor.shape)
        sums += [Counter({element: 1}) for element in tensors[name].ravel().tolist()]
    for node in network.nodes:
        sources = [tensors[name] for name in node.inputs]
        moved = arranged(node.layer, *sources)
        if moved is None and isinstance(node.layer, AxisSum):
            (source,), axes = sources, node.layer.axes
            last = np.moveaxis(source, axes, range(-len(axes), 0))
            shape = last.shape[: last.ndim - len(axes)]
            rows = last.reshape(-1, int(np.prod(last.shape[len(shape) :])))
            moved = np.arange(len(sums), len(sums) + len(rows)).reshape(shape)
            sums += [sum((sums[number] for number in row), Counter()) for row in rows.tolist()]
        elif moved is None:
            kind = type(node.layer).__name__
            raise NetworkError(f"{kind} is no part of a front end", where=f"layer {node.name!r}")
        tensors[node.name] = moved
    features = tensors[network.outputs[0]].ravel().tolist()
    terms = tuple(tuple(sorted(sums[number].items())) for number in features)
    return FeatureTerms(dict(network.inputs), front.number, terms)
