"""Rounding to unsigned numbers: what is negative becomes zero, what is too large the largest."""

from __future__ import annotations

from typing import Any, overload

import brevitas.nn as qnn
from torch import Tensor

from .image import SparseImage
from .quantizers import activation_options

__all__ = ["QuantizedReLU"]


class QuantizedReLU(qnn.QuantReLU):
    """Rounded to the nearest unsigned number, ties to the even one, saturating.

    Parameters
    ----------
    bits : int
        Width of the numbers.
    integer : int, optional
        How many of the bits stand before the binary point. By default Brevitas learns it: the
        range is taken from the first training batches, then trained.
    **options
        Of `brevitas.nn.QuantReLU`: another quantiser, say.
    """

    def __init__(self, bits: int = 8, integer: int | None = None, **options: Any):
        super().__init__(**activation_options(bits, integer, options))

    @overload  # type: ignore[override]
    def forward(self, x: SparseImage) -> SparseImage: ...
    @overload
    def forward(self, x: Tensor) -> Tensor: ...
    def forward(self, x):  # pyright: ignore
        if isinstance(x, SparseImage):
            values: Any = super().forward(x.values / x.area)
            return SparseImage(values, x.active, 1)
        return super().forward(x)
