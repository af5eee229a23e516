"""A live module of any supported library to a Network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from ..errors import NetworkError
from ..network import FixedPoint, Network
from . import brevitas, difflogic, sparsepixels, torch_dwn, torchlogix

__all__ = ["convert"]


def convert(
    module: nn.Module | Any,
    input_shape: int | Sequence[int] | None = None,
    *,
    thresholds: Any = None,
    input_format: FixedPoint | str | None = None,
    classes: Sequence[str] = (),
) -> Network:
    """Turn a live module into a Network that decides as the module in eval mode does.

    Parameters
    ----------
    module : torch.nn.Module or keras.Model
        Of difflogic if there is a `LogicLayer` in it, of torch-dwn if there is a `LUTLayer`, a
        sparse CNN of `lgn_hdl.training` if there is its `InputReduce`, else of torchlogix. Or a
        live Keras model of SparsePixels.
    thresholds : optional
        As in `torch_dwn.convert`, and for such modules only.
    input_shape, input_format, classes
        As in the library's own `convert`.

    Raises
    ------
    NetworkError
        If a layer is not supported or does not fit.
    FormatError
        If the module's state lacks something or is not well formed.
    """
    options: dict[str, Any] = {"input_format": input_format, "classes": classes}
    if sparsepixels.is_model(module):
        return sparsepixels.from_sparsepixels(module, **options)
    if torch_dwn.is_module(module):
        return torch_dwn.convert(module, input_shape, thresholds=thresholds, **options)
    if thresholds is not None:
        raise NetworkError("thresholds apply to torch-dwn modules only")
    library = difflogic if difflogic.is_module(module) else torchlogix
    library = brevitas if brevitas.is_module(module) else library
    return library.convert(module, input_shape, **options)
