"""The exact semantics of every layer, in PyTorch: what all other computations are compared to."""

from .module import Reference

__all__ = ["Reference"]
