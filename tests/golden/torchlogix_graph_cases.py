"""torchlogix networks whose modules have a `forward` of their own. Needs torchlogix 0.2.2."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torchlogix.layers import FixedBinarization, GroupSum, LearnableBinarization, OrPooling2d
from torchlogix_cases import Case, dense
from torchlogix_conv_cases import SAMPLES, bits, conv
from torchlogix_forwards import (
    BITS,
    COLUMNS,
    ROWS,
    Branches,
    Channels,
    FeatureMajor,
    Halves,
    Last,
    Wrapped,
)


def filled(module: nn.Module, **children: nn.Module) -> nn.Module:
    """The module with its layers."""
    for name, child in children.items():
        module.add_module(name, child)
    return module


def pixels(module: nn.Module, binarization: type[nn.Module] = FixedBinarization) -> Case:
    thresholds = torch.sort(torch.rand(1 + ROWS * COLUMNS, BITS)).values
    convolution = conv((ROWS, COLUMNS), BITS, 3, 1, 1, tree=("light", 4, 2), kernels=4)
    filled(
        module,
        binarization=binarization(thresholds=thresholds, feature_dim=-2),
        convolution=nn.Sequential(convolution, OrPooling2d(2, 2)),
        head=nn.Sequential(
            dense("light", 4, BITS + 8, 24), dense("raw", 2, 24, 21), GroupSum(3, tau=2.0)
        ),
    )
    return Case(module, torch.rand(SAMPLES, 1 + ROWS * COLUMNS))


def halves() -> Case:
    module = filled(
        Halves(),
        left=conv((3, 4), 2, 2, tree=("raw", 2, 2), kernels=2),
        right=conv((3, 4), 2, (2, 2), tree=("warp", 2, 2), kernels=3),
        pool=OrPooling2d(2, 1),
        dense=dense("raw", 2, 21, 20),
    )
    return Case(module, bits(4, 3, 4), (4, 3, 4))


def branches() -> Case:
    module = filled(
        Branches(),
        first=dense("raw", 2, 6, 8),
        layers=nn.ModuleList([dense("warp", 4, 16, 12), dense("light", 2, 12, 12)]),
        auxiliary=dense("raw", 2, 12, 12),
        sum=GroupSum(4, beta=1.5),
    )
    return Case(module, bits(6, 2), (6, 2))


def wrapped() -> Case:
    net = nn.Sequential(dense("raw", 2, 8, 10), GroupSum(5))
    return Case(filled(Wrapped(), net=net), bits(10), (10,))


def in_sequential() -> Case:
    inner = nn.Sequential(nn.Unflatten(1, (5, 2)))
    return Case(nn.Sequential(dense("raw", 2, 8, 10), inner, Last()), bits(8))


def graph_families() -> dict[str, dict[str, Callable[[], Case]]]:
    """One family of cases by name."""
    return {
        "graph": {
            "feature_major": lambda: pixels(FeatureMajor()),
            "channels": lambda: pixels(Channels()),
            "channels_learned": lambda: pixels(Channels(), LearnableBinarization),
            "halves": halves,
            "branches": branches,
            "wrapped": wrapped,
            "in_sequential": in_sequential,
        }
    }
