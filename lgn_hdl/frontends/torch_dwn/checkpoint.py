"""A torch-dwn state_dict, and what a training script saved beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from ...errors import FormatError
from ...network import FixedPoint, Network
from ..difflogic.wiring import in_order
from ..gatelist.build import read_thresholds
from .build import assemble, threshold_array
from .luts import Luts, buffers, lut_layer

__all__ = ["from_checkpoint", "is_checkpoint"]

#: The tensors of a layer; a longer name stands before the one it ends in.
_TENSORS = ("_LUTLayer__dummy_mapping", "mapping.weights", "mapping", "luts", "weights")


def is_checkpoint(state: Mapping[str, Any]) -> bool:
    """Whether a loaded state_dict has a torch-dwn `LUTLayer` in it."""
    return any(key == "luts" or key.endswith(".luts") for key in state)


def from_checkpoint(
    state: Mapping[str, Any],
    around: Mapping[str, Any] | None = None,
    *,
    groups: int | None = None,
    thresholds: str | Path | np.ndarray | None = None,
    inputs: int | None = None,
    input_format: FixedPoint | str | None = None,
    classes: Sequence[str] = (),
) -> Network:
    """Build a Network from a torch-dwn state_dict.

    Parameters
    ----------
    state : mapping of str to Tensor
        The layers follow each other in the order of the numbers in their paths.
    around : mapping, optional
        The checkpoint that holds the state_dict. Of it are read `thermometer["thresholds"]`,
        `config["num_classes"]`, `config["tau"]` and `classes`, where they are there.
    groups, thresholds, inputs, input_format, classes
        As in `load_network`; what the checkpoint says itself must not be contradicted.

    Raises
    ------
    FormatError
        If a field or a tensor is missing, unknown, or not what it should be.
    NetworkError
        If the layers do not fit together.
    """
    around = around or {}
    layers = _layers(state)
    found = _groups(around)
    if groups is not None and found not in (None, groups):
        raise FormatError(f"{groups} groups are given, but the checkpoint has {found} classes")
    groups = found if groups is None else groups
    own = _thresholds(around)
    if own is not None and thresholds is not None:
        raise FormatError("thresholds are given, but the checkpoint has its own")
    values = own if thresholds is None else read_thresholds(thresholds)
    if not classes and groups is not None:
        classes = _classes(around)
    warnings = []
    if around.get("scaler") is not None:
        warnings.append(
            "The checkpoint has a scaler, which is not part of the network: its inputs are the "
            "scaled features, as the thermometer saw them in training."
        )
    return assemble(
        layers,
        groups=groups,
        tau=_tau(around),
        thresholds=values,
        inputs=inputs,
        input_format=input_format,
        classes=classes,
        warnings=warnings,
    )


def _layers(state: Mapping[str, Any]) -> list[Luts]:
    """The layers, every tensor of the state_dict read."""
    found: dict[str, dict[str, Tensor]] = {}
    for key, value in state.items():
        name = next((n for n in _TENSORS if key == n or key.endswith("." + n)), None)
        if name is None or not isinstance(value, Tensor):
            what = f"{key!r}" if name is None else f"{key!r} as a {type(value).__name__}"
            raise FormatError(
                f"the state_dict has {what}, which is no tensor of a torch-dwn layer",
                hint="expected a Sequential of LUTLayer, with a GroupSum at its end",
            )
        found.setdefault(key.removesuffix(name).removesuffix("."), {})[name] = value
    if not found:
        raise FormatError("the state_dict is empty")
    layers = []
    for path in in_order(found):
        tensors, where = found[path], f"layer {path!r}"
        picks = set(tensors) == {"weights"}
        layers.append(buffers(tensors["weights"], where) if picks else lut_layer(tensors, where))
    return layers


def _thresholds(around: Mapping[str, Any]) -> np.ndarray | None:
    thermometer = around.get("thermometer")
    if thermometer is None:
        return None
    if not isinstance(thermometer, Mapping) or not isinstance(
        thermometer.get("thresholds"), Tensor
    ):
        raise FormatError("it has no tensor 'thresholds'", where="thermometer")
    return threshold_array(thermometer["thresholds"], "thermometer")


def _groups(around: Mapping[str, Any]) -> int | None:
    found = _config(around).get("num_classes")
    if found is not None and (type(found) is not int or found < 1):
        raise FormatError(f"'num_classes' is {found!r}, expected a number", where="config")
    return found


def _tau(around: Mapping[str, Any]) -> float:
    found = _config(around).get("tau", 1.0)
    if type(found) not in (int, float):
        raise FormatError(f"'tau' is {found!r}, expected a number", where="config")
    return float(found)


def _config(around: Mapping[str, Any]) -> Mapping[str, Any]:
    config = around.get("config")
    return config if isinstance(config, Mapping) else {}


def _classes(around: Mapping[str, Any]) -> Sequence[str]:
    names = around.get("classes", ())
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise FormatError(
            f"found {type(names).__name__}, expected a list of names", where="classes"
        )
    return names
