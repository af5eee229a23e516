"""Gate lists: layers of two-input gates as plain arrays, from several projects' files."""

from .build import build
from .checkpoint import from_checkpoint, is_checkpoint
from .files import GateLayer, read_csv, read_npz

__all__ = ["GateLayer", "build", "from_checkpoint", "is_checkpoint", "read_csv", "read_npz"]
