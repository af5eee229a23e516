"""The conventional networks that the logic-gate networks are measured against."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from .dataset import ROWS
from .features import EARLY_SLICES
from .labels import CLASSES

__all__ = ["Cnn", "Mlp", "parameters"]


class _Scaled(nn.Module):
    """Features minus their mean over their spread, both fixed before training; no parameters."""

    mean: Tensor
    spread: Tensor

    def __init__(self, x: np.ndarray):
        super().__init__()
        x = np.asarray(x, np.float32)
        self.register_buffer("mean", torch.from_numpy(x.mean(0)))
        self.register_buffer("spread", torch.from_numpy(x.std(0) + 1e-3))

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.spread


class Mlp(nn.Sequential):
    """Features -> 128 -> ReLU -> 3; 2,307 parameters with 14 features.

    Parameters
    ----------
    x : ndarray, shape (n, features)
        Vectors that fix the scale of the inputs.
    """

    def __init__(self, x: np.ndarray, hidden: int = 128, classes: Sequence[str] = CLASSES):
        super().__init__(
            _Scaled(x),
            nn.Linear(x.shape[1], hidden),
            nn.ReLU(),
            nn.Linear(hidden, len(classes)),
        )


class Cnn(nn.Module):
    """Two convolutions over (y, t), y0 beside them, two dense layers; 83,331 parameters.

    Parameters
    ----------
    x : ndarray, shape (n, 105)
        Vectors that fix the scale of the inputs.
    """

    def __init__(self, x: np.ndarray):
        super().__init__()
        self.scaled = _Scaled(x)
        self.conv1 = nn.Conv2d(1, 16, 3)
        self.conv2 = nn.Conv2d(16, 64, 3)
        joined = 64 * (ROWS - 4) * (EARLY_SLICES - 4) + 1
        self.dense1 = nn.Linear(joined, 32)
        self.dropout = nn.Dropout(0.1)
        self.dense2 = nn.Linear(32, len(CLASSES))

    def forward(self, x: Tensor) -> Tensor:
        """Logits of vectors of 105 features."""
        x = self.scaled(x)
        y0, image = x[:, :1], x[:, 1:].reshape(-1, 1, ROWS, EARLY_SLICES)
        image = torch.relu(self.conv2(torch.relu(self.conv1(image))))
        hidden = torch.relu(self.dense1(torch.cat([y0, image.flatten(1)], dim=1)))
        return self.dense2(self.dropout(hidden))


def parameters(module: nn.Module) -> int:
    """Trained numbers of a module."""
    return sum(p.numel() for p in module.parameters())
