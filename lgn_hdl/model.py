"""Model: a trained network, and everything one asks of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import NetworkError
from .network import FixedPoint, Network, read_network, write_network

if TYPE_CHECKING:
    from .logic.program import LogicProgram
    from .reference import Reference

__all__ = ["Inputs", "Model", "as_inputs", "as_samples", "decided"]

#: Samples: an array, or one for each input of a network that has several.
Inputs = Any


class Model:
    """A trained network.

    Parameters
    ----------
    network : Network
        Validated here.
    origin : str, optional
        The file it came from, for the report.
    """

    def __init__(self, network: Network, origin: str | None = None):
        self.network = network.validate()
        self.origin = origin

    @classmethod
    def read(cls, path: str | Path) -> Model:
        """Read a .lgn file."""
        return cls(read_network(path), Path(path).name)

    def save(self, path: str | Path) -> None:
        """Write a .lgn file."""
        write_network(self.network, path)

    @property
    def classes(self) -> tuple[str, ...]:
        """A name for every class: the trained ones, or "0", "1", ..."""
        return self.network.class_names

    def predict(self, x: Inputs) -> np.ndarray:
        """Class index of each sample.

        Parameters
        ----------
        x : array_like, shape (n, *input shape) or (n, features)
            Real values as the trained module takes them; bits as 0 and 1. For a network with a
            front end of several inputs, a mapping of their names to such.

        Returns
        -------
        ndarray of int64, shape (n,)
            The largest score; the lowest index wins a tie. Of a network that makes a decision of
            one number, 1 if that is above its threshold.

        Raises
        ------
        NetworkError
            If `x` does not fit the input, or the network has no scores.
        """
        if self.network.decision is not None:
            return self.bits(x)[:, 0].astype(np.int64)
        return np.argmax(self.scores(x), axis=1)

    def scores(self, x: Inputs) -> np.ndarray:
        """Integer class scores of each sample, int64 of shape (n, classes); see `predict`.

        Those of a sparse CNN are stored integers of the last dense layer's format.
        """
        if self.network.scores is None:
            raise NetworkError(
                "the network has no group sum, so it has no scores",
                hint="load a gate list with groups=K (--groups K)",
            )
        return self._evaluate(x)[1]

    def logits(self, x: Inputs) -> np.ndarray:
        """Scores as the trained module gives them, float64: (score + beta) / tau, or the numbers
        of a sparse CNN before its softmax or sigmoid.
        """
        layer = self.network.group_sum
        scores = self.scores(x)
        if layer is None:
            return _real(self.network, scores)
        return (scores + layer.beta) / layer.tau

    def bits(self, x: Inputs) -> np.ndarray:
        """Output bits of a network without group sums, bool of shape (n, outputs)."""
        return self._evaluate(x)[0]

    def reference(self) -> Reference:
        """The network as a PyTorch module with exact integer semantics."""
        from .reference import Reference

        return Reference(self.network)

    def _evaluate(self, x: Inputs) -> tuple[np.ndarray, np.ndarray]:
        from .logic.evaluate import evaluate
        from .logic.frames import evaluate_frames
        from .network.chain import sparse_chain

        if sparse_chain(self.network) is not None:
            (tensor,) = self.network.inputs.values()
            assert isinstance(tensor.element, FixedPoint), "checked by infer"
            return evaluate_frames(
                self.network, tensor.element.quantize(as_samples(self.network, x))
            )
        program, encode = self._evaluator
        return evaluate(program, encode(x))

    @cached_property
    def _evaluator(self) -> tuple[LogicProgram, Callable[[Inputs], np.ndarray]]:
        """The network as a program over integers, and how samples become these integers."""
        from .logic.lower import lower
        from .network.ordinal import with_ordinal_input
        from .network.partition import front_of

        front, logic = front_of(self.network)
        if front is not None:
            # Arithmetic is evaluated by its reference: there is no third copy of its meaning.
            from .reference import Reference

            made, network = Reference(front.network), self.network
            return lower(logic), lambda x: _rows(made(as_inputs(network, x)).numpy())
        (tensor,) = self.network.inputs.values()
        if isinstance(tensor.element, FixedPoint):
            quantize = tensor.element.quantize
            return lower(self.network), lambda x: quantize(as_samples(self.network, x))
        if tensor.is_bits:
            return lower(self.network), lambda x: as_samples(self.network, x)
        network, encode = with_ordinal_input(self.network)
        return lower(network), lambda x: encode(as_samples(self.network, x))


def decided(network: Network, outputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """Class indices, int64 of shape (n,), of a network's outputs by name; see `Model.predict`."""
    if network.decision is not None:
        return outputs[network.decision].reshape(-1, 1)[:, 0].astype(np.int64)
    assert network.scores is not None
    return np.argmax(outputs[network.scores], axis=1)


def as_inputs(network: Network, x: Inputs) -> dict[str, np.ndarray]:
    """Samples as an array of shape (n, *input shape) for each input of the network.

    Parameters
    ----------
    network : Network
    x : array_like, or mapping of str to array_like
        An array will do if there is one input.

    Raises
    ------
    NetworkError
        If an input is missing or unknown, a shape does not fit, or the numbers of samples differ.
    """
    names = list(network.inputs)
    if isinstance(x, Mapping):
        if set(x) != set(names):
            found = ", ".join(map(str, x)) or "none"
            raise NetworkError(f"samples of the inputs {found}, expected {', '.join(names)}")
    elif len(names) > 1:
        raise NetworkError(
            f"the network has the inputs {', '.join(names)}, found one array",
            hint="give a mapping of their names to arrays",
        )
    else:
        x = {names[0]: x}
    found = {name: _as_rows(network, name, x[name]) for name in names}
    counts = {name: len(rows) for name, rows in found.items()}
    if len(set(counts.values())) > 1:
        said = ", ".join(f"{count} of {name}" for name, count in counts.items())
        raise NetworkError(f"the inputs have different numbers of samples: {said}")
    return {
        name: rows.reshape(len(rows), *network.inputs[name].shape) for name, rows in found.items()
    }


def as_samples(network: Network, x: np.ndarray) -> np.ndarray:
    """Samples as a matrix of shape (n, features), checked against the network's one input.

    Returns
    -------
    ndarray of float64, or of uint8 for an input of bits

    Raises
    ------
    NetworkError
        If the shape does not fit, or an input of bits holds something else than 0 and 1.
    """
    (name,) = network.inputs
    return _as_rows(network, name, x)


def _as_rows(network: Network, name: str, x: Any) -> np.ndarray:
    tensor = network.inputs[name]
    x = np.asarray(x)
    if x.ndim == 0 or not tensor.takes(x.shape[1:]):
        raise NetworkError(
            f"samples have shape {x.shape}, expected (n, {', '.join(map(str, tensor.shape))})",
            where=f"input {name!r}",
        )
    x = x.reshape(len(x), tensor.size)
    if not tensor.is_bits:
        return x.astype(np.float64, copy=False)
    if x.dtype != bool and not ((x == 0) | (x == 1)).all():
        raise NetworkError("takes bits, found values other than 0 and 1", where=f"input {name!r}")
    return x.astype(np.uint8)


def _real(network: Network, scores: np.ndarray) -> np.ndarray:
    """Stored integers of the scores as real numbers."""
    assert network.scores is not None
    number = network.types[network.scores].element
    assert isinstance(number, FixedPoint), "checked by infer"
    return number.to_real(scores)


def _rows(values: np.ndarray) -> np.ndarray:
    """One row per sample."""
    return values.reshape(len(values), -1)
