"""The front end: sums over the inputs, before the binarizer."""

from .fronted import FEATURE_WIRE, Fronted
from .plan import FIRST, FrontPlan, plan_front
from .slices import Collector, SlicedTerms, slice_terms
from .sums import FrontSums, plan_sums
from .terms import FeatureTerms, feature_terms

__all__ = [
    "FEATURE_WIRE",
    "FIRST",
    "Collector",
    "FeatureTerms",
    "FrontPlan",
    "FrontSums",
    "Fronted",
    "SlicedTerms",
    "feature_terms",
    "plan_front",
    "plan_sums",
    "slice_terms",
]
