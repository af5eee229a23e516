"""A Network as a PyTorch module that computes exactly what the network means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import LgnError, NetworkError
from ..network import FixedPoint, Network
from . import layers as f
from .apply import apply
from .prepare import encode_input, layer_tensors, sample_bytes

__all__ = ["Reference"]

#: Working memory that a chunk of samples may take; a few times the caches of one core is fastest.
CHUNK_BYTES = 16 << 20
#: Fewer samples than this make rows shorter than a cache line: a wide network takes more memory.
CHUNK_SAMPLES, WIDE_CHUNK_BYTES = 64, 256 << 20


class Reference(torch.nn.Module):
    """Exact, integer evaluation of `network`: the golden that everything is compared to.

    Inputs are real-valued, of shape (B, *shape). An input that is a `FixedPoint` is quantised
    first, as a host would before it sends the sample to the hardware; bits are 0 and 1 of any
    dtype. Bits come out as uint8, fixed-point numbers as int64 stored integers (which for counts
    and class indices are the numbers themselves). A sparse tensor comes out as int64 of shape
    (B, slots, C + 3): features, row, column, and whether the slot is used.

    Parameters
    ----------
    network : Network

    Raises
    ------
    NetworkError
        If the network is not well formed or has a layer without a reference.
    """

    def __init__(self, network: Network):
        super().__init__()
        self.network = network.validate()
        self._data: list[tuple[str, ...]] = []
        for i, node in enumerate(network.nodes):
            elements = network.types[node.inputs[0]].element, network.types[node.name].element
            data = layer_tensors(node.layer, *elements)
            self._data.append(tuple(data))
            for name, value in data.items():
                self.register_buffer(f"node{i}_{name}", value, persistent=False)

    def forward(self, x: Any) -> Tensor:
        """Integer class scores (B, C) as int64 if the network has scores, else output bits.

        Parameters
        ----------
        x : array or tensor of shape (B, *shape), or a mapping of input names to such
        """
        return self.tensor(x, self.network.scores or self.network.outputs[0])

    def outputs(self, x: Any) -> dict[str, Tensor]:
        """Every output of the network by name."""
        return self._run(x, self.network.outputs)

    def tensor(self, x: Any, name: str) -> Tensor:
        """Any tensor of the network by name.

        Raises
        ------
        NetworkError
            If there is no such tensor.
        """
        return self._run(x, (name,))[name]

    def logits(self, x: Any) -> Tensor:
        """(scores + beta) / tau, or the numbers of a dense layer, as float64, shape (B, C).

        Raises
        ------
        NetworkError
            If the network has no scores.
        """
        layer = self.network.group_sum
        scores = self.tensor(x, self._scores())
        if layer is None:
            number = self.network.types[self._scores()].element
            assert isinstance(number, FixedPoint), "checked by infer"
            return torch.from_numpy(number.to_real(scores.numpy()))
        return (scores.double() + layer.beta) / layer.tau

    def predict(self, x: Any) -> Tensor:
        """Index of the winning class as int64, shape (B,); ties go to the lowest index.

        Raises
        ------
        NetworkError
            If the network has no scores.
        """
        if self.network.decision is not None:
            return self.tensor(x, self.network.decision).flatten(1)[:, 0].long()
        return f.arg_max(self.tensor(x, self._scores()))

    def _scores(self) -> str:
        if self.network.scores is None:
            raise NetworkError("the network has no scores: it ends in bits, without a group sum")
        return self.network.scores

    @torch.no_grad()
    def _run(self, x: Any, names: tuple[str, ...]) -> dict[str, Tensor]:
        for name in names:
            if name not in self.network.types:
                raise NetworkError(f"there is no tensor {name!r} in the network")
        parts = [self._evaluate(values, names) for values in self._chunks(self._arrays(x))]
        return {name: torch.cat([part[name] for part in parts]) for name in names}

    def _arrays(self, x: Any) -> dict[str, Any]:
        """Check the inputs' names and shapes; nothing is converted yet."""
        inputs = self.network.inputs
        given = dict(x) if isinstance(x, Mapping) else {next(iter(inputs)): x}
        if set(given) != set(inputs):
            raise NetworkError(f"inputs {sorted(given)} are given, expected {sorted(inputs)}")
        arrays = {
            name: value if isinstance(value, Tensor) else np.asarray(value)
            for name, value in given.items()
        }
        for name, array in arrays.items():
            expected = inputs[name].shape
            if array.ndim == 0 or tuple(array.shape[1:]) != expected:
                raise NetworkError(
                    f"input {name!r} has shape {tuple(array.shape)}, expected a batch of {expected}"
                )
        if len({len(array) for array in arrays.values()}) > 1:
            raise NetworkError("the inputs have different numbers of samples")
        return arrays

    def _chunks(self, arrays: dict[str, Any]) -> Iterator[dict[str, Tensor]]:
        samples = len(next(iter(arrays.values())))
        each = sample_bytes(self.network)
        step = max(1, CHUNK_BYTES // each, min(CHUNK_SAMPLES, WIDE_CHUNK_BYTES // each))
        device = next(self.buffers(), torch.empty(0)).device
        for start in range(0, max(samples, 1), step):
            chunk = {name: array[start : start + step] for name, array in arrays.items()}
            yield {
                name: encode_input(part, name, self.network.inputs[name]).to(device)
                for name, part in chunk.items()
            }

    def _evaluate(self, values: dict[str, Tensor], names: tuple[str, ...]) -> dict[str, Tensor]:
        """Walk the nodes in order, forgetting each tensor after its last reader."""
        last = {name: i for i, node in enumerate(self.network.nodes) for name in node.inputs}
        found = {name: values[name] for name in names if name in values}
        for i, node in enumerate(self.network.nodes):
            if len(found) == len(set(names)):
                break
            value = self._node(i, [values[name] for name in node.inputs])
            values[node.name] = value
            if node.name in names:
                found[node.name] = value.contiguous()
            for name in set(node.inputs):
                if last[name] == i:
                    del values[name]
        return found

    def _node(self, i: int, xs: list[Tensor]) -> Tensor:
        node = self.network.nodes[i]
        data = {name: self.get_buffer(f"node{i}_{name}") for name in self._data[i]}
        try:
            source, out = self.network.types[node.inputs[0]], self.network.types[node.name]
            return apply(node.layer, data, xs, source, out)
        except LgnError as error:
            raise error.at(f"layer {node.name!r}") from None
