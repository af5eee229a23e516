"""Layers to train in PyTorch: sparse CNNs with the quantisers of Brevitas, and logic gates.

They stand in a `torch.nn.Sequential`. `lgn_hdl.convert(module, shape)` turns that into a network
that computes exactly what the module in eval mode does; see `docs/sparse-training.md` and
`docs/area-training.md`. Gates and `area_loss` need no Brevitas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .area import area_loss
    from .dense import Dense
    from .image import SparseImage, SparseVector
    from .logic import GroupSum, LogicLayer
    from .relu import QuantizedReLU
    from .sparse import InputReduce, SparseConv2d, SparseFlatten, SparsePool2d

__all__ = [
    "Dense",
    "GroupSum",
    "InputReduce",
    "LogicLayer",
    "QuantizedReLU",
    "SparseConv2d",
    "SparseFlatten",
    "SparseImage",
    "SparsePool2d",
    "SparseVector",
    "area_loss",
]

_HOMES = {
    "Dense": ".dense",
    "GroupSum": ".logic",
    "InputReduce": ".sparse",
    "LogicLayer": ".logic",
    "QuantizedReLU": ".relu",
    "SparseConv2d": ".sparse",
    "SparseFlatten": ".sparse",
    "SparseImage": ".image",
    "SparsePool2d": ".sparse",
    "SparseVector": ".image",
    "area_loss": ".area",
}


def __getattr__(name: str) -> Any:
    """Import on first use: who trains gates need not have Brevitas."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name], __name__), name)
