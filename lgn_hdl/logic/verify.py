"""Before = after, on feature values that can occur."""

from __future__ import annotations

import numpy as np

from ..errors import VerifyError
from .evaluate import evaluate
from .program import LogicProgram

__all__ = ["Probe", "probe_count", "probe_vectors", "verify"]


def probe_vectors(program: LogicProgram, samples: int, seed: int) -> np.ndarray:
    """Random feature integers that sit where the comparisons change.

    Each value is uniform over the format, or next to one of its feature's thresholds; the first
    two samples are all-smallest and all-largest.

    Returns
    -------
    ndarray of int64, shape (samples, features)
    """
    rng = np.random.default_rng(seed)
    low, high = program.format.min_int, program.format.max_int
    values = rng.integers(low, high, (samples, program.features), endpoint=True)
    if program.num_inputs and high - low > 1:
        order = np.argsort(program.input_feature, kind="stable")
        start = np.searchsorted(program.input_feature[order], np.arange(program.features + 1))
        count = np.diff(start)
        pick = start[:-1] + rng.integers(0, np.maximum(count, 1), values.shape)
        near = program.input_threshold[order][np.minimum(pick, program.num_inputs - 1)]
        near = np.clip(near + rng.integers(0, 2, values.shape), low, high)
        values = np.where((rng.random(values.shape) < 0.75) & (count > 0), near, values)
    values[:1], values[1:2] = low, high
    return values


def probe_count(program: LogicProgram) -> int:
    """1,024 samples, fewer for very wide inputs, at least 64."""
    return max(64, min(1024, (1 << 24) // max(program.features, 1)))


class Probe:
    """Vectors, and the answers that a program and every equal one give to them.

    Parameters
    ----------
    program : LogicProgram
    seed : int
        Of the vectors.
    """

    def __init__(self, program: LogicProgram, *, seed: int = 0):
        self._vectors = probe_vectors(program, probe_count(program), seed)
        self._expected = evaluate(program, self._vectors)

    def check(self, after: LogicProgram, what: str) -> None:
        """Compare the answers of another program.

        Raises
        ------
        VerifyError
            Naming the pass, the sample and the output that differ.
        """
        found = evaluate(after, self._vectors)
        for name, x, y in zip(("bit", "score"), self._expected, found, strict=True):
            if x.shape != y.shape or not np.array_equal(x, y):
                sample, output = np.argwhere(x != y)[0] if x.shape == y.shape else (0, 0)
                raise VerifyError(
                    f"the pass {what!r} changes {name} {output} of probe sample {sample}: "
                    f"{x[sample, output]} became {y[sample, output]}",
                    hint="this is a bug in lgn-hdl; please report it with the model",
                )


def verify(before: LogicProgram, after: LogicProgram, what: str, *, seed: int = 0) -> None:
    """Compare two programs on probe vectors.

    Raises
    ------
    VerifyError
        Naming the pass, the sample and the output that differ.
    """
    Probe(before, seed=seed).check(after, what)
