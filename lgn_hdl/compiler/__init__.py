"""Put the rooms together: model in, folder with hardware, vectors and report out."""

from .build import BuildResult, build
from .options import BuildOptions
from .samples import Samples, read_samples
from .simulate import SimResult, simulate
from .simulate_board import LinkSimResult, simulate_board

__all__ = [
    "BuildOptions",
    "BuildResult",
    "LinkSimResult",
    "Samples",
    "SimResult",
    "build",
    "read_samples",
    "simulate",
    "simulate_board",
]
