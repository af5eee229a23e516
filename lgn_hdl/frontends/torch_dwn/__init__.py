"""torch-dwn networks (Differentiable Weightless Networks): live modules, or a checkpoint.

The library itself is never imported. Its thermometers are no modules: their thresholds come from
the checkpoint's own fields, or are given.
"""

from .checkpoint import from_checkpoint, is_checkpoint
from .module import convert, is_module

__all__ = ["convert", "from_checkpoint", "is_checkpoint", "is_module"]
