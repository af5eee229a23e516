"""The logic-gate networks as torchlogix modules. torchlogix is imported when one is made."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import LgnError
from .configs import ConvConfig, DenseConfig

__all__ = ["ConvLgn", "dense_lgn", "make_lgn", "torchlogix_layers"]


def torchlogix_layers():
    """The module `torchlogix.layers`.

    Raises
    ------
    LgnError
        If it cannot be imported: it needs Python 3.12.
    """
    try:
        from torchlogix import layers  # pyright: ignore[reportMissingImports]
    except (ImportError, SyntaxError) as error:
        raise LgnError(
            f"training a logic-gate network needs torchlogix: {error}",
            hint="in Python 3.12 or newer: pip install lgn-hdl[smartpixels-train]",
        ) from error
    return layers


def _dense(width: int, neurons: int) -> nn.Module:
    if 2 * neurons < width:
        raise LgnError(
            f"a layer of {neurons} gates cannot read all {width} bits before it",
            hint="torchlogix wants every bit read at least once",
        )
    return torchlogix_layers().LogicDense(
        width,
        neurons,
        lut_rank=2,
        parametrization="raw",
        parametrization_kwargs={"weight_init": "residual"},
    )


def _head(width: int, layers: tuple[int, ...], config: DenseConfig | ConvConfig) -> nn.Sequential:
    parts: list[nn.Module] = []
    for neurons in layers:
        parts.append(_dense(width, neurons))
        width = neurons
    return nn.Sequential(*parts, torchlogix_layers().GroupSum(config.classes, tau=config.tau))


def dense_lgn(config: DenseConfig, thresholds: np.ndarray) -> nn.Sequential:
    """The dense network; input (n, features), output logits (n, 3)."""
    binarization = torchlogix_layers().FixedBinarization(torch.tensor(thresholds).float())
    width = config.features * config.bits
    head = _head(width, config.layers, config)
    return nn.Sequential(binarization, *head)


class ConvLgn(nn.Module):
    """The convolutional network; input (n, 105), output logits (n, 3).

    Parameters
    ----------
    config : ConvConfig
    thresholds : ndarray, shape (105, bits)
    """

    def __init__(self, config: ConvConfig, thresholds: np.ndarray):
        super().__init__()
        layers = torchlogix_layers()
        self.bits, self.talk_view = config.bits, config.talk_view
        self.rows, self.slices = config.image
        self.binarization = layers.FixedBinarization(torch.tensor(thresholds).float())
        channels = config.bits
        made = []
        sizes = (config.image, config.image, config.pooled, config.pooled)
        for size, kernels, stride in zip(sizes, config.kernels, (1, 1, 1, 2), strict=True):
            made.append(
                layers.LogicConv2d(
                    in_dim=size,
                    channels=channels,
                    num_kernels=kernels,
                    tree_depth=config.tree_depth,
                    receptive_field_size=config.window,
                    stride=stride,
                    padding=config.padding,
                    parametrization="raw",
                    parametrization_kwargs={"weight_init": "residual"},
                )
            )
            channels = kernels
        self.conv1, self.conv2, self.conv3, self.conv4 = made
        self.pool = layers.OrPooling2d(kernel_size=2, stride=2)
        self.head = _head(config.joined, config.head, config)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of vectors of 105 features."""
        x = self.binarization(x)
        y0, image = x[:, : self.bits], x[:, self.bits :]
        if self.talk_view:
            image = image.view(-1, self.bits, self.rows, self.slices)
        else:
            image = image.view(-1, self.rows, self.slices, self.bits).permute(0, 3, 1, 2)
        image = self.pool(self.conv2(self.conv1(image)))
        image = self.conv4(self.conv3(image))
        return self.head(torch.cat([y0, image.flatten(1)], dim=1))


def make_lgn(config: DenseConfig | ConvConfig, thresholds: np.ndarray) -> nn.Module:
    """The network of a configuration."""
    if isinstance(config, DenseConfig):
        return dense_lgn(config, thresholds)
    return ConvLgn(config, thresholds)
