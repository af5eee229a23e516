"""What the sparse layers pass on."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

__all__ = ["SparseImage", "SparseVector"]


class SparseImage(NamedTuple):
    """A dense image, and which of its pixels are active.

    The numbers that are meant are `values / area`. An average is a sum whose division waits for
    the next rounding: it would not be exact, and a rounding of what is not exact may go wrong.

    Parameters
    ----------
    values : Tensor of float, shape (B, C, H, W)
        Zero where no pixel is active.
    active : Tensor of bool, shape (B, 1, H, W)
    area : int
    """

    values: Tensor
    active: Tensor
    area: int


class SparseVector(NamedTuple):
    """Numbers of a whole frame; those that are meant are `values / area`.

    Parameters
    ----------
    values : Tensor of float, shape (B, H·W·C)
    area : int
    """

    values: Tensor
    area: int
