"""The public functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .compiler import build, simulate
from .frontends import convert as convert_module
from .frontends import load_network
from .model import Model
from .network import FixedPoint

if TYPE_CHECKING:
    from torch import nn

__all__ = ["build", "convert", "load", "simulate"]


def load(
    path: str | Path,
    groups: int | None = None,
    thresholds: str | Path | np.ndarray | None = None,
    *,
    architecture: str | Path | Mapping[str, Any] | None = None,
    inputs: int | None = None,
    input_format: FixedPoint | str | None = None,
    classes: Sequence[str] = (),
) -> Model:
    """Load a trained network from any supported file; the content decides what it is.

    Parameters
    ----------
    path : str or Path
        A .lgn file, a torchlogix state_dict (.pth), or a gate list (.pth, .npz, .csv).
    groups : int, optional
        For gate lists: number of classes; without it the outputs are the bits of the last layer.
    thresholds : str, Path or ndarray, optional
        For gate lists whose inputs are not bits: thresholds (F, T) or (T,), or an .npz of them.
    architecture : str, Path or mapping, optional
        For a state_dict: the small architecture file (by default the one beside it).
    inputs : int, optional
        For gate lists: number of inputs, where the last ones are not connected.
    input_format : FixedPoint or str, optional
        Number format of real inputs, such as "ufixed<8,0>".
    classes : sequence of str
        Names of the classes.

    Returns
    -------
    Model

    Raises
    ------
    LgnError
        If the file is broken, unknown, or not a network that is supported.
    """
    network = load_network(
        path,
        groups=groups,
        thresholds=thresholds,
        architecture=architecture,
        inputs=inputs,
        input_format=input_format,
        classes=classes,
    )
    return Model(network, Path(path).name)


def convert(
    module: nn.Module,
    input_shape: Sequence[int] | None = None,
    *,
    input_format: FixedPoint | str | None = None,
    classes: Sequence[str] = (),
) -> Model:
    """Convert a live torchlogix module.

    Parameters
    ----------
    module : torch.nn.Module
        As trained; it is only read.
    input_shape : sequence of int, optional
        Shape of a sample without the batch axis, where the layers do not tell it.
    input_format : FixedPoint or str, optional
        Number format of real inputs.
    classes : sequence of str
        Names of the classes.

    Raises
    ------
    LgnError
        Naming the layer that is not supported or not well formed.
    """
    network = convert_module(module, input_shape, input_format=input_format, classes=classes)
    return Model(network)
