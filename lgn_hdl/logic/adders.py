"""Products of a vector with a constant matrix as additions of shifted numbers, shared by alkaid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import BuildError, VerifyError

__all__ = ["Adder", "AdderGraph", "Output", "share_adders"]

#: Operations of alkaid's programs.
_NEGATE, _COPY, _ADD, _SUBTRACT = -2, -1, 0, 1
#: Constants go to alkaid as float32.
_LARGEST = 1 << 24


@dataclass(frozen=True)
class Adder:
    """left · 2^left_shift + right · 2^right_shift, or their difference.

    Nodes are numbered: the inputs first, then the adders.
    """

    left: int
    right: int
    left_shift: int
    right_shift: int
    subtract: bool


@dataclass(frozen=True)
class Output:
    """node · 2^shift, negated if `negative`; nothing is cut off by a negative shift. Without a
    node the output is zero.
    """

    node: int | None
    shift: int
    negative: bool


@dataclass(frozen=True, eq=False)
class AdderGraph:
    """Sums of a vector's elements with constant weights.

    Parameters
    ----------
    inputs : int
    adders : tuple of Adder
        Each reads inputs and earlier adders.
    outputs : tuple of Output
    """

    inputs: int
    adders: tuple[Adder, ...]
    outputs: tuple[Output, ...]

    @cached_property
    def coefficients(self) -> np.ndarray:
        """Weights of the inputs in every node, Python integers of shape (nodes, inputs)."""
        rows = [*np.eye(self.inputs, dtype=np.int64).astype(object)]
        for adder in self.adders:
            left = rows[adder.left] * (1 << adder.left_shift)
            right = rows[adder.right] * (1 << adder.right_shift)
            rows.append(left - right if adder.subtract else left + right)
        return np.array(rows, dtype=object).reshape(len(rows), self.inputs)

    @cached_property
    def levels(self) -> list[int]:
        """Additions on the longest path to every node."""
        levels = [0] * self.inputs
        for adder in self.adders:
            levels.append(1 + max(levels[adder.left], levels[adder.right]))
        return levels

    def matrix(self) -> np.ndarray:
        """Weights of the inputs in every output, Python integers of shape (outputs, inputs).

        Raises
        ------
        VerifyError
            If an output's shift cuts something off.
        """
        rows = []
        for number, output in enumerate(self.outputs):
            if output.node is None:
                rows.append([0] * self.inputs)
                continue
            scale = (-1 if output.negative else 1) * Fraction(2) ** output.shift
            row = [int(c) * scale for c in self.coefficients[output.node]]
            if any(c.denominator != 1 for c in row):
                raise VerifyError(f"output {number} of an adder graph is no whole number")
            rows.append([int(c) for c in row])
        return np.array(rows, dtype=object).reshape(len(rows), self.inputs)


def share_adders(weights: np.ndarray, low: int, high: int) -> AdderGraph:
    """Additions that make all rows of a matrix, with common parts made once.

    The search is that of alkaid (https://github.com/calad0i/da4ml), whose result is multiplied out
    again here: it is the matrix exactly, or an error.

    Parameters
    ----------
    weights : ndarray of int64, shape (outputs, inputs)
    low, high : int
        Smallest and largest input, for the search to judge costs by.

    Raises
    ------
    BuildError
        If alkaid is not installed, or a weight is too large for it.
    VerifyError
        If its result is not the matrix.
    """
    try:
        from alkaid.cmvm import cmvm_solve
    except ImportError as error:
        raise BuildError(
            f"--constants alkaid needs alkaid: {error}", hint="pip install lgn-hdl[sparse]"
        ) from None
    if np.abs(weights).max(initial=0) > _LARGEST:
        raise BuildError(f"alkaid takes constants up to {_LARGEST:,}")
    intervals = [(float(low), float(high), 1.0)] * weights.shape[1]
    kernel = np.ascontiguousarray(weights.T, np.float32)  # it does not look at strides
    stages = cmvm_solve(kernel, qintervals=intervals)
    graph = _joined(stages, weights.shape[1])
    if not np.array_equal(graph.matrix(), weights.astype(object)):
        raise VerifyError(
            "alkaid's additions do not make the matrix", hint="build with --constants digits"
        )
    return graph


@dataclass(frozen=True)
class _Scaled:
    """A node times a power of two, perhaps negated; no node stands for zero."""

    node: int | None
    exponent: int = 0
    negative: bool = False


def _joined(stages: Sequence[Any], inputs: int) -> AdderGraph:
    """alkaid's programs, each of which reads what the one before gives, as one graph."""
    adders: list[Adder] = []
    values = [_Scaled(k) for k in range(inputs)]
    for stage in stages:
        buffer: list[_Scaled] = []
        for op in stage.ops:
            if op.opcode == _COPY:
                value = values[op.data[0]]
                buffer.append(_shifted(value, stage.inp_shifts[op.data[0]]))
            elif op.opcode == _NEGATE:
                buffer.append(_negated(buffer[op.addr[0]]))
            elif op.opcode in (_ADD, _SUBTRACT):
                right = _shifted(buffer[op.addr[1]], op.data[0])
                right = _negated(right) if op.opcode == _SUBTRACT else right
                buffer.append(_added(adders, inputs, buffer[op.addr[0]], right))
            else:
                raise VerifyError(f"alkaid's operation {op.opcode} is not known")
        values = []
        for index, shift, negative in zip(
            stage.out_idxs, stage.out_shifts, stage.out_negs, strict=True
        ):
            value = _Scaled(None) if index < 0 else _shifted(buffer[index], shift)
            values.append(_negated(value) if negative else value)
    outputs = tuple(Output(v.node, v.exponent, v.negative) for v in values)
    return AdderGraph(inputs, tuple(adders), outputs)


def _shifted(value: _Scaled, by: int) -> _Scaled:
    return _Scaled(value.node, value.exponent + by, value.negative)


def _negated(value: _Scaled) -> _Scaled:
    return _Scaled(value.node, value.exponent, not value.negative)


def _added(adders: list[Adder], inputs: int, a: _Scaled, b: _Scaled) -> _Scaled:
    """The sum as one adder whose shifts are not negative; a sign common to both stays outside."""
    if a.node is None or b.node is None:
        return b if a.node is None else a
    if a.negative and not b.negative:
        a, b = b, a
    assert a.node is not None
    assert b.node is not None
    exponent = min(a.exponent, b.exponent)
    adders.append(
        Adder(
            a.node,
            b.node,
            a.exponent - exponent,
            b.exponent - exponent,
            subtract=a.negative != b.negative,
        )
    )
    return _Scaled(inputs + len(adders) - 1, exponent, a.negative and b.negative)
