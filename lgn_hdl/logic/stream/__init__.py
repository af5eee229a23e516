"""Convolutional networks whose positions take turns: the plan, its schedule, its evaluation."""

from .block import Block, Taps
from .control import Control, Pulse, Timer
from .evaluate import StreamEvaluator, verify_stream
from .figures import PartFigures, stream_figures
from .grid import Grid
from .plan import REUSES, Reuse, StreamLayer, StreamPlan
from .planner import plan_stream
from .source import Aside, SelectedFeatures, ShiftedBits, ShiftedFeatures, Source
from .ticks import Ticks

__all__ = [
    "REUSES",
    "Aside",
    "Block",
    "Control",
    "Grid",
    "PartFigures",
    "Pulse",
    "Reuse",
    "SelectedFeatures",
    "ShiftedBits",
    "ShiftedFeatures",
    "Source",
    "StreamEvaluator",
    "StreamLayer",
    "StreamPlan",
    "Taps",
    "Ticks",
    "Timer",
    "plan_stream",
    "stream_figures",
    "verify_stream",
]
