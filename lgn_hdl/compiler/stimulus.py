"""What a design sees clock by clock when real samples come one after the other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .cores import PipelinedCore
from .design import Design
from .vectors import Expected, block_vectors

__all__ = ["FIXED_PORTS", "repeated", "stimulus"]

#: Input ports that keep a value: results are taken at once, and nothing is reset.
FIXED_PORTS = {"o__ready": 1, "rst": 0}


def stimulus(design: Design, expected: Expected) -> Mapping[str, np.ndarray | int]:
    """Bits of the input ports at every clock, at the pace at which the design takes samples.

    Parameters
    ----------
    design : Design
    expected : Expected
        Samples, with their answers.

    Returns
    -------
    mapping of str to ndarray of bool, shape (clocks, width), or int
        By port. Between the steps of a sample and the next sample nothing is offered, and the
        payload stays as it is.
    """
    steps, completes = _steps(design, expected)
    interval = 1 if isinstance(design.core, PipelinedCore) else design.core.interval
    valid, source = [], []
    begun = 0
    for step, sample in enumerate(completes.tolist()):
        valid.append(True)
        source.append(step)
        begun += 1
        if sample >= 0:
            idle = max(interval - begun, 0)
            valid += [False] * idle
            source += [step] * idle
            begun = 0
    ports: dict[str, np.ndarray | int] = {"i__payload": steps[source]}
    ports["i__valid"] = np.array(valid) if not all(valid) else 1
    return ports | FIXED_PORTS


def repeated(ports: Mapping[str, np.ndarray | int], clocks: int) -> Mapping[str, np.ndarray | int]:
    """The same again and again, for so many clocks at least."""
    length = max(len(bits) for bits in ports.values() if isinstance(bits, np.ndarray))
    times = -(-clocks // length)
    return {
        name: np.concatenate([bits] * times) if isinstance(bits, np.ndarray) else bits
        for name, bits in ports.items()
    }


def _steps(design: Design, expected: Expected) -> tuple[np.ndarray, np.ndarray]:
    """Payloads, and the sample that each of them completes, or -1."""
    arrays = block_vectors(design, expected)
    if "payload" in arrays:
        return arrays["payload"].astype(bool), arrays["completes"]
    width = int(arrays["feature_width"])
    bits = expected.features[:, :, None] >> np.arange(width) & 1
    return bits.reshape(len(bits), -1).astype(bool), np.arange(len(bits))
