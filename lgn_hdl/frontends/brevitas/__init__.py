"""Sparse CNNs made of the layers of `lgn_hdl.training`, which Brevitas quantises.

Neither is imported here: layers are read by the names of their classes and their attributes.
"""

from .module import convert, is_module

__all__ = ["convert", "is_module"]
