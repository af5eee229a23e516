"""What a LogicLayer computes in eval mode: the heaviest of 16 gates on two inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from ...errors import FormatError
from ..gatelist import GateLayer
from ..gatelist.files import GATES

__all__ = ["gate_layer"]


def gate_layer(weights: Any, pair: np.ndarray, name: str = "") -> GateLayer:
    """Gates of one layer; the first of equally heavy ones wins, as in torch.

    Parameters
    ----------
    weights : Tensor of floating-point numbers, shape (N, 16)
    pair : ndarray of integers, shape (2, N)
        Indices of the first and the second inputs.
    name : str
        What messages call the layer; nothing if whoever calls adds it.

    Raises
    ------
    FormatError
        If the weights have another shape or type, are not finite, or are those of more or fewer
        gates than there are indices.
    """
    if not isinstance(weights, Tensor):
        raise FormatError(f"weights are a {type(weights).__name__}, not a tensor", where=name)
    if weights.ndim != 2 or weights.shape[1] != GATES or not weights.is_floating_point():
        raise FormatError(
            f"weights are {weights.dtype} of shape {tuple(weights.shape)}, "
            f"expected floating-point numbers of shape (neurons, {GATES})",
            where=name,
        )
    if len(weights) != pair.shape[1]:
        raise FormatError(
            f"weights are for {len(weights)} neurons, the indices for {pair.shape[1]}", where=name
        )
    values = weights.detach().cpu().double().numpy()
    if not np.isfinite(values).all():
        neuron, gate = np.argwhere(~np.isfinite(values))[0]
        raise FormatError(f"the weight of gate {gate} of neuron {neuron} is not finite", where=name)
    return GateLayer(pair[0], pair[1], values.argmax(1).astype(np.uint8), name=name)
