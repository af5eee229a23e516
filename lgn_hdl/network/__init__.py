"""What a trained, discretised network is: pure data over numpy."""

from .fixed import FixedPoint
from .layers import ArgMax, Concat, GroupSum, Layer, LutLayer, Reshape, Thermometer
from .network import Network, Node
from .storage import read_network, write_network
from .tensors import BIT, REAL, Element, TensorType

__all__ = [
    "BIT",
    "REAL",
    "ArgMax",
    "Concat",
    "Element",
    "FixedPoint",
    "GroupSum",
    "Layer",
    "LutLayer",
    "Network",
    "Node",
    "Reshape",
    "TensorType",
    "Thermometer",
    "read_network",
    "write_network",
]
