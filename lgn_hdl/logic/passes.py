"""The pass pipeline: which passes run, in which order, each one verified and measured."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from .dontcare import thermometer_dont_cares
from .fusion import fuse_counts
from .groupsum import merge_sum_terms
from .levels import levels
from .positive import positive_sums
from .program import LogicProgram
from .simplify import simplify
from .thresholds import merge_thresholds
from .verify import Probe

__all__ = ["PASSES", "PassResult", "optimize"]

Pass = Callable[[LogicProgram], LogicProgram]

#: In this order; each is a pure function.
PASSES: dict[str, Pass] = {
    "thresholds": merge_thresholds,
    "simplify": simplify,
    "dont-cares": thermometer_dont_cares,
    "group-sums": merge_sum_terms,
}


@dataclass(frozen=True)
class PassResult:
    """What a pass left, and how long it took (its verification included)."""

    name: str
    gates: int
    inputs: int
    terms: int
    depth: int
    seconds: float


def measure(name: str, program: LogicProgram, seconds: float = 0.0) -> PassResult:
    """The size of a program, under a pass name."""
    depth = int(levels(program).max(initial=0))
    terms = len(program.sums.signal)
    return PassResult(name, program.num_gates, program.num_inputs, terms, depth, seconds)


def optimize(
    program: LogicProgram,
    *,
    fuse: int | None = None,
    positive: bool = False,
    seed: int = 0,
    progress: Callable[[str], None] = lambda name: None,
) -> tuple[LogicProgram, list[PassResult]]:
    """Run every pass; verify what each leaves against the program as it was given.

    Parameters
    ----------
    program : LogicProgram
    fuse : int, optional
        Inputs of a LUT of the target: the last gates are fused with the counting of them.
    positive : bool
        Let sums have positive terms only, for adders that are cells.
    seed : int
        Of the probe vectors.
    progress : callable
        Told the name of each pass before it runs.

    Returns
    -------
    LogicProgram, list of PassResult
        The first result, named "network", is the program as lowered.

    Raises
    ------
    VerifyError
        If a pass changed what the program computes.
    """
    results = [measure("network", program)]
    passes = dict(PASSES)
    if fuse is not None:
        passes["fuse-counts"] = partial(fuse_counts, inputs=fuse)
    if positive:
        passes["positive-sums"] = positive_sums
    probe = Probe(program, seed=seed)
    for name, run in passes.items():
        progress(name)
        start = time.perf_counter()
        after = run(program)
        if after is not program:  # a pass that finds nothing to do returns what it was given
            probe.check(after.check(), name)
        results.append(measure(name, after, time.perf_counter() - start))
        program = after
    return program, results
