"""Sparse CNNs of SparsePixels: models of QKeras from files, and live ones with HGQ2.

Keras itself is never imported: a `.keras` file is a zip archive of JSON and HDF5, which is read as
such, and a live model is read by the names and attributes of its layers.
"""

from .architecture import architecture, read_architecture
from .build import from_keras
from .describe import describe, from_sparsepixels, is_model
from .described import from_description
from .keras_file import KerasModel, read_keras, read_weights
from .load import HDF5, is_keras, load_keras, load_weights

__all__ = [
    "HDF5",
    "KerasModel",
    "architecture",
    "describe",
    "from_description",
    "from_keras",
    "from_sparsepixels",
    "is_keras",
    "is_model",
    "load_keras",
    "load_weights",
    "read_architecture",
    "read_keras",
    "read_weights",
]
