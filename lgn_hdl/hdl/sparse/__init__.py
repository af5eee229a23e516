"""Layers on sparse images in Amaranth: streams of slots, see `docs/ir.md` for what they mean."""

from .conv import SparseConv
from .dense import DenseLayer, FlattenDense
from .payload import image_layout, layout_of
from .pool import Pool
from .reduce import FrameReduce, RowReduce
from .requantize import Requantize

__all__ = [
    "DenseLayer",
    "FlattenDense",
    "FrameReduce",
    "Pool",
    "Requantize",
    "RowReduce",
    "SparseConv",
    "image_layout",
    "layout_of",
]
