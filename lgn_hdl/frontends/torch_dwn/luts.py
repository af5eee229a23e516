"""Tables and wiring of one torch-dwn layer, from its tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ...errors import FormatError, NetworkError
from ...network.layers import MAX_LUT_INPUTS
from ..assemble import wires

__all__ = ["Luts", "buffers", "lut_layer"]

#: What a 1-input table is that passes its input on.
_BUFFER = 0b10


@dataclass(frozen=True, eq=False)
class Luts:
    """One layer of lookup tables, in the orders of docs/ir.md.

    Parameters
    ----------
    connections : ndarray of int32, shape (k, N)
        Input indices; row 0 is the most significant bit of the table index.
    tables : ndarray of uint64, shape (N,)
        Bit i is the output at index i.
    inputs : int or None
        Number of bits that the layer takes, where its tensors tell it.
    where : str
        The layer, for messages.
    """

    connections: np.ndarray
    tables: np.ndarray
    inputs: int | None
    where: str


def lut_layer(tensors: Mapping[str, Tensor], where: str) -> Luts:
    """A `LUTLayer` from its own state_dict.

    The output is `luts[neuron, address] > 0`. Slot l of the mapping is bit l of the address: there
    the first input is the least significant bit, here the most significant one.

    Parameters
    ----------
    tensors : mapping of str to Tensor
        `luts` of shape (N, 2^n); and `mapping.weights` of shape (inputs, N·n), of which the largest
        of each column is the input, or `mapping`, integers of shape (N, n). A learnable layer also
        has `_LUTLayer__dummy_mapping`, which counts from 0 to N·n - 1 and says nothing.
    where : str
        The layer, for messages.

    Raises
    ------
    FormatError
        If a tensor is missing.
    NetworkError
        If a tensor has another shape or type, or holds numbers that are not finite.
    """
    if "luts" not in tensors:
        raise FormatError("the state_dict has no 'luts' of this layer", where=where)
    luts = _numbers(tensors["luts"], "luts", where)
    n = luts.shape[1].bit_length() - 1
    if luts.shape[1] != 1 << n or not 1 <= n <= MAX_LUT_INPUTS:
        raise NetworkError(
            f"luts have {luts.shape[1]} entries each, expected 2^n with n from 1 to "
            f"{MAX_LUT_INPUTS} inputs",
            where=where,
        )
    inputs = None
    if "mapping.weights" in tensors:
        weights = _numbers(tensors["mapping.weights"], "mapping.weights", where)
        slots, inputs = weights.argmax(0), weights.shape[0]
        if slots.size != len(luts) * n:
            raise NetworkError(
                f"mapping.weights are of shape {weights.shape}, expected (inputs, {len(luts) * n})",
                where=where,
            )
        slots = slots.reshape(-1, n)
    elif "mapping" in tensors:
        slots = tensors["mapping"].detach().cpu().numpy()
        if slots.shape != (len(luts), n):
            raise NetworkError(
                f"mapping is of shape {slots.shape}, expected ({len(luts)}, {n})", where=where
            )
    else:
        raise FormatError(
            "the state_dict has no 'mapping' of this layer",
            where=where,
            hint="without its wiring a network cannot be known; save the whole state_dict",
        )
    connections = wires(slots.T, where)[::-1].copy()
    places = np.arange(luts.shape[1], dtype=np.uint64)
    tables = ((luts > 0).astype(np.uint64) << places).sum(axis=1, dtype=np.uint64)
    return Luts(connections, tables, inputs, where)


def buffers(weights: Tensor, where: str) -> Luts:
    """A `LearnableMapping` on its own, which picks inputs, as a layer of 1-input tables.

    Raises
    ------
    NetworkError
        If the weights are not finite numbers of shape (inputs, outputs).
    """
    values = _numbers(weights, "weights", where)
    picked = wires(values.argmax(0)[None], where)
    return Luts(picked, np.full(picked.size, _BUFFER, np.uint64), values.shape[0], where)


def _numbers(values: Tensor, name: str, where: str) -> np.ndarray:
    """A non-empty matrix of finite numbers as float64, which keeps order and sign."""
    if values.ndim != 2 or values.numel() == 0 or not values.is_floating_point():
        raise NetworkError(
            f"{name} are {values.dtype} of shape {tuple(values.shape)}, "
            "expected a matrix of floating-point numbers",
            where=where,
        )
    array = values.detach().cpu().double().numpy()
    if not np.isfinite(array).all():
        place = tuple(np.argwhere(~np.isfinite(array))[0].tolist())
        raise NetworkError(f"{name} are not finite at {place}: {array[place]}", where=where)
    return array
