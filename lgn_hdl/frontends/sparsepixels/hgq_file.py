"""Reads models of sparsepixels 0.3 with quantisers of HGQ2, as Keras 3 saves them.

Keras writes everything that such a model is made of, though it cannot load it again. Trained
constants are stored before they are quantised; here they are quantised as HGQ2 does it, in float32.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import FormatError, LgnError, NetworkError
from .constants import integers_of
from .described import FORMAT, VERSION
from .order import FileChain
from .variables import Variables

__all__ = ["describe_file", "is_hgq"]


def is_hgq(layers: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a model has layers of sparsepixels 0.3, not those of QKeras."""
    return any(layer.get("class_name") == "InputReduce" for layer in layers)


def describe_file(
    layers: Sequence[Mapping[str, Any]], stored: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    """What `describe` says of the live model.

    Parameters
    ----------
    layers : sequence of mapping
        As Keras writes them.
    stored : mapping of str to ndarray
        Variables by their place in the HDF5 file.

    Raises
    ------
    FormatError, NetworkError
        If a layer is none of SparsePixels, or reads something else than the layer before.
    """
    found: list[dict[str, Any]] = []
    seen: Counter[str] = Counter()
    shape: Sequence[int] = ()
    chain = FileChain()
    for layer in layers:
        kind, config = layer["class_name"], layer["config"]
        number = seen[kind]
        seen[kind] += 1
        try:
            if kind == "InputLayer":
                shape = config["batch_shape"][1:]
                chain.begin(config["name"])
                continue
            if kind not in _READERS:
                raise NetworkError(
                    f"{kind} is no layer of a SparsePixels model",
                    hint="expected " + ", ".join(_READERS),
                )
            chain.follow(layer)
            variables = Variables(stored, kind, number)
            described = "Activation" if kind == "ReLU" else kind
            said = _READERS[kind](config, variables, layer.get("build_config") or {})
            found.append({"type": described, "name": config["name"], **said})
        except LgnError as error:
            raise error.at(f"layer {config.get('name')!r}") from None
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise FormatError(
                f"{kind} is not as Keras writes it for sparsepixels 0.3: {error!r}",
                where=f"layer {config.get('name')!r}",
            ) from None
    return {"format": FORMAT, "version": VERSION, "input_shape": list(shape), "layers": found}


def _reduce(config: Mapping[str, Any], get: Variables, built: Mapping[str, Any]) -> dict[str, Any]:
    _, height, width, _ = built["input_shape"]
    slots, threshold, number = config["n"], config["threshold"], 0
    if config["learn_threshold"]:
        threshold, number = float(get("", 0)), 1
    if config["learn_n"]:
        slots = int(np.rint(np.float32(slots) * np.float32(get("", number))))
    return {"slots": min(int(slots), height * width), "threshold": float(np.float32(threshold))}


def _convolution(
    config: Mapping[str, Any], get: Variables, built: Mapping[str, Any]
) -> dict[str, Any]:
    conv = config["conv_config"]
    expected = {"padding": "same", "data_format": "channels_last", "groups": 1}
    _require(conv, {**expected, "strides": [1, 1], "dilation_rate": [1, 1], "enable_oq": False})
    if config["use_bias"]:
        bias = get.constants(_config(config["bq_conf"]), "", 0, "_bq")
    else:
        bias = integers_of(np.zeros(conv["filters"]))
    return {
        "input_quantizer": get.lane(conv["iq_conf"] if conv["enable_iq"] else None, "conv/iq"),
        "kernel": get.constants(conv["kq_conf"], "conv", 0, "conv/kq"),
        "bias": bias,
        "activation": _function(config["activation"]),
    }


def _dense(config: Mapping[str, Any], get: Variables, built: Mapping[str, Any]) -> dict[str, Any]:
    if config["use_bias"]:
        bias = get.constants(config["bq_conf"], "", 1, "bq")
    else:
        bias = integers_of(np.zeros(config["units"]))
    return {
        "input_quantizer": get.lane(config["iq_conf"] if config["enable_iq"] else None, "iq"),
        "kernel": get.constants(config["kq_conf"], "", 0, "kq"),
        "bias": bias,
        "activation": _function(config["activation"]),
        "output_quantizer": get.lane(config["oq_conf"] if config["enable_oq"] else None, "oq"),
    }


def _pool(config: Mapping[str, Any], get: Variables, built: Mapping[str, Any]) -> dict[str, Any]:
    pool = config["pool_config"]
    window = list(pool["pool_size"])
    _require(pool, {"strides": window, "data_format": "channels_last"})
    frame = built["input_shape"][0][1:3]
    if any(n % w for n, w in zip(frame, window, strict=True)):
        _require(pool, {"padding": "valid"})
    return {"window": window}


def _flatten(config: Mapping[str, Any], get: Variables, built: Mapping[str, Any]) -> dict[str, Any]:
    _require(config, {"data_format": "channels_last"})
    return {}


def _relu(config: Mapping[str, Any], get: Variables, built: Mapping[str, Any]) -> dict[str, Any]:
    found = float(config["negative_slope"]), config["max_value"], float(config["threshold"])
    if found != (0.0, None, 0.0):
        raise NetworkError(f"its slope, largest value and threshold are {found}, expected none")
    return {"activation": "relu"}


_Reader = Callable[[Mapping[str, Any], Variables, Mapping[str, Any]], dict[str, Any]]
_READERS: Mapping[str, _Reader] = {
    "Quantizer": lambda config, get, built: {"quantizer": get.lane(config["config"], "")},
    "InputReduce": _reduce,
    "QConv2DSparse": _convolution,
    "AveragePooling2DSparse": _pool,
    "MaxPooling2DSparse": _pool,
    "Activation": lambda config, get, built: {"activation": _function(config["activation"])},
    "ReLU": _relu,
    "Flatten": _flatten,
    "QDense": _dense,
}


def _config(conf: Mapping[str, Any]) -> Mapping[str, Any]:
    """A quantiser's options, which some layers write without their class."""
    return conf if "config" in conf else {"config": conf}


def _function(function: Any) -> str:
    if isinstance(function, Mapping):
        function = function.get("config", function)
    return "linear" if function is None else str(function)


def _require(config: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    for option, value in expected.items():
        found = config[option]
        if (list(found) if isinstance(found, tuple) else found) != value:
            raise NetworkError(f"its {option} is {found!r}, expected {value!r}")
