"""The convolutional torchlogix networks that goldens are made of. Needs torchlogix 0.2.2.

Chains of the library's layers are here, modules with a `forward` of their own in
`torchlogix_graph_cases`. Images are small, so that the recorded files are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn
from torchlogix.layers import (
    FixedBinarization,
    GroupSum,
    LearnableBinarization,
    LogicConv2d,
    LogicConv3d,
    OrPooling2d,
    OrPooling3d,
)
from torchlogix.modules import ResidualLogicBlock
from torchlogix.utils import set_export_mode
from torchlogix_cases import Case, dense, randomise

SAMPLES = 16

#: in_dim, channels, receptive field, stride, padding, channel_group_size.
GEOMETRIES: dict[str, tuple[Any, ...]] = {
    "plain": ((5, 4), 2, (3, 2), 1, 0, None),
    "padded": ((3, 4), 2, 2, 1, 1, None),
    "padded2": ((3, 2), 1, (2, 3), 1, 2, None),
    "strided": ((5, 6), 2, (2, 3), 2, 0, None),
    "strided_padded": ((4, 5), 3, 3, 2, 1, None),
    "groups": ((3, 3), 4, 2, 1, 0, 2),
    "pixels": ((2, 3), 3, 1, 1, 0, None),
    "whole": (3, 2, 3, 1, 0, None),
}
#: Parametrization, rank, depths.
TREES = [
    ("raw", 2, (1, 2, 3, 4)),
    ("warp", 1, (1, 3)),
    ("warp", 2, (1, 2, 3, 4)),
    ("warp", 4, (1, 2, 3)),
    ("warp", 6, (1, 2)),
    ("light", 2, (1, 2, 3, 4)),
    ("light", 4, (1, 2, 3)),
    ("light", 6, (1, 2)),
]


def bits(*shape: int) -> torch.Tensor:
    return torch.randint(0, 2, (SAMPLES, *shape)).float()


def conv(
    in_dim: Any,
    channels: int,
    field: Any,
    stride: int = 1,
    padding: int = 0,
    group: int | None = None,
    *,
    kernels: int = 3,
    tree: tuple[str, int, int] = ("raw", 2, 2),
    init: str = "random",
    **options: Any,
) -> nn.Module:
    """A convolution with random weights, as no initialisation of the library leaves them."""
    kind, rank, depth = tree
    cls = LogicConv3d if isinstance(in_dim, tuple) and len(in_dim) == 3 else LogicConv2d
    layer = cls(
        in_dim,
        channels,
        kernels,
        depth,
        field,
        stride,
        padding,
        lut_rank=rank,
        parametrization=kind,
        parametrization_kwargs=options,
        connections_kwargs={"init_method": init, "channel_group_size": group},
    )
    randomise(layer)
    return layer


def single(layer: nn.Module, dtype: torch.dtype = torch.float32) -> Case:
    shape = (layer.channels, *layer.in_dim)
    return Case(layer.to(dtype), bits(*shape), shape)


def convolutions() -> Iterator[tuple[str, Callable[[], Case]]]:
    names = list(GEOMETRIES)
    count = 0
    for kind, rank, depths in TREES:
        for depth in depths:
            # Four inputs of a kernel at least go to each of the two channels of a group.
            usable = [n for n in names if n != "groups" or rank > 1]
            name = usable[count % len(usable)]
            count += 1
            kernels = 2 if rank**depth > 15 else 3
            yield (
                f"{kind}{rank}_depth{depth}_{name}",
                lambda g=GEOMETRIES[name], t=(kind, rank, depth), k=kernels: single(
                    conv(*g, kernels=k, tree=t)
                ),
            )
    plain = GEOMETRIES["plain"]
    for tree in (("raw", 2, 2), ("warp", 4, 2), ("light", 2, 3)):
        yield f"{tree[0]}_unique", lambda t=tree: single(conv(*plain, tree=t, init="random-unique"))
        yield (
            f"{tree[0]}_materialized",
            lambda t=tree: single(conv(*plain, tree=t, materialize_basis=True)),
        )
        for dtype in (torch.float64, torch.bfloat16) if tree[0] == "warp" else ():
            yield (
                f"{tree[0]}_{str(dtype).removeprefix('torch.')}",
                lambda t=tree, d=dtype: single(conv(*plain, tree=t), d),
            )

    def positions() -> Case:
        """Taps that differ from position to position, as the library lets one set them."""
        layer = conv((4, 3), 2, 2, 1, 1, tree=("light", 4, 2))
        first, *rest = layer.connections.indices
        corner = torch.cartesian_prod(torch.arange(5), torch.arange(4))[None, None, :, None]
        place = torch.randint(0, 2, (*first.shape[:-1], 2)) + corner
        layer.connections.indices = [torch.cat([place, first[..., -1:]], -1), *rest]
        return single(layer)

    yield "positions", positions


def volumes() -> Iterator[tuple[str, Callable[[], Case]]]:
    for name, arguments, tree in (
        ("plain", ((3, 2, 4), 2, 2, 1, 0), ("raw", 2, 2)),
        ("padded", ((2, 3, 2), 1, (2, 2, 1), 1, 1), ("warp", 4, 2)),
        ("strided", ((4, 3, 5), 2, (3, 2, 2), 2, 1), ("light", 2, 3)),
        ("rank6", ((2, 2, 3), 3, (1, 2, 3), 1, 0), ("light", 6, 2)),
    ):
        yield name, lambda a=arguments, t=tree: single(conv(*a, kernels=2, tree=t))


#: Layer, shape of a sample, kernel, stride, padding.
POOLS = [
    ("even", OrPooling2d, (2, 4, 6), 2, 2, 0),
    ("odd", OrPooling2d, (2, 5, 3), 2, 2, 0),
    ("padded", OrPooling2d, (1, 5, 4), 2, 2, 1),
    ("overlap", OrPooling2d, (2, 5, 6), 3, 2, 1),
    ("dense", OrPooling2d, (1, 4, 3), 3, 1, 1),
    ("gaps", OrPooling2d, (2, 7, 5), 2, 3, 0),
    ("tuples", OrPooling2d, (2, 4, 7), (2, 3), (1, 2), (1, 0)),
    ("volume", OrPooling3d, (2, 4, 3, 5), 2, 2, 0),
    ("volume_padded", OrPooling3d, (1, 3, 4, 5), 3, 2, 1),
    ("volume_tuples", OrPooling3d, (2, 2, 4, 5), (1, 2, 3), (1, 2, 1), (0, 1, 1)),
]


def pools() -> Iterator[tuple[str, Callable[[], Case]]]:
    def pool(cls: type[nn.Module], shape: tuple[int, ...], *sizes: Any) -> Case:
        sparse = (torch.rand(SAMPLES, *shape) < 0.2).float()
        return Case(cls(*sizes), sparse, shape)

    for name, *arguments in POOLS:
        yield name, lambda a=arguments: pool(*a)


def models() -> Iterator[tuple[str, Callable[[], Case]]]:
    def classifier() -> Case:
        """As the library's networks for MNIST, with padding in the second pooling."""
        layers = (
            conv((7, 6), 1, 3, tree=("raw", 2, 3), kernels=4),
            OrPooling2d(2, 2, 0),
            conv((2, 2), 4, 2, 1, 1, tree=("raw", 2, 2), kernels=6),
            OrPooling2d(2, 2, 1),
            nn.Flatten(),
            dense("raw", 2, 24, 30),
            dense("raw", 2, 30, 20),
        )
        return Case(nn.Sequential(*layers, GroupSum(5, tau=2.0)), bits(1, 7, 6))

    def colours() -> Case:
        """As those for CIFAR-10: thresholds of every channel, groups of channels."""
        thresholds = torch.sort(torch.rand(3, 2)).values
        layers = (
            FixedBinarization(thresholds, feature_dim=1),
            conv(4, 6, 3, 1, 1, 1, tree=("warp", 2, 2), kernels=4),
            OrPooling2d(2, 2),
            conv(2, 4, 2, 1, 1, 2, tree=("warp", 2, 2), kernels=3),
            nn.Flatten(),
            dense("warp", 2, 27, 24),
        )
        return Case(nn.Sequential(*layers, GroupSum(4)), torch.rand(SAMPLES, 3, 4, 4))

    def learned() -> Case:
        thresholds = torch.sort(torch.rand(1, 3)).values
        layers = (
            LearnableBinarization(thresholds, feature_dim=1),
            nn.Sequential(conv((3, 4), 3, 2, tree=("light", 4, 2)), nn.Identity()),
            nn.Dropout(0.5),
            nn.Flatten(),
            dense("light", 4, 18, 12),
        )
        return Case(nn.Sequential(*layers, GroupSum(3)), torch.rand(SAMPLES, 1, 3, 4), (1, 3, 4))

    def volume() -> Case:
        layers = (
            conv((3, 4, 3), 1, 2, 1, 1, tree=("raw", 2, 2)),
            OrPooling3d(2, 2),
            nn.Flatten(),
            dense("raw", 2, 24, 16),
        )
        return Case(nn.Sequential(*layers), bits(1, 3, 4, 3))

    def rows() -> Case:
        """A LogicDense on the last axis of an image, and bits at the end."""
        layers = conv((3, 4), 2, 2, tree=("light", 2, 2)), dense("raw", 2, 3, 5), OrPooling2d(2, 1)
        return Case(nn.Sequential(*layers), bits(2, 3, 4))

    def exported() -> Case:
        layers = conv((3, 3), 1, 2, tree=("raw", 2, 2)), nn.Flatten(), dense("raw", 2, 12, 9)
        module = nn.Sequential(*layers)
        set_export_mode(module, True)  # leaves buffers in the state_dict
        for layer in module.modules():
            if hasattr(layer, "export_mode"):
                layer.export_mode = False
        return Case(module, bits(1, 3, 3))

    def residual() -> Case:
        """As the library can make it: without a projection, which needs a tree of depth 0."""
        blocks = ResidualLogicBlock(3, 2, 2, 2), ResidualLogicBlock(3, 2, 2, 2, lut_rank=2)
        module = nn.Sequential(*blocks, nn.Flatten(), dense("raw", 2, 18, 12))
        randomise(module)
        return Case(module, (torch.rand(SAMPLES, 2, 3, 3) < 0.2).float())

    for build in (classifier, colours, learned, volume, rows, exported, residual):
        yield build.__name__, build


def conv_families() -> dict[str, dict[str, Callable[[], Case]]]:
    """All cases by family (one golden file each) and name."""
    return {
        "conv": dict(convolutions()),
        "conv3d": dict(volumes()),
        "pool": dict(pools()),
        "conv_models": dict(models()),
    }
