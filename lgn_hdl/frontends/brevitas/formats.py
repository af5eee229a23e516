"""Numbers and formats of Brevitas' quantisers."""

from __future__ import annotations

from math import frexp
from typing import Any

import numpy as np
import torch

from ...errors import NetworkError
from ...network import FixedPoint

__all__ = ["activation_format", "constants"]

HINT = "take a fixed-point quantiser of Brevitas, such as Int8WeightPerTensorFixedPoint"


def constants(what: str, quantized: Any) -> tuple[np.ndarray, FixedPoint]:
    """Stored integers and format of quantised weights or biases.

    Parameters
    ----------
    what : str
        For messages.
    quantized : IntQuantTensor
        Of Brevitas.

    Raises
    ------
    NetworkError
        If the quantiser is none of fixed-point numbers.
    """
    if not all(hasattr(quantized, name) for name in ("scale", "zero_point", "bit_width", "int")):
        raise NetworkError(f"its {what} is not quantised", hint=HINT)
    steps = quantized.scale, quantized.zero_point, quantized.bit_width
    number = _format(what, *steps, signed=bool(quantized.signed))
    return quantized.int().detach().cpu().numpy().astype(np.int64), number


def activation_format(proxy: Any) -> FixedPoint:
    """Format that a ReLU rounds to.

    Parameters
    ----------
    proxy : ActQuantProxyFromInjector
        Of Brevitas.

    Raises
    ------
    NetworkError
        If it does not round to fixed-point numbers.
    """
    if not getattr(proxy, "is_quant_enabled", False):
        raise NetworkError("its activation is not quantised", hint=HINT)
    if proxy.training:
        raise NetworkError("its quantiser is still in training mode", hint="call eval() before")
    if proxy.is_signed or proxy.is_narrow_range:
        kind = "signed" if proxy.is_signed else "narrow"
        raise NetworkError(f"its activation is {kind}, expected all unsigned numbers", hint=HINT)
    return _format("activation", proxy.scale(), proxy.zero_point(), proxy.bit_width())


def _format(
    what: str, scale: torch.Tensor, zero: torch.Tensor, width: torch.Tensor, signed: bool = False
) -> FixedPoint:
    if scale.numel() != 1:
        raise NetworkError(f"its {what} has {scale.numel()} scales, expected one", hint=HINT)
    mantissa, exponent = frexp(float(scale))
    if mantissa != 0.5 or zero.any():
        raise NetworkError(
            f"its {what} has steps of {float(scale)} from {float(zero.max())}, expected a power of "
            "two from zero",
            hint=HINT,
        )
    return FixedPoint(round(float(width)), 1 - exponent, signed)
