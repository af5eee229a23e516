"""Layers on sparse images in Amaranth: streams of slots, see `docs/ir.md` for what they mean."""

from .classifier import SparseClassifier, block_wires, check_sparse_ports
from .constantdense import ConstantDense
from .conv import SparseConv
from .decide import Decide, decision_layout
from .dense import DenseLayer, FlattenDense
from .framereduce import FrameReduce
from .payload import image_layout, layout_of
from .plan import Block, SparsePlan
from .planner import plan_sparse
from .pool import Pool
from .requantize import Requantize
from .rowreduce import RowReduce

__all__ = [
    "Block",
    "ConstantDense",
    "Decide",
    "DenseLayer",
    "FlattenDense",
    "FrameReduce",
    "Pool",
    "Requantize",
    "RowReduce",
    "SparseClassifier",
    "SparseConv",
    "SparsePlan",
    "block_wires",
    "check_sparse_ports",
    "decision_layout",
    "image_layout",
    "layout_of",
    "plan_sparse",
]
