"""Reads a live SparsePixels model: Keras 3 layers with quantisers of HGQ2, by names and attributes.

Keras and HGQ2 are never imported here; their layers are what the caller has. Constants are read
as the model's own quantisers make them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import LgnError, NetworkError
from ...network import FixedPoint, Network
from .constants import integers_of
from .described import FORMAT, VERSION, from_description
from .order import LiveChain

__all__ = ["describe", "from_sparsepixels", "is_model"]


def is_model(module: Any) -> bool:
    """Whether it is a live Keras model with an input reduction."""
    layers = getattr(module, "layers", None)
    return isinstance(layers, Sequence) and any(
        type(layer).__name__ == "InputReduce" for layer in layers
    )


def from_sparsepixels(
    model: Any,
    *,
    input_format: FixedPoint | str | None = None,
    classes: Sequence[str] = (),
) -> Network:
    """Turn a live SparsePixels model into a Network that computes the same integers.

    Parameters
    ----------
    model : keras.Model
        Of `sparsepixels.layers` (0.3) and HGQ2's QDense, as trained; it is only read.
    input_format : FixedPoint or str, optional
        Number format of the pixels; see `from_description`.
    classes : sequence of str
        Names of the classes.

    Returns
    -------
    Network

    Raises
    ------
    FormatError, NetworkError
        Naming the layer that is not supported, or that no layer of a Network equals.
    """
    return from_description(describe(model), input_format=input_format, classes=classes)


def describe(model: Any) -> dict[str, Any]:
    """Everything that a live SparsePixels model computes with, in what JSON can hold.

    Parameters
    ----------
    model : keras.Model

    Returns
    -------
    dict
        For `from_description`: layers in their order, constants as integers.

    Raises
    ------
    NetworkError
        If a layer is none of SparsePixels, or reads something else than the layer before.
    """
    if not is_model(model):
        raise NetworkError(
            f"a {type(model).__name__} is no SparsePixels model", hint="expected an InputReduce"
        )
    layers: list[dict[str, Any]] = []
    shape: tuple[int, ...] = ()
    chain = LiveChain()
    for layer in model.layers:
        kind = type(layer).__name__
        try:
            if kind == "InputLayer":
                shape = chain.begin(layer)
                continue
            if kind not in _READERS:
                raise NetworkError(
                    f"{kind} is no layer of a SparsePixels model",
                    hint="expected " + ", ".join(_READERS),
                )
            chain.follow(layer)
            # A ReLU of its own is the activation of that name.
            described = "Activation" if kind == "ReLU" else kind
            layers.append({"type": described, "name": layer.name, **_READERS[kind](layer)})
        except LgnError as error:
            raise error.at(f"layer {layer.name!r}") from None
        except (AttributeError, TypeError, ValueError) as error:
            raise NetworkError(
                f"{kind} is not as in sparsepixels 0.3 and HGQ2 0.2: {error}",
                where=f"layer {layer.name!r}",
            ) from None
    if len(model.outputs) != 1 or model.outputs[0] is not chain.x:
        raise NetworkError(f"layer {layers[-1]['name']!r} is not the only output of the model")
    return {"format": FORMAT, "version": VERSION, "input_shape": list(shape), "layers": layers}


def _reduce(layer: Any) -> dict[str, Any]:
    height, width = layer.input.shape[1:3]
    slots, threshold = layer.n_init, layer.threshold_init
    if layer.learn_n:  # as the layer itself computes it, in float32
        slots = int(np.rint(np.float32(layer.n_init) * np.float32(_numpy(layer.n_frac))))
    if layer.learn_threshold:
        threshold = float(_numpy(layer.threshold_w))
    # More slots than pixels are never used; the threshold is compared with as float32.
    return {"slots": min(int(slots), height * width), "threshold": float(np.float32(threshold))}


def _convolution(layer: Any) -> dict[str, Any]:
    conv = layer.conv
    expected = {"padding": "same", "data_format": "channels_last", "groups": 1}
    _require(conv, {**expected, "strides": (1, 1), "dilation_rate": (1, 1), "enable_oq": False})
    bias = layer._bq(layer.sparse_bias) if layer._use_bias else np.zeros(conv.filters)
    return {
        "input_quantizer": _quantizer(conv.iq) if conv.enable_iq else None,
        "kernel": integers_of(_numpy(conv.qkernel)),
        "bias": integers_of(_numpy(bias)),
        "activation": _function(layer._activation),
    }


def _dense(layer: Any) -> dict[str, Any]:
    bias = layer.qbias if layer.use_bias else np.zeros(layer.units)
    return {
        "input_quantizer": _quantizer(layer.iq) if layer.enable_iq else None,
        "kernel": integers_of(_numpy(layer.qkernel)),
        "bias": integers_of(_numpy(bias)),
        "activation": _function(layer.activation),
        "output_quantizer": _quantizer(layer.oq) if layer.enable_oq else None,
    }


def _pool(layer: Any) -> dict[str, Any]:
    kind = type(layer).__name__
    pool = layer.avg_pool if kind.startswith("Average") else layer.max_pool
    window = tuple(pool.pool_size)
    _require(pool, {"strides": window, "data_format": "channels_last"})
    frame = tuple(layer.input[0].shape[1:3])
    # Where the windows fill the frame, 'same' adds nothing.
    if pool.padding != "valid" and any(n % w for n, w in zip(frame, window, strict=True)):
        _require(pool, {"padding": "valid"})
    return {"window": list(window)}


def _flatten(layer: Any) -> dict[str, Any]:
    _require(layer, {"data_format": "channels_last"})
    return {}


def _relu(layer: Any) -> dict[str, Any]:
    found = float(layer.negative_slope or 0), layer.max_value, float(layer.threshold or 0)
    if found != (0.0, None, 0.0):
        raise NetworkError(f"its slope, largest value and threshold are {found}, expected none")
    return {"activation": "relu"}


#: What is read of each layer beside its name.
_READERS: dict[str, Callable[[Any], Mapping[str, Any]]] = {
    "Quantizer": lambda layer: {"quantizer": _quantizer(layer)},
    "InputReduce": _reduce,
    "QConv2DSparse": _convolution,
    "AveragePooling2DSparse": _pool,
    "MaxPooling2DSparse": _pool,
    "Activation": lambda layer: {"activation": _function(layer.activation)},
    "ReLU": _relu,
    "Flatten": _flatten,
    "QDense": _dense,
}


def _quantizer(quantizer: Any) -> dict[str, Any] | None:
    """Rounding and overflow, and k, i, f: numbers, or lists in the shape of a sample."""
    inner = quantizer.quantizer
    if type(inner).__name__ == "DummyQuantizer":
        return None
    if quantizer.scaler is not None or quantizer.affine is not None:
        raise NetworkError("its quantiser scales or shifts numbers, expected one that does not")
    if not hasattr(inner, "kif"):
        raise NetworkError(f"its quantiser is a {type(inner).__name__}, expected fixed point")
    found: dict[str, Any] = {"rounding": inner.round_mode, "overflow": inner.overflow_mode}
    for name, value in zip("kif", inner.kif, strict=True):
        integers = np.rint(_numpy(value)).astype(np.int64)
        single = integers.size == 0 or bool((integers == integers.flat[0]).all())
        found[name] = int(integers.flat[0]) if single else integers[0].tolist()
    return found


def _function(function: Any) -> str:
    return "linear" if function is None else str(getattr(function, "__name__", function))


def _require(layer: Any, expected: Mapping[str, Any]) -> None:
    """What a layer's options have to be."""
    for option, value in expected.items():
        found = getattr(layer, option)
        found = tuple(found) if isinstance(found, list) else found
        if found != value:
            raise NetworkError(f"its {option} is {found!r}, expected {value!r}")


def _numpy(value: Any) -> np.ndarray:
    """An array of a variable or tensor of any backend."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    if hasattr(value, "numpy"):
        value = value.numpy()
    return np.asarray(value)
