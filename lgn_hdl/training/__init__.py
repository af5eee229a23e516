"""Layers for defining and training sparse CNNs in PyTorch, with the quantisers of Brevitas.

They stand in a `torch.nn.Sequential`. `lgn_hdl.convert(module, (C, H, W))` turns that into a
network that computes exactly what the module in eval mode does; see `docs/sparse-training.md`.
"""

from __future__ import annotations

from .dense import Dense
from .image import SparseImage, SparseVector
from .relu import QuantizedReLU
from .sparse import InputReduce, SparseConv2d, SparseFlatten, SparsePool2d

__all__ = [
    "Dense",
    "InputReduce",
    "QuantizedReLU",
    "SparseConv2d",
    "SparseFlatten",
    "SparseImage",
    "SparsePool2d",
    "SparseVector",
]
