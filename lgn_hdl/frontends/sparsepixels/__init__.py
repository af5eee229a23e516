"""Sparse CNNs of SparsePixels, as Keras saves them: quantised layers of QKeras.

Keras itself is never imported: a `.keras` file is a zip archive of JSON and HDF5, which is read as
such.
"""

from .build import from_keras
from .keras_file import KerasModel, read_keras, read_weights

__all__ = ["KerasModel", "from_keras", "read_keras", "read_weights"]
