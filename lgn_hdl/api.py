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
    indices: str | Path | Mapping[Any, Any] | Sequence[Any] | None = None,
    inputs: int | None = None,
    slots: int | None = None,
    threshold: float | None = None,
    input_format: FixedPoint | str | None = None,
    classes: Sequence[str] = (),
) -> Model:
    """Load a trained network from any supported file; the content decides what it is.

    Parameters
    ----------
    path : str or Path
        A .lgn file, a state_dict of torchlogix, difflogic or torch-dwn (.pth), a gate list
        (.pth, .npz, .csv), or a SparsePixels model of QKeras (.keras, .weights.h5).
    groups : int, optional
        For gate lists, difflogic and torch-dwn: number of classes, where the file does not tell it;
        without it the outputs are the bits of the last layer.
    thresholds : str, Path or ndarray, optional
        For the same files, if their inputs are not bits: thresholds (F, T) or (T,), or an .npz
        of them.
    architecture : str, Path or mapping, optional
        For a torchlogix state_dict or a .weights.h5: the small architecture file (by default the
        one beside it); for the latter also a .keras file of the same layers.
    indices : str, Path, mapping or sequence, optional
        For a difflogic state_dict: the connections of its layers (by default those in the
        checkpoint, or `<stem>.indices.npz` beside it).
    inputs : int, optional
        For the same files as `groups`: number of input bits, where the last ones are not
        connected.
    slots : int, optional
        For a SparsePixels model: how many active pixels are kept (its `n_max_pixels`).
    threshold : float, optional
        For the same: pixels above it are active; 0 by default.
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
        indices=indices,
        inputs=inputs,
        slots=slots,
        threshold=threshold,
        input_format=input_format,
        classes=classes,
    )
    return Model(network, Path(path).name)


def convert(
    module: nn.Module,
    input_shape: Sequence[int] | None = None,
    *,
    thresholds: Any = None,
    input_format: FixedPoint | str | None = None,
    classes: Sequence[str] = (),
) -> Model:
    """Convert a live module of torchlogix, difflogic, torch-dwn or `lgn_hdl.training`, or a live
    SparsePixels model.

    Parameters
    ----------
    module : torch.nn.Module
        As trained; it is only read.
    input_shape : sequence of int, optional
        Shape of a sample without the batch axis, where the layers do not tell it.
    thresholds : Thermometer, Tensor or array_like, optional
        For a torch-dwn module whose inputs are not bits: its fitted thermometer, or the thresholds
        of that.
    input_format : FixedPoint or str, optional
        Number format of real inputs.
    classes : sequence of str
        Names of the classes.

    Raises
    ------
    LgnError
        Naming the layer that is not supported or not well formed.
    """
    network = convert_module(
        module,
        input_shape,
        thresholds=thresholds,
        input_format=input_format,
        classes=classes,
    )
    return Model(network)
