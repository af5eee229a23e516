"""Dense layers behind a sparse image, or behind each other."""

from __future__ import annotations

from typing import Any

import brevitas.nn as qnn
from torch import Tensor
from torch.nn import functional

from .image import SparseVector
from .quantizers import affine_options, rounded

__all__ = ["Dense"]


class Dense(qnn.QuantLinear):
    """Sums of products with weights, and a bias.

    Parameters
    ----------
    in_features, out_features : int
    weight_bits, bias_bits : int
        Widths, signs included; where the binary point is follows the trained values.
    **options
        Of `brevitas.nn.QuantLinear`: other quantisers, say.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        weight_bits: int = 8,
        bias_bits: int = 8,
        **options: Any,
    ):
        options = affine_options(weight_bits, bias_bits, options)
        super().__init__(in_features, out_features, **options)

    def forward(self, x: SparseVector | Tensor) -> Tensor:  # pyright: ignore
        values, area = x if isinstance(x, SparseVector) else (x, 1)
        total = functional.linear(values, rounded(self.quant_weight(), values))
        if self.bias is not None:
            total = total + rounded(self.quant_bias(), total) * area
        # The one division, of a number that is exact.
        return total / area
