"""Test vectors: what every block must give, with the answers taken from PyTorch.

Scores, class and bits come from the torch reference of the trained network. Only what has no
counterpart there, the bits between the blocks of the simplified hardware, comes from the
evaluator, whose own answers must agree with the reference before anything is written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
from amaranth.lib import data

from ..errors import VerifyError
from ..hdl.front import FEATURE_WIRE
from ..hdl.wide import port_names
from ..logic.evaluate import evaluate, evaluate_signals
from ..logic.program import FIRST_INPUT, LogicProgram
from ..logic.verify import probe_vectors
from ..model import Inputs, as_inputs, as_samples
from ..network import FixedPoint, Network
from .bits import binary
from .cores import PipelinedCore
from .front import FrontedCore, random_inputs, stored_integers
from .frontvectors import front_answers, front_steps
from .sparse import SparseCore
from .sparseimages import random_images
from .sparsevectors import sparse_vectors
from .streamed import StreamedCore

if TYPE_CHECKING:
    from .design import Design

__all__ = ["Expected", "answers_to", "block_vectors", "checked_answers", "write_vectors"]


#: Bits and scores of stored integers (n, F).
Computes = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Expected:
    """Answers of the torch reference, for stored integers `features` (n, F).

    `inputs` are what a front end makes the features of, by name; empty without one. `source` says
    where they are from, if they are all of them.
    """

    features: np.ndarray
    outputs: dict[str, np.ndarray]
    inputs: dict[str, np.ndarray] = field(default_factory=dict)
    source: str = ""

    def first(self, count: int) -> Expected:
        """The first `count` samples."""
        outputs = {name: value[:count] for name, value in self.outputs.items()}
        inputs = {name: value[:count] for name, value in self.inputs.items()}
        return Expected(self.features[:count], outputs, inputs)

    def with_more(self, other: Expected) -> Expected:
        """These samples and others, of a network without a front end."""
        outputs = {
            name: np.concatenate([value, other.outputs[name]])
            for name, value in self.outputs.items()
        }
        return Expected(np.concatenate([self.features, other.features]), outputs)


def answers_to(design: Design, x: Inputs | None, count: int = 0, seed: int = 0) -> Expected:
    """Answers of the torch reference, which the evaluator must agree with.

    Parameters
    ----------
    design : Design
    x : array_like, mapping of str to array_like, or None
        Real samples; None for random ones.
    count, seed
        Of the random ones.

    Raises
    ------
    NetworkError
        If the samples do not fit.
    VerifyError
        At the first sample on which reference and evaluator differ.
    """
    network, core = design.network, design.core
    if isinstance(core, FrontedCore):
        if x is None:
            inputs = random_inputs(network, count, seed)
        else:
            inputs = stored_integers(network, as_inputs(network, x))
        expected = Expected(*front_answers(network, core, inputs), inputs)
        _compare_with_evaluator(network, design.logic.evaluate, expected)
        return expected
    if x is not None:
        features = core.inputs.format.quantize(as_samples(network, x))
    elif isinstance(core, SparseCore):
        features = random_images(core, count, seed).reshape(count, -1)
    else:
        features = probe_vectors(core.inputs, count, seed)
    return checked_answers(network, design.logic.evaluate, features)


def checked_answers(
    network: Network, evaluator: LogicProgram | Computes, features: np.ndarray
) -> Expected:
    """Answers of the torch reference for stored integers, which the evaluator must agree with.

    Parameters
    ----------
    network : Network
        With a number format on its input.
    evaluator : LogicProgram or callable
        The network, lowered and simplified; or what computes bits and scores of features.
    features : ndarray of int64, shape (n, F)

    Raises
    ------
    VerifyError
        At the first sample on which reference and evaluator differ.
    """
    from ..reference import Reference

    ((_, tensor),) = network.inputs.items()
    number = tensor.element
    x = number.to_real(features) if isinstance(number, FixedPoint) else features
    answers = Reference(network).outputs(x.reshape(len(x), *tensor.shape))
    expected = Expected(features, {name: value.numpy() for name, value in answers.items()})
    computes = partial(evaluate, evaluator) if isinstance(evaluator, LogicProgram) else evaluator
    _compare_with_evaluator(network, computes, expected)
    return expected


def _compare_with_evaluator(network: Network, computes: Computes, expected: Expected) -> None:
    bits, scores = computes(expected.features)
    pairs = []
    if network.scores in expected.outputs:
        pairs.append(("scores", scores, expected.outputs[network.scores]))
    wanted = [
        expected.outputs[name].reshape(len(bits), -1)
        for name in network.outputs
        if network.types[name].is_bits
    ]
    if wanted:
        pairs.append(("bits", bits, np.concatenate(wanted, axis=1).astype(bool)))
    for what, found, want in pairs:
        if not np.array_equal(found, want):
            sample = int(np.argwhere(found != want)[0, 0])
            raise VerifyError(
                f"evaluator and PyTorch reference disagree on the {what} of sample {sample}",
                hint="this is a bug in lgn-hdl; please report it with the model",
            )


def block_vectors(design: Design, expected: Expected) -> dict[str, np.ndarray]:
    """Arrays of vectors.npz; `sim.vectors` says what they are.

    The blocks of a pipeline are listed one by one; of hardware that is folded, only the result is.
    """
    network, core = design.network, design.core
    result = _result(network, core.layout, expected)
    if isinstance(core, SparseCore):
        return sparse_vectors(core, expected.features, result)
    behind, blocks = design.logic, []
    if isinstance(behind, PipelinedCore):
        blocks = _stages(behind, result, expected.features)
    elif isinstance(behind, StreamedCore):
        blocks = _stages(behind, result, behind.evaluator.collected(expected.features))
        begin = behind.plan.ticks.complete
        blocks = [(name, path, begin + latency, bits) for name, path, latency, bits in blocks]
    arrays: dict[str, np.ndarray] = {}
    if isinstance(core, FrontedCore):
        arrays, delay = front_steps(core, expected.inputs), core.plan.latency
        blocks = [(name, path, delay + latency, bits) for name, path, latency, bits in blocks]
        if blocks:
            number = core.plan.number.width
            blocks.insert(0, ("front", FEATURE_WIRE, delay, binary(expected.features, number)))
    whole = np.concatenate(list(result.values()), axis=1)
    blocks.append(("result", "o__payload", core.latency, whole))
    arrays |= {
        "features": expected.features,
        "feature_width": np.array(design.inputs.format.width),
        "latency": np.array(core.latency),
        "interval": np.array(behind.interval),
        "startup": np.array(behind.interval if isinstance(behind, StreamedCore) else 0),
        "overlaps": np.array(isinstance(behind, StreamedCore)),
        "blocks": np.array([name for name, *_ in blocks]),
        "paths": np.array([path for _, path, *_ in blocks]),
    }
    for name, _, latency, bits in blocks:
        arrays[f"{name}_latency"] = np.array(latency)
        arrays[f"{name}_bits"] = bits.astype(np.uint8)
    return arrays


def _result(
    network: Network, layout: data.StructLayout, expected: Expected
) -> dict[str, np.ndarray]:
    """Bits of each field of the result, lowest field first."""
    found: dict[str, np.ndarray] = {}
    for name, place in layout:
        if name == "class":
            output = next(n for n in network.outputs if not network.types[n].shape)
            found["class"] = binary(expected.outputs[output][:, None], place.width)
        elif name == "scores":
            assert network.scores is not None
            scores = expected.outputs[network.scores]
            found["scores"] = binary(scores, place.width // scores.shape[1])
        else:
            bits = [
                expected.outputs[name].reshape(len(expected.features), -1)
                for name in network.outputs
                if network.types[name].is_bits
            ]
            found["bits"] = np.concatenate(bits, axis=1)
    return found


def _stages(
    core: PipelinedCore | StreamedCore, result: dict[str, np.ndarray], features: np.ndarray
) -> list[tuple[str, str, int, np.ndarray]]:
    """Name, wire, latency and expected bits of every block of a pipeline, for its own features."""
    program, pipeline = core.program, core.pipeline
    inputs = np.arange(FIRST_INPUT, program.first_gate)
    blocks = [
        *_wide("binarizer", "input_bits", 0, evaluate_signals(program, features, inputs)),
        *_wide(
            "gates",
            "roots",
            pipeline.roots_stage,
            evaluate_signals(program, features, program.roots),
        ),
    ]
    if "scores" in result:
        blocks.append(("groupsum", "scores", pipeline.scores_stage, result["scores"]))
    if "class" in result:
        blocks.append(("argmax", "winner", pipeline.last_stage, result["class"]))
    return blocks


def write_vectors(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays as a compressed .npz.

    `numpy.savez_compressed` has no level, and takes nine times as long for bits in bytes.
    """
    with ZipFile(path, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)


def _wide(
    block: str, wire: str, latency: int, bits: np.ndarray
) -> list[tuple[str, str, int, np.ndarray]]:
    """What a block gives, one entry for each of the wires that carry it."""
    if not bits.shape[1]:
        return []
    names = port_names(wire, bits.shape[1])
    ends = np.cumsum([width for _, width in names])[:-1]
    return [
        (block + name.removeprefix(wire), name, latency, part)
        for (name, _), part in zip(names, np.split(bits, ends, axis=1), strict=True)
    ]
