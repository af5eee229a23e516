"""Thresholds of the binarization layers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ...errors import NetworkError
from ...network import Thermometer

__all__ = ["learned_thresholds", "thermometer"]


def learned_thresholds(raw_diffs: Tensor, temperature_softplus: float) -> Tensor:
    """Thresholds of a LearnableBinarization: the trained increments, added up.

    The first one is free, the others are made positive by a softplus at the given temperature
    (plus 1e-6). Computed in the tensor's own number type and on its device, since the decision
    `x > t` of the trained module depends on the last bit.
    """
    raw_diffs = raw_diffs.detach()
    scale = temperature_softplus + 1e-6
    first, rest = raw_diffs[..., :1], raw_diffs[..., 1:]
    positive = scale * torch.nn.functional.softplus(rest / scale)
    return torch.cumsum(torch.cat([first, positive], dim=-1), dim=-1)


def thermometer(thresholds: Tensor, feature_dim: int, shape: Sequence[int]) -> Thermometer:
    """The layer for samples of `shape`, with thresholds broadcast as the library does.

    Thresholds stand on the right of an extra last axis of the batch; two-dimensional ones on
    four-dimensional batches (images) go with the channels instead. `feature_dim` is the axis of
    the batch, that extra axis included, into which the bits are merged.

    Raises
    ------
    NetworkError
        If the thresholds or `feature_dim` do not fit the shape.
    """
    values = thresholds.detach().cpu().double().numpy()
    if values.size == 0:
        raise NetworkError("there are no thresholds")
    if not np.isfinite(values).all():
        raise NetworkError(f"threshold {tuple(np.argwhere(~np.isfinite(values))[0])} is not finite")
    batch_axes = len(shape) + 1
    found = values.shape
    if values.ndim == 2 and batch_axes == 4:
        values = values.reshape(1, -1, 1, 1, values.shape[-1])
    values = values.reshape((1,) * (batch_axes + 1 - values.ndim) + values.shape)
    fits = values.ndim == batch_axes + 1 and all(
        t in (1, n) for t, n in zip(values.shape, (1, *shape), strict=False)
    )
    if not fits:
        raise NetworkError(
            f"thresholds of shape {found} do not fit samples of shape {tuple(shape)}",
            hint="give input_shape, the shape of one sample without the batch axis",
        )
    axis = feature_dim + batch_axes + 1 if feature_dim < 0 else feature_dim
    if not 1 <= axis < batch_axes:
        raise NetworkError(
            f"feature_dim {feature_dim} is not an axis of samples of shape {tuple(shape)}"
        )
    return Thermometer(np.ascontiguousarray(values[0]), axis - 1)
