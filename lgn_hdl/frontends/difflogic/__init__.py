"""difflogic networks: live modules, or a state_dict with the connections that it lacks.

The library itself is never imported. `LogicLayer.indices` is a plain tuple and so absent from the
state_dict; `save_indices` writes it, with the rest that a state_dict does not say, to a file.
"""

from .checkpoint import from_state_dict, is_checkpoint, load
from .module import convert, indices, is_module, save_indices

__all__ = [
    "convert",
    "from_state_dict",
    "indices",
    "is_checkpoint",
    "is_module",
    "load",
    "save_indices",
]
