"""Which layers move elements as an operation of torch did, told from where each element went."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

__all__ = ["arrangement", "joined"]

Step = dict[str, Any]


def arrangement(shape: tuple[int, ...], places: np.ndarray) -> list[Step] | None:
    """Slices, a permutation and a reshape that give the element `places[i]` at place i.

    Parameters
    ----------
    shape : tuple of int
        Of the tensor that is read.
    places : ndarray of int64
        Where each element of the result stood in row-major order; its shape is that of the result.

    Returns
    -------
    list of dict or None
        Descriptions of layers in the order in which they apply; None if these cannot express it.
    """
    if places.size == 0:
        return None
    slices, shape = _box(shape, places)
    box = np.unique(places)
    if box.size != places.size or box.size != prod(shape):
        return None
    numbers = np.searchsorted(box, places)  # places within the box
    order = _order(shape, numbers)
    if order is None:
        return None
    steps = slices
    if order != sorted(order):
        steps = [*steps, {"type": "Permute", "axes": order}]
        shape = tuple(shape[axis] for axis in order)
    if shape != places.shape:
        steps = [*steps, {"type": "Reshape", "shape": list(places.shape)}]
    return steps


def _box(shape: tuple[int, ...], places: np.ndarray) -> tuple[list[Step], tuple[int, ...]]:
    """The smallest ranges of indices in which all places lie, as slices, and their shape."""
    steps: list[Step] = []
    sizes = []
    for axis, index in enumerate(np.unravel_index(places, shape) if shape else ()):
        start, stop = int(index.min()), int(index.max()) + 1
        sizes.append(stop - start)
        if stop - start < shape[axis]:
            steps.append({"type": "Slice", "axis": axis, "start": start, "stop": stop})
    return steps, tuple(sizes)


def _order(shape: tuple[int, ...], numbers: np.ndarray) -> list[int] | None:
    """The order of the axes of `shape` in which its elements, numbered row by row, are `numbers`.

    Axes of one element keep their places among the others as far as the shape of the result asks
    for no order at all.
    """
    if (numbers.ravel() == np.arange(numbers.size)).all():
        return list(range(len(shape)))
    strides = [prod(shape[axis + 1 :]) for axis in range(len(shape))]
    wide = [axis for axis, n in enumerate(shape) if n > 1]
    order: list[int] = []
    for axis, n in enumerate(numbers.shape):
        if n == 1:
            continue
        step = int(numbers[tuple(int(a == axis) for a in range(numbers.ndim))] - numbers.flat[0])
        found = [w for w in wide if strides[w] == step and shape[w] == n and w not in order]
        if not found:
            return None
        order.append(found[0])
    rest = [axis for axis in range(len(shape)) if axis not in order]
    if len(rest) + len(order) == numbers.ndim:
        # Axes of one element: where the result has one, there stands the next of them.
        filled, moved = iter(order), iter(rest)
        order = [next(moved) if n == 1 else next(filled) for n in numbers.shape]
    else:
        order += rest
    moved_numbers = np.arange(prod(shape)).reshape(shape).transpose(order)
    return order if (moved_numbers.ravel() == numbers.ravel()).all() else None


def joined(
    parts: Sequence[np.ndarray], result: np.ndarray
) -> tuple[list[tuple[int, ...]], int] | None:
    """The shapes of the joined tensors, and the axis along which they give `result`.

    A shape differs from that of the part by an axis of one element where tensors were stacked.
    """
    for axis in range(result.ndim):
        shapes = [
            p.shape if p.ndim == result.ndim else (*p.shape[:axis], 1, *p.shape[axis:])
            for p in parts
        ]
        rest = {(*s[:axis], *s[axis + 1 :]) for s in shapes}
        if {len(s) for s in shapes} != {result.ndim} or len(rest) > 1:
            continue
        found = np.concatenate([p.reshape(s) for p, s in zip(parts, shapes, strict=True)], axis)
        if np.array_equal(found, result):
            return shapes, axis
    return None
