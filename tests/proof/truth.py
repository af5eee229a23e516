"""Truth tables of graphs, and a reader of AIGER files that shares nothing with their writer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lgn_hdl.logic import evaluate
from lgn_hdl.proof.aig import Aig


def every_pattern(inputs: int) -> np.ndarray:
    """All values of the inputs, shape (2^inputs, inputs); input 0 is the least significant."""
    return np.arange(1 << inputs)[:, None] >> np.arange(inputs) & 1


def values(aig: Aig, literals: Sequence[int]) -> np.ndarray:
    """Values of literals for every pattern of the inputs, int64 of shape (2^inputs, literals)."""
    bits, _ = evaluate(aig.program(literals), every_pattern(len(aig.inputs)))
    return bits.astype(np.int64)


def number(bits: np.ndarray) -> np.ndarray:
    """Unsigned numbers from columns of bits, least significant first."""
    return bits @ (1 << np.arange(bits.shape[1]))


def read_aiger(data: bytes) -> np.ndarray:
    """The only output of a binary AIGER file for every pattern of its inputs."""
    header, output, body = data.split(b"\n", 2)
    kind, largest, inputs, latches, outputs, ands = header.split()
    assert (kind, latches, outputs) == (b"aig", b"0", b"1")
    assert int(largest) == int(inputs) + int(ands)
    known = [np.zeros(1 << int(inputs), np.int64), *every_pattern(int(inputs)).T]
    numbers = iter(_numbers(body))
    for node in range(2 * len(known), 2 * (int(largest) + 1), 2):
        first = node - next(numbers)
        second = first - next(numbers)
        assert node > first >= second >= 0
        known.append((known[first // 2] ^ first & 1) & (known[second // 2] ^ second & 1))
    assert next(numbers, None) is None
    return known[int(output) // 2] ^ int(output) & 1


def _numbers(body: bytes) -> list[int]:
    found, value, shift = [], 0, 0
    for byte in body:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            found.append(value)
            value = shift = 0
    return found
