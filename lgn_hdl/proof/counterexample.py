"""A counterexample in the terms of the user: feature values, scores, class."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import numpy as np

from ..logic.evaluate import evaluate
from ..logic.verify import probe_vectors
from .circuits import Circuits, Fields

__all__ = ["Comparison", "Counterexample"]

#: Samples tried when a solver's answer does not show at the outputs.
SAMPLES = 1 << 14
#: Features that a message names; the rest is in the exception.
_SHOWN = 100


@dataclass(frozen=True, eq=False)
class Counterexample:
    """A sample on which hardware and network differ.

    Parameters
    ----------
    features : ndarray of int64, shape (F,)
        Stored integers of the input format.
    names : list of str
        Of the results.
    expected, found : ndarray of int64
        What the network and the hardware give.
    real : ndarray of float64, shape (F,)
        The values of the features.
    """

    features: np.ndarray
    names: list[str]
    expected: np.ndarray
    found: np.ndarray
    real: np.ndarray

    def __str__(self) -> str:
        other, real = np.flatnonzero(self.features != 0), self.real.tolist()
        # All digits: what is rounded may be another sample.
        shown = [f"x[{f}] = {_digits(real[f])}" for f in other[:_SHOWN].tolist()]
        if len(other) > _SHOWN:
            shown.append(f"{len(other) - _SHOWN} more (`counterexample.features`)")
        elif len(other) < len(self.features):
            shown.append("every other feature 0" if shown else "every feature 0")
        differ = np.flatnonzero(self.expected != self.found).tolist()
        results = [
            f"{self.names[i]} = {self.found[i]}, expected {self.expected[i]}" for i in differ[:8]
        ]
        return f"for {', '.join(shown)} the hardware gives {'; '.join(results)}"


class Comparison:
    """Runs network and hardware on samples.

    Parameters
    ----------
    circuits : Circuits
    hardware : Fields
        Literals of the results of the hardware.
    """

    def __init__(self, circuits: Circuits, hardware: Fields):
        self._circuits = circuits
        meaning = circuits.meaning
        self._network = circuits.aig.program([*chain(*meaning.groups), *meaning.bits])
        self._hardware = circuits.aig.program([*chain(*hardware.values())])
        self._fields = hardware

    def confirm(self, features: np.ndarray) -> Counterexample | None:
        """The first of some samples (n, F) on which the two differ, made simple.

        As many features as possible are set to 0.
        """
        differ = self._differ(features)
        if not differ.any():
            return None
        x = features[np.argmax(differ)].copy()
        size = len(x)
        while size > 1:
            size = (size + 1) // 2
            for part in np.split(np.arange(len(x)), range(size, len(x), size)):
                without = x.copy()
                without[part] = 0
                if x[part].any() and self._differ(without[None])[0]:
                    x = without
        names = [name for name in self._fields if name != "bits"]
        names += [f"bit {i}" for i in range(len(self._fields.get("bits", ())))]
        (expected,), (found,) = self._expected(x[None]), self._found(x[None])
        return Counterexample(x, names, expected, found, self._circuits.number.to_real(x))

    def search(self, seed: int) -> Counterexample | None:
        """Look for a difference among random samples next to the thresholds."""
        program = self._circuits.program
        samples = max(64, min(SAMPLES, (1 << 24) // program.features))
        return self.confirm(probe_vectors(program, samples, seed))

    def _differ(self, features: np.ndarray) -> np.ndarray:
        return (self._expected(features) != self._found(features)).any(axis=1)

    def _expected(self, features: np.ndarray) -> np.ndarray:
        """Integers (n, results) that the network gives, in the order of the fields."""
        groups = self._circuits.meaning.groups
        values, _ = evaluate(self._network, self._circuits.input_bits(features))
        values = values.astype(np.int64)
        counted = sum(map(len, groups))
        columns = [values[:, counted:]]
        if groups:
            scores = values[:, :counted].reshape(len(values), len(groups), -1).sum(axis=2)
            columns.insert(0, scores)
            if self._circuits.with_class:
                columns.insert(0, scores.argmax(axis=1)[:, None])
        return np.concatenate(columns, axis=1)

    def _found(self, features: np.ndarray) -> np.ndarray:
        """What the hardware gives; bits stay one column each."""
        values, _ = evaluate(self._hardware, self._circuits.input_bits(features))
        columns, first = [], 0
        for name, bits in self._fields.items():
            part = values[:, first : first + len(bits)].astype(np.int64)
            first += len(bits)
            columns.append(part if name == "bits" else part @ (1 << np.arange(len(bits)))[:, None])
        return np.concatenate(columns, axis=1)


def _digits(number: float) -> str:
    return repr(number).removesuffix(".0")
