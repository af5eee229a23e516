"""The area that the gates of a network are expected to take, as a term of a training loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from ..errors import LgnError, NetworkError

__all__ = ["area_loss"]

GATES = 16
#: The layers whose gates are counted, by the names of their classes.
LAYERS = ("LogicDense", "LogicLayer")
#: Gates of these are laid out once or once per position, which the layer alone does not tell.
CONVOLUTIONS = ("LogicConv2d", "LogicConv3d", "LogicConvTranspose2d", "LogicConvTranspose3d")
HINT = "expected layers of two-input gates: LogicDense with parametrization='raw', or LogicLayer"


def area_loss(module: nn.Module, areas: Any) -> Tensor:
    """Expected cell area of all gate layers of a module, differentiable.

    Every gate of a layer is a mixture of the sixteen functions of two inputs; the shares are the
    softmax that the layer itself takes in training. Its expected area is the mean of the functions'
    areas with these shares, and the loss is the sum over all gates: as hard decisions are neared,
    the sum of the areas of the gates that are decided on. What an optimiser of logic saves beyond
    that (gates that nothing reads, equal gates, inverters that merge) is not counted, neither are
    adders.

    Parameters
    ----------
    module : torch.nn.Module
        A layer, or anything with layers in it: `LogicDense` of torchlogix (raw parametrisation of
        two inputs), `LogicLayer` of difflogic or of `lgn_hdl.training`. They are recognised by the
        names of their classes, or of a base class.
    areas : array of 16 numbers
        Area of each function, by gate id in the libraries' order: 0 false, 1 and, 3 a, 5 b, 6 xor,
        7 or ... 15 true. `lgn_hdl.flow.liberty.gate_areas` makes them from a Liberty file.

    Returns
    -------
    Tensor
        A scalar in the unit of `areas` (µm²), summed and not averaged, so that its weight in a
        loss means the same for every size: loss per µm². Type and device are those of the weights
        of the first layer.

    Raises
    ------
    NetworkError
        If the areas are not sixteen finite numbers of which none is negative, if there is no such
        layer, or if a layer has other gates than two-input ones with sixteen weights.
    """
    prices = _prices(areas)
    total = None
    for path, layer in module.named_modules():
        kinds = [cls.__name__ for cls in type(layer).__mro__]
        kind = next((name for name in kinds if name in (*LAYERS, *CONVOLUTIONS)), None)
        if kind is None:
            continue
        try:
            weights, temperature = _weights(kind, layer)
        except LgnError as error:
            raise error.at(f"layer {path!r}") from None
        shares = torch.softmax(weights / temperature, dim=1)
        area = (shares @ prices.to(weights)).sum()
        total = area if total is None else total + area.to(total)
    if total is None:
        raise NetworkError("there is no layer of gates in the module", hint=HINT)
    return total


def _prices(areas: Any) -> Tensor:
    try:
        prices = torch.as_tensor(areas, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise NetworkError(f"areas are not numbers: {error}") from None
    if prices.shape != (GATES,):
        raise NetworkError(f"areas have the shape {tuple(prices.shape)}, expected ({GATES},)")
    wrong = ~(prices.isfinite() & (prices >= 0))
    if wrong.any():
        gate = int(wrong.nonzero()[0])
        raise NetworkError(f"the area of gate {gate} is {float(prices[gate])}, expected 0 or more")
    return prices


def _weights(kind: str, layer: nn.Module) -> tuple[Tensor, float]:
    """Weights (N, 16) of a layer, and what the softmax divides them by."""
    if kind in CONVOLUTIONS:
        raise NetworkError(f"the area of a {kind} depends on how it is built", hint=HINT)
    if kind == "LogicLayer":
        return _checked(getattr(layer, "weights", None), "weights"), 1.0
    parametrization = getattr(layer, "parametrization", None)
    name, rank = type(parametrization).__name__, getattr(layer, "lut_rank", None)
    if name != "RawLUTParametrization" or rank != 2:
        text = f"its parametrization is {name} with lut_rank {rank}, which has no weight per gate"
        raise NetworkError(text, hint=HINT)
    temperature = float(cast(Any, parametrization).temperature)
    return _checked(getattr(layer, "weight", None), "weight"), temperature


def _checked(weights: Any, name: str) -> Tensor:
    if not isinstance(weights, Tensor) or not weights.is_floating_point():
        raise NetworkError(f"{name} is no tensor of floating-point numbers", hint=HINT)
    if weights.ndim != 2 or weights.shape[1] != GATES:
        shape: Sequence[int] = tuple(weights.shape)
        raise NetworkError(f"{name} have the shape {shape}, expected (neurons, {GATES})", hint=HINT)
    return weights
