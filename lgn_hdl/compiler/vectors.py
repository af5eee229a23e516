"""Test vectors: what every block must give, with the answers taken from PyTorch.

Scores, class and bits come from the torch reference of the trained network. Only what has no
counterpart there, the bits between the blocks of the simplified hardware, comes from the
evaluator, whose own answers must agree with the reference before anything is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np

from ..errors import VerifyError
from ..hdl.wide import port_names
from ..logic.evaluate import evaluate, evaluate_signals
from ..logic.program import FIRST_INPUT, LogicProgram
from ..logic.schedule import Pipeline
from ..network import FixedPoint, Network

__all__ = ["Expected", "block_vectors", "checked_answers", "write_vectors"]


@dataclass(frozen=True, eq=False)
class Expected:
    """Answers of the torch reference, for stored integers `features` (n, F)."""

    features: np.ndarray
    outputs: dict[str, np.ndarray]

    def first(self, count: int) -> Expected:
        """The first `count` samples."""
        outputs = {name: value[:count] for name, value in self.outputs.items()}
        return Expected(self.features[:count], outputs)


def checked_answers(network: Network, program: LogicProgram, features: np.ndarray) -> Expected:
    """Answers of the torch reference for stored integers, which the evaluator must agree with.

    Parameters
    ----------
    network : Network
        With a number format on its input.
    program : LogicProgram
        The network, lowered and simplified.
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
    _compare_with_evaluator(network, program, expected)
    return expected


def _compare_with_evaluator(network: Network, program: LogicProgram, expected: Expected) -> None:
    bits, scores = evaluate(program, expected.features)
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


def block_vectors(
    program: LogicProgram, pipeline: Pipeline, expected: Expected, network: Network, *, argmax: bool
) -> dict[str, np.ndarray]:
    """Arrays of vectors.npz; `sim.vectors` says what they are."""
    features = expected.features
    inputs = np.arange(FIRST_INPUT, program.first_gate)
    input_bits = evaluate_signals(program, features, inputs)
    roots = evaluate_signals(program, features, program.roots)
    blocks = [
        *_wide("binarizer", "input_bits", 0, input_bits),
        *_wide("gates", "roots", pipeline.roots_stage, roots),
    ]
    result = []
    if pipeline.sums:
        width = max(len(s.tree.result) for s in pipeline.sums)
        assert network.scores is not None
        scores = _binary(expected.outputs[network.scores], width)
        blocks.append(("groupsum", "scores", pipeline.scores_stage, scores))
        if argmax:
            name = next(n for n in network.outputs if not network.types[n].shape)
            count = max(1, (len(pipeline.sums) - 1).bit_length())
            winner = _binary(expected.outputs[name][:, None], count)
            blocks.append(("argmax", "winner", pipeline.last_stage, winner))
            result.append(winner)
        result.append(scores)
    if len(program.bits):
        result += [
            expected.outputs[name].reshape(len(features), -1)
            for name in network.outputs
            if network.types[name].is_bits
        ]
    blocks.append(("result", "o__payload", pipeline.latency, np.concatenate(result, axis=1)))
    arrays: dict[str, np.ndarray] = {
        "features": features,
        "feature_width": np.array(program.format.width),
        "latency": np.array(pipeline.latency),
        "blocks": np.array([name for name, *_ in blocks]),
        "paths": np.array([path for _, path, *_ in blocks]),
    }
    for name, _, latency, bits in blocks:
        arrays[f"{name}_latency"] = np.array(latency)
        arrays[f"{name}_bits"] = bits.astype(np.uint8)
    return arrays


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


def _binary(values: np.ndarray, width: int) -> np.ndarray:
    """Integers (n, m) to their bits (n, m · width), least significant first."""
    return (values[:, :, None] >> np.arange(width) & 1).reshape(len(values), -1)
