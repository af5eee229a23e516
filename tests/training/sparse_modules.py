"""Sparse modules with random and with trained weights, and images for them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from lgn_hdl.training import (
    Dense,
    InputReduce,
    QuantizedReLU,
    SparseConv2d,
    SparseFlatten,
    SparsePool2d,
)

SHAPE = (1, 9, 13)


def module(
    kind: str = "average", *, seed: int = 0, integer: int | None = None, **ranges: Any
) -> nn.Sequential:
    """Two convolutions, pools of nine and two pixels, two dense layers; five classes."""
    torch.manual_seed(seed)
    return nn.Sequential(
        InputReduce(9, 0.2, input_format="ufixed<8,1>"),
        SparseConv2d(1, 2, 3, weight_bits=6, bias_bits=5),
        QuantizedReLU(8, integer, **ranges),
        SparsePool2d(3, kind),  # pyright: ignore[reportArgumentType]
        SparseConv2d(2, 3, (3, 5)),
        QuantizedReLU(6, integer, **ranges),
        SparsePool2d((1, 2)),
        SparseFlatten(),
        Dense(3 * 2 * 3, 6),
        QuantizedReLU(7, **ranges),
        Dense(6, 5, weight_bits=5),
    )


def images(samples: int, seed: int = 0, shape: tuple[int, ...] = SHAPE) -> Tensor:
    """Images of which a few pixels are active, some empty and some crowded."""
    generator = torch.Generator().manual_seed(seed)
    share = torch.full((samples, 1, 1, 1), 0.08)
    share[::6], share[3::6] = 0.0, 0.9
    x = torch.rand(samples, *shape, generator=generator) * 1.2
    return x * (torch.rand(samples, 1, *shape[1:], generator=generator) < share)


def trained(net: nn.Sequential, steps: int = 30, seed: int = 0) -> nn.Sequential:
    """A few steps on labels that the brightness of the upper half tells, in eval mode."""
    torch.set_num_threads(1)  # small tensors: a second thread makes it slower
    x = images(120, seed + 100)
    labels = (x[:, :, :4].sum((1, 2, 3))).long().clamp(max=4)
    optimizer = torch.optim.Adam(net.parameters(), 0.02)
    net.train()
    for _ in range(steps):
        loss = nn.functional.cross_entropy(net(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net.eval()
