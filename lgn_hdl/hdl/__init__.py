"""The hardware: Amaranth components, from the classifier down to a compressor tree."""

from .argmax import ArgMax
from .binarizer import Binarizer, feature_layout
from .classifier import Classifier, check_payloads, check_ports, result_layout
from .decision import probe_names
from .folded import FoldedClassifier, folded_clocks, folded_layout
from .gates import Gates
from .groupsum import CompressorTree, GroupSum
from .instance import ClassifierInstance
from .modules import to_rtlil

__all__ = [
    "ArgMax",
    "Binarizer",
    "Classifier",
    "ClassifierInstance",
    "CompressorTree",
    "FoldedClassifier",
    "Gates",
    "GroupSum",
    "check_payloads",
    "check_ports",
    "feature_layout",
    "folded_clocks",
    "folded_layout",
    "probe_names",
    "result_layout",
    "to_rtlil",
]
