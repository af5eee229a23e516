"""SmartPixels: rejecting clusters of low-momentum tracks inside a pixel sensor.

An application of the compiler: data, features, baselines, training and figures of merit. Nothing
else in this package imports it. Commands: `python -m lgn_hdl.smartpixels --help`.
"""

from __future__ import annotations

from .dataset import Clusters
from .features import Digitiser, feature_vectors
from .generator import Sensor, generate, generate_chunks
from .labels import CLASSES, class_index

__all__ = [
    "CLASSES",
    "Clusters",
    "Digitiser",
    "Sensor",
    "class_index",
    "feature_vectors",
    "generate",
    "generate_chunks",
]
