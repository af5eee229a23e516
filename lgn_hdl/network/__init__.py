"""What a trained, discretised network is: pure data over numpy."""

from .arithmetic import Dense, Quantize
from .fixed import FixedPoint
from .images import LogicConv, OrPool
from .layers import ArgMax, GroupSum, Layer, LutLayer, Thermometer
from .network import Network, Node
from .shaping import AxisSum, Concat, Permute, Reshape, Slice
from .sparse import InputReduce, SparseConv2d, SparseFlatten, SparsePool2d
from .storage import read_network, write_network
from .tensors import BIT, REAL, Element, TensorType

__all__ = [
    "BIT",
    "REAL",
    "ArgMax",
    "AxisSum",
    "Concat",
    "Dense",
    "Element",
    "FixedPoint",
    "GroupSum",
    "InputReduce",
    "Layer",
    "LogicConv",
    "LutLayer",
    "Network",
    "Node",
    "OrPool",
    "Permute",
    "Quantize",
    "Reshape",
    "Slice",
    "SparseConv2d",
    "SparseFlatten",
    "SparsePool2d",
    "TensorType",
    "Thermometer",
    "read_network",
    "write_network",
]
