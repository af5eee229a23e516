"""What a plan computes: element after element, as the hardware sees them."""

from __future__ import annotations

import numpy as np

from ...errors import VerifyError
from ...network import Network
from ..evaluate import Evaluator
from ..lower import lower
from ..program import LogicProgram
from ..verify import probe_vectors
from .block import Taps
from .grid import Grid
from .plan import StreamLayer, StreamPlan

__all__ = ["StreamEvaluator", "verify_stream"]

#: Bytes of window bits that are looked at together.
_CHUNK_BYTES = 1 << 27


class StreamEvaluator:
    """A plan prepared for evaluation.

    Samples follow each other directly, so windows at the first positions see the sample before.
    In front of the first sample stands one of noise.

    Parameters
    ----------
    plan : StreamPlan
    seed : int
        Of the noise.
    """

    def __init__(self, plan: StreamPlan, *, seed: int = 0):
        self._plan, self._seed = plan, seed
        self._blocks = [Evaluator(layer.block.program) for layer in plan.layers]
        self._tail = Evaluator(plan.tail)
        self._elements = plan.source.prepared()
        self._aside = None if plan.aside is None else Evaluator(plan.aside.program)

    def __call__(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Bits (n, B) and scores (n, C) for stored integers (n, features), as of `evaluate`."""
        return self._tail(self.collected(features))

    def collected(self, features: np.ndarray) -> np.ndarray:
        """What the tail reads, bool (n, its features): the last image, and bits set aside."""
        plan = self._plan
        largest = max(
            len(plan.read(n)) * len(plan.grids[n + 1].positions) for n in range(len(plan.layers))
        )
        step = max(1, _CHUNK_BYTES // max(1, largest))
        none = np.zeros((0, plan.tail.features), bool)
        parts = [self._some(features[n : n + step]) for n in range(0, len(features), step)]
        return np.concatenate([none, *parts])

    def _some(self, features: np.ndarray) -> np.ndarray:
        plan, rng = self._plan, np.random.default_rng(self._seed)
        stream = self._elements(features)
        for number, layer in enumerate(plan.layers):
            sequence = _sequence(stream, plan.grids[number], rng)
            stream = self._layer(number, layer, sequence, len(features))
        sequence = _sequence(stream, plan.grids[-1], rng)
        last = np.array([plan.grids[-1].elements - 1])
        found = _windows(sequence, plan.grids[-1], last, plan.collected, len(features))
        if plan.aside is not None and self._aside is not None:
            kept = np.asarray(features)[:, plan.aside.feature]
            found = np.concatenate([found, self._aside(kept)[0]], axis=1)
        return found

    def _layer(
        self, number: int, layer: StreamLayer, sequence: np.ndarray, samples: int
    ) -> np.ndarray:
        grid, block = self._plan.grids[number], layer.block
        newest = layer.sliding.newest(grid)
        windows = _windows(sequence, grid, newest, block.taps, samples)
        element = np.zeros((len(windows), len(block.part)), bool)
        zero = np.zeros((len(windows), 1), bool)
        for part, chosen in enumerate(block.chosen):
            # The last column is what a feature is that is no tap.
            whole = block.parts == 1
            given = windows if whole else np.concatenate([windows, zero], axis=1)[:, chosen]
            bits, _ = self._blocks[number](given)
            own = block.part == part
            element[:, own] = bits[:, block.output[own]]
        return element.reshape(samples, len(newest), -1)


def _sequence(stream: np.ndarray, grid: Grid, rng: np.random.Generator) -> np.ndarray:
    """Elements of all samples in a row, a sample of noise and the zeros included."""
    samples, _, bits = stream.shape
    elements = np.zeros((samples + 1, grid.elements, bits), bool)
    elements[0, grid.positions] = rng.integers(0, 2, (len(grid.positions), bits))
    elements[1:, grid.positions] = stream
    return elements.reshape(-1, bits)


def _windows(
    sequence: np.ndarray, grid: Grid, newest: np.ndarray, taps: Taps, samples: int
) -> np.ndarray:
    """The bits of the taps, (samples · len(newest), taps)."""
    own = (1 + np.arange(samples)[:, None]) * grid.elements + newest
    return sequence[own.reshape(-1, 1) - taps.delay, taps.bit]


def verify_stream(
    network: Network,
    plan: StreamPlan,
    *,
    program: LogicProgram | None = None,
    samples: int = 256,
    seed: int = 0,
) -> None:
    """Compare a plan with its network, every position of which has gates of its own.

    Parameters
    ----------
    network : Network
        As the plan was made of it.
    plan : StreamPlan
    program : LogicProgram, optional
        The network, lowered, if that has been done already.
    samples, seed : int
        How many random samples.

    Raises
    ------
    VerifyError
        Naming the sample and the output that differ.
    """
    program = lower(network) if program is None else program
    features = probe_vectors(program, samples, seed)
    expected = Evaluator(program)(features)
    found = StreamEvaluator(plan, seed=seed)(features)
    for what, x, y in zip(("bit", "score"), expected, found, strict=True):
        wrong = np.argwhere(x != y)
        if len(wrong):
            sample, output = wrong[0].tolist()
            raise VerifyError(
                f"streaming changes {what} {output} of probe sample {sample}: "
                f"{x[sample, output]} became {y[sample, output]}",
                hint="this is a bug in lgn-hdl; please report it with the model",
            )
