"""Truth tables and wiring of a LogicDense, as its evaluation-mode forward decides them."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
import torch
from torch import Tensor

from ...errors import NetworkError
from ..assemble import gate_tables

__all__ = ["RANKS", "Tables", "choose_wires", "lut_tables"]

#: Which numbers of LUT inputs torchlogix has for each parametrization.
RANKS = {"raw": (2,), "warp": (1, 2, 4, 6), "light": (2, 4, 6)}
_CHUNK = 1 << 22


@dataclass(frozen=True, eq=False)
class Tables:
    """Truth tables of one layer, and how clear the decisions were.

    Parameters
    ----------
    tables : ndarray of uint64, shape (N,)
    min_abs_sum : float
        Smallest |Σ| of a Walsh sum; infinite for other parametrizations.
    unclear : int
        Number of Walsh sums so close to zero that another order of summation may decide otherwise.
    """

    tables: np.ndarray
    min_abs_sum: float = inf
    unclear: int = 0


def lut_tables(kind: str, rank: int, weight: Tensor, materialized: bool = False) -> Tables:
    """Tables of `rank` inputs from the weights of a LogicDense.

    Parameters
    ----------
    kind : {"raw", "warp", "light"}
    rank : int
    weight : Tensor, shape (N, 16) for raw, else (N, 2^rank)
    materialized : bool
        Whether the library adds the Walsh terms up in a matrix product.

    Raises
    ------
    NetworkError
        If there is no such parametrization or rank, or the weights do not fit or are not finite.
    """
    if rank not in RANKS.get(kind, ()):
        raise NetworkError(f"parametrization {kind!r} with lut_rank {rank} is not known")
    columns = 16 if kind == "raw" else 1 << rank
    weight = weight.detach().cpu()
    if weight.ndim != 2 or weight.shape[1] != columns or not weight.is_floating_point():
        raise NetworkError(
            f"weight is {weight.dtype} of shape {tuple(weight.shape)}, "
            f"expected floating-point numbers of shape (neurons, {columns})"
        )
    _check_finite(weight, "weight")
    if kind == "raw":
        # numpy's argmax is the first of equal ones by definition, as is torch's in practice.
        return Tables(gate_tables(weight.double().numpy().argmax(1)))
    if kind == "light":
        return Tables(_pack(weight > 0))
    return _walsh(rank, weight, materialized)


def _walsh(rank: int, weight: Tensor, materialized: bool) -> Tables:
    """Bit i is Σ_k w_k (-1)^popcount(i & k) < 0, added up for k = 0, 1, 2 … as the forward does."""
    if materialized and weight.dtype in (torch.float16, torch.bfloat16):
        weight = weight.float()  # matrix products of short floats accumulate in float32
    entries = 1 << rank
    index = np.arange(entries)
    parity = np.array([[int(i & k).bit_count() & 1 for i in index] for k in index])
    signs = torch.tensor(1 - 2 * parity, dtype=weight.dtype)
    bits, smallest, unclear = [], inf, 0
    for part in weight.split(max(1, _CHUNK >> rank)):
        # Every product with ±1 is exact, so the order of the additions decides everything.
        total = part[:, :1] * signs[0]
        for k in range(1, entries):
            total = total + part[:, k : k + 1] * signs[k]
        magnitude = total.abs().double()
        bound = entries * torch.finfo(weight.dtype).eps * part.double().abs().sum(1, keepdim=True)
        smallest = min(smallest, float(magnitude.min()))
        unclear += int((magnitude <= bound).sum())
        bits.append(total < 0)
    return Tables(_pack(torch.cat(bits)), smallest, unclear)


def _pack(bits: Tensor) -> np.ndarray:
    """(N, 2^n) booleans to uint64: entry i becomes bit i."""
    packed = np.packbits(bits.numpy(), axis=1, bitorder="little")
    padded = np.zeros((len(packed), 8), np.uint8)
    padded[:, : packed.shape[1]] = packed
    return padded.view("<u8")[:, 0].astype(np.uint64)


def choose_wires(indices: Tensor, weights: Tensor | None) -> np.ndarray:
    """Input indices (rank, N): as they are, or those of the heaviest candidates.

    Parameters
    ----------
    indices : Tensor of integers, shape (rank, N), or (candidates, rank, N)
    weights : Tensor, shape (candidates, rank, N), optional
        Of learnable connections.

    Raises
    ------
    NetworkError
        If the shapes differ, or a weight is not finite.
    """
    array = indices.detach().cpu().numpy()
    if weights is None:
        return array
    if weights.shape != indices.shape:
        raise NetworkError(
            f"connections.weights have the shape {tuple(weights.shape)}, "
            f"connections.indices {tuple(indices.shape)}, expected the same"
        )
    _check_finite(weights, "connections.weights")
    best = weights.detach().cpu().double().numpy().argmax(0)
    return np.take_along_axis(array, best[None], 0)[0]


def _check_finite(values: Tensor, name: str) -> None:
    wrong = ~torch.isfinite(values)
    if wrong.any():
        place = tuple(torch.nonzero(wrong)[0].tolist())
        raise NetworkError(f"{name} is not finite at {place}: {float(values[place])}")
