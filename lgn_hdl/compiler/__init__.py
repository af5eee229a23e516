"""Put the rooms together: model in, folder with hardware, vectors and report out."""

from .build import BuildResult, build
from .options import BuildOptions
from .samples import Samples, read_samples
from .simulate import SimResult, simulate

__all__ = [
    "BuildOptions",
    "BuildResult",
    "Samples",
    "SimResult",
    "build",
    "read_samples",
    "simulate",
]
