"""Objects with the names and attributes of Keras' layers, from a description; none computes."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

__all__ = ["likeness", "named"]


def named(kind: str, **attributes: Any) -> Any:
    """An object of a class with a library's name."""
    made = type(kind, (), {})()
    for key, value in attributes.items():
        setattr(made, key, value)
    return made


class _Variable:
    """Numbers as a variable of Keras has them."""

    def __init__(self, values: Any):
        self.values = np.asarray(values, np.float32)

    def numpy(self) -> np.ndarray:
        return self.values


def quantizer(described: Mapping[str, Any] | None) -> Any:
    if described is None:
        return None
    kif = tuple(_Variable(np.asarray(described[name])[None]) for name in "kif")
    modes = {"round_mode": described["rounding"], "overflow_mode": described["overflow"]}
    inner = named("FixedPointQuantizerKIF", kif=kif, **modes)
    return named("Quantizer", quantizer=inner, scaler=None, affine=None)


def constants(described: Mapping[str, Any]) -> _Variable:
    values = np.asarray(described["integers"], np.float64)
    return _Variable(np.ldexp(values, -described["fraction"]))


def function(name: str) -> Any:
    return type(name, (), {"__name__": name})()


def likeness(described: Mapping[str, Any]) -> Any:
    """A model that `describe` describes so."""
    height, width, channels = described["input_shape"]
    x: Any = SimpleNamespace(shape=(None, height, width, channels))
    mask: Any = None
    layers = [named("InputLayer", name="x_in", output=x)]
    for said in described["layers"]:
        kind = said["type"]
        masked = kind in ("QConv2DSparse", "AveragePooling2DSparse", "MaxPooling2DSparse")
        layer = named(kind, name=said["name"], input=[x, mask] if masked else x)
        shape = x.shape
        if kind == "InputReduce":
            fixed = {"learn_n": False, "learn_threshold": False}
            vars(layer).update(n_init=said["slots"], threshold_init=said["threshold"], **fixed)
        elif kind in ("QConv2DSparse", "QDense"):
            weights = constants(said["kernel"])
            shape = (*x.shape[:-1], weights.values.shape[-1])
            options = {"data_format": "channels_last", "padding": "same", "strides": (1, 1)}
            options |= {"groups": 1, "dilation_rate": (1, 1), "qkernel": weights}
            lane, out = said["input_quantizer"], said.get("output_quantizer")
            options |= {"iq": quantizer(lane), "enable_iq": lane is not None}
            options |= {"oq": quantizer(out), "enable_oq": out is not None}
            bias = constants(said["bias"])
            if kind == "QDense":
                options |= {"qbias": bias, "use_bias": True}
                vars(layer).update(activation=function(said["activation"]), **options)
            else:
                options |= {"filters": shape[-1]}
                vars(layer).update(conv=named("QConv2D", **options), _use_bias=True)
                vars(layer).update(sparse_bias=bias, _bq=lambda values: values)
                layer._activation = function(said["activation"])
        elif kind in ("AveragePooling2DSparse", "MaxPooling2DSparse"):
            window = tuple(said["window"])
            frame = [n // w for n, w in zip(x.shape[1:3], window, strict=True)]
            shape = (None, *frame, x.shape[-1])
            options = {"pool_size": window, "strides": window, "padding": "valid"}
            layer.avg_pool = layer.max_pool = named("", data_format="channels_last", **options)
        elif kind == "Flatten":
            shape = (None, int(np.prod(x.shape[1:])))
            layer.data_format = "channels_last"
        elif kind == "Quantizer":
            vars(layer).update(vars(quantizer(said["quantizer"])))
        else:
            layer.activation = function(said["activation"])
        x = SimpleNamespace(shape=shape)
        layer.output = x
        if kind in ("InputReduce", "AveragePooling2DSparse", "MaxPooling2DSparse"):
            mask = SimpleNamespace(shape=(*shape[:-1], 1))
            layer.output = [x, mask]
        layers.append(layer)
    return named("Functional", layers=layers, outputs=[x])
