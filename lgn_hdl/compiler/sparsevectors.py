"""Test vectors of a sparse CNN: what goes in step by step, and what must leave every block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..hdl.sparse.payload import place_width
from ..network import FixedPoint, TensorType
from ..reference import Reference
from .bits import binary
from .sparse import SparseCore

__all__ = ["sparse_vectors"]


def sparse_vectors(
    core: SparseCore, features: np.ndarray, result: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Arrays of vectors.npz; `sim.vectors` says what they are.

    Parameters
    ----------
    core : SparseCore
    features : ndarray of int64, shape (n, F)
    result : mapping of str to ndarray
        Bits of each field of the result, lowest field first, from the torch reference.
    """
    blocks = _blocks(core, features)
    whole = np.concatenate(list(result.values()), axis=1)
    # The bench counts from the clock in which the first payload is taken.
    latency = core.latency - core.plan.waits
    blocks.append(("result", "o", latency, whole, np.ones_like(whole)))
    arrays = {
        "features": features,
        "feature_width": np.array(core.number.width),
        "latency": np.array(latency),
        "interval": np.array(core.interval),
        "startup": np.array(0),
        "front_latency": np.array(0),
        "overlaps": np.array(False),
        "elastic": np.array(True),
        "blocks": np.array([name for name, *_ in blocks]),
        "paths": np.array([path for _, path, *_ in blocks]),
        **_steps(core, features),
    }
    for name, _, latency, bits, care in blocks:
        arrays[f"{name}_latency"] = np.array(latency)
        arrays[f"{name}_bits"] = bits.astype(np.uint8)
        arrays[f"{name}_care"] = care.astype(np.uint8)
    return arrays


def _steps(core: SparseCore, features: np.ndarray) -> dict[str, np.ndarray]:
    """Arrays `payload` and `completes` of vectors.npz, for stored integers (n, F).

    `completes` is the sample that a step is the last of, or -1.
    """
    plan, count = core.plan, len(features)
    channels, height, width = plan.source.shape
    rows, columns = plan.piece
    image = features.reshape(
        count, channels, height // rows, rows, width // columns, columns
    ).transpose(0, 2, 4, 1, 3, 5)
    steps = image.reshape(count * plan.steps, -1)
    sample, step = np.divmod(np.arange(len(steps)), plan.steps)
    return {
        "payload": binary(steps, core.number.width),
        "completes": np.where(step == plan.steps - 1, sample, -1),
    }


def _blocks(
    core: SparseCore, features: np.ndarray
) -> list[tuple[str, str, int, np.ndarray, np.ndarray]]:
    """Name, wires, latency, expected bits and which of them count, for every block before the
    decision; from the torch reference.
    """
    plan, found, latency = core.plan, [], -core.plan.waits
    blocks = [b for b in plan.blocks if b.kind != "decision"]
    network = replace(plan.network, outputs=tuple(b.layers[-1] for b in blocks), classes=())
    x = core.number.to_real(features).reshape(len(features), *plan.source.shape)
    tensors = Reference(network).outputs(x)
    for block in blocks:
        latency += block.latency
        values = tensors[block.layers[-1]].numpy()
        bits, care = _payload(values, block.result)
        found.append((block.name, block.name, latency, bits, care))
    return found


def _payload(values: np.ndarray, kind: TensorType) -> tuple[np.ndarray, np.ndarray]:
    """Bits of `layout_of(kind)`; the place of an unused slot may be anything."""
    assert isinstance(kind.element, FixedPoint), "checked by infer"
    if not kind.masked:
        bits = binary(values, kind.element.width)
        return bits, np.ones_like(bits)
    used = values[:, :, -1].astype(np.uint8)
    features = binary(values[:, :, :-3].reshape(len(values), -1), kind.element.width)
    bits, care = [features], [np.ones_like(features)]
    for axis, extent in enumerate(kind.frame):
        width = place_width(extent)
        bits.append(binary(values[:, :, axis - 3], width))
        care.append(np.repeat(used, width, axis=1))
    bits.append(used)
    care.append(np.ones_like(used))
    return np.concatenate(bits, axis=1), np.concatenate(care, axis=1)
