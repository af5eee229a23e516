"""Small files in the form in which Keras saves QKeras models."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np


def bits(width: int, integer: int) -> dict[str, Any]:
    """A quantized_bits as Keras writes it."""
    config = {"bits": width, "integer": integer, "alpha": 1, "keep_negative": True}
    return {"class_name": "quantized_bits", "config": config}


def layer(kind: str, name: str, **config: Any) -> dict[str, Any]:
    """A layer of a chain; `model` fills in what it reads."""
    return {"class_name": kind, "config": {"name": name, **config}}


def convolution(name: str, filters: int, size: int, **changes: Any) -> dict[str, Any]:
    """A quantised convolution."""
    config = {
        "filters": filters,
        "kernel_size": [size, size],
        "strides": [1, 1],
        "padding": "same",
        "data_format": "channels_last",
        "dilation_rate": [1, 1],
        "groups": 1,
        "activation": "linear",
        "use_bias": True,
        "kernel_quantizer": bits(6, 1),
        "bias_quantizer": bits(6, 2),
    }
    return layer("QConv2D", name, **{**config, **changes})


def dense(name: str, units: int, **changes: Any) -> dict[str, Any]:
    """A quantised dense layer."""
    config = {
        "units": units,
        "activation": "linear",
        "use_bias": True,
        "kernel_quantizer": bits(6, 1),
        "bias_quantizer": bits(6, 2),
    }
    return layer("QDense", name, **{**config, **changes})


def pool(name: str, size: int, kind: str = "AveragePooling2D") -> dict[str, Any]:
    """Pooling of whole windows."""
    window = {"pool_size": [size, size], "strides": [size, size], "padding": "valid"}
    return layer(kind, name, **window, data_format="channels_last")


def model() -> list[dict[str, Any]]:
    """The layers of a small classifier of 6 x 6 pixels."""
    return [
        layer("InputLayer", "x_in", batch_input_shape=[None, 6, 6, 1]),
        convolution("conv1", 2, 3),
        layer("QActivation", "relu1", activation="quantized_relu(6, 2)"),
        pool("pool1", 2),
        layer("Flatten", "flatten", data_format="channels_last"),
        dense("dense1", 3),
        layer("Activation", "softmax", activation="softmax"),
    ]


def weights(seed: int = 0) -> dict[str, dict[str, np.ndarray]]:
    """Weights for `model`."""
    rng = np.random.default_rng(seed)
    shapes = {"conv1": ((3, 3, 1, 2), (2,)), "dense1": ((18, 3), (3,))}
    return {
        name: {"kernel": rng.uniform(-2, 2, kernel), "bias": rng.uniform(-1, 1, bias)}
        for name, (kernel, bias) in shapes.items()
    }


def write_keras(path: Path, layers: list[dict[str, Any]], values: dict[str, Any]) -> Path:
    """A `.keras` file: what each layer reads is the layer before."""
    for before, after in zip([None, *layers], layers, strict=False):
        after.setdefault(
            "inbound_nodes", [[[before["config"]["name"], 0, 0, {}]]] if before else []
        )
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for name, stored in (("conv1", "q_conv2d"), ("dense1", "q_dense")):
            for number, variable in enumerate(("kernel", "bias")):
                if variable in values.get(name, {}):
                    place = f"_layer_checkpoint_dependencies/{stored}/vars/{number}"
                    file[place] = values[name][variable].astype(np.float32)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps({"config": {"layers": layers}}))
        archive.writestr("model.weights.h5", buffer.getvalue())
    return path


def write_weights(path: Path, values: dict[str, dict[str, np.ndarray]]) -> Path:
    """Weights alone, as Keras 2 writes them."""
    with h5py.File(path, "w") as file:
        for name, variables in values.items():
            for variable, array in variables.items():
                file[f"{name}/{name}/{variable}:0"] = array.astype(np.float32)
    return path
