"""The bit-level world: a struct-of-arrays program, passes over it, its evaluation and schedule."""

from .evaluate import Evaluator, evaluate, evaluate_signals
from .lower import lower
from .passes import PassResult, optimize
from .program import LogicProgram, WeightedSums
from .schedule import Pipeline, schedule
from .timing import DELAY_MODELS, DelayModel, StageClock
from .verify import verify

__all__ = [
    "DELAY_MODELS",
    "DelayModel",
    "Evaluator",
    "LogicProgram",
    "PassResult",
    "Pipeline",
    "StageClock",
    "WeightedSums",
    "evaluate",
    "evaluate_signals",
    "lower",
    "optimize",
    "schedule",
    "verify",
]
