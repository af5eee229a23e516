"""The hardware: Amaranth components, from the classifier down to a compressor tree."""

from .argmax import ArgMax
from .binarizer import Binarizer, feature_layout
from .classifier import Classifier, probe_names, result_layout
from .gates import Gates
from .groupsum import CompressorTree, GroupSum

__all__ = [
    "ArgMax",
    "Binarizer",
    "Classifier",
    "CompressorTree",
    "Gates",
    "GroupSum",
    "feature_layout",
    "probe_names",
    "result_layout",
]
