"""Frontends: from the files and modules of other projects to a Network."""

from .detect import load_network
from .live import convert

__all__ = ["convert", "load_network"]
