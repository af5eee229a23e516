"""What a trained, discretised network is: pure data over numpy."""

from .fixed import FixedPoint
from .images import LogicConv, OrPool
from .layers import ArgMax, GroupSum, Layer, LutLayer, Thermometer
from .network import Network, Node
from .shaping import AxisSum, Concat, Permute, Reshape, Slice
from .storage import read_network, write_network
from .tensors import BIT, REAL, Element, TensorType

__all__ = [
    "BIT",
    "REAL",
    "ArgMax",
    "AxisSum",
    "Concat",
    "Element",
    "FixedPoint",
    "GroupSum",
    "Layer",
    "LogicConv",
    "LutLayer",
    "Network",
    "Node",
    "OrPool",
    "Permute",
    "Reshape",
    "Slice",
    "TensorType",
    "Thermometer",
    "read_network",
    "write_network",
]
