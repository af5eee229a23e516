"""The quantisers of Brevitas that hardware's formats can hold: steps are powers of two."""

from __future__ import annotations

from typing import Any

from brevitas.inject.enum import ScalingImplType
from brevitas.quant import (
    Int8BiasPerTensorFixedPointInternalScaling,
    Int8WeightPerTensorFixedPoint,
    Uint8ActPerTensorFixedPoint,
)
from torch import Tensor

__all__ = ["activation_options", "affine_options", "rounded"]


def affine_options(weight_bits: int, bias_bits: int, others: dict[str, Any]) -> dict[str, Any]:
    """Options of a layer with weights and biases, unless `others` says else."""
    return {
        "bias": True,
        "weight_quant": Int8WeightPerTensorFixedPoint,
        "weight_bit_width": weight_bits,
        "bias_quant": Int8BiasPerTensorFixedPointInternalScaling,
        "bias_bit_width": bias_bits,
        **others,
    }


def activation_options(bits: int, integer: int | None, others: dict[str, Any]) -> dict[str, Any]:
    """Options of a quantised ReLU; without `integer` bits the range is learned."""
    options: dict[str, Any] = {"act_quant": Uint8ActPerTensorFixedPoint, "bit_width": bits}
    if integer is not None:
        options |= {
            "scaling_impl_type": ScalingImplType.CONST,
            "scaling_init": 2.0**integer,
        }
    return {**options, **others}


def rounded(quantized: Any, like: Tensor) -> Tensor:
    """The numbers that a quantiser of weights or biases gives, in the dtype of `like`."""
    return getattr(quantized, "value", quantized).to(like)
