"""Images for a sparse CNN: random ones, and what becomes of the pixels of given ones."""

from __future__ import annotations

import numpy as np

from ..logic.frames import kept_pixels
from ..report import event_svg
from .sparse import SparseCore

__all__ = ["EVENT_PICTURE", "event_picture", "overflow_counts", "random_images"]

#: File of a build with the picture of an event.
EVENT_PICTURE = "event.svg"


def random_images(core: SparseCore, samples: int, seed: int) -> np.ndarray:
    """Stored integers (n, C, H, W) of random images.

    The numbers of active pixels are such that most images fit the slots and many do not; the first
    is empty, the second full, the third has one active pixel, the last one. Values that are not
    active are at the threshold or below.
    """
    rng = np.random.default_rng(seed)
    number, (channels, height, width) = core.number, core.plan.source.shape
    limit = number.floor_int(core.reduce.threshold)
    shape = (samples, channels, height, width)
    share = rng.uniform(0, 2, (samples, 1, 1)) * core.reduce.slots / (height * width)
    active = rng.random((samples, height, width)) < share
    active[:1], active[1:2] = False, True
    active[2:3], active[2:3, -1, -1] = False, True
    clustered = rng.random((samples, 1, 1)) < 0.5  # so that kernels see neighbours
    near = _near(rng, samples, height, width, core.reduce.slots)
    active[3:] = np.where(clustered, active | near, active)[3:]
    values = rng.integers(number.min_int, number.max_int, shape, endpoint=True)
    extreme = rng.random(shape) < 0.1
    values[extreme] = rng.choice([number.min_int, number.max_int], extreme.sum())
    first = np.clip(limit + 1, number.min_int, number.max_int)
    larger = rng.integers(first, number.max_int, active.shape, endpoint=True)
    others = np.clip(limit - rng.integers(0, 2, active.shape), number.min_int, number.max_int)
    values[:, 0] = np.where(active, larger, others)
    return values


def _near(
    rng: np.random.Generator, samples: int, height: int, width: int, slots: int
) -> np.ndarray:
    """Spots of active pixels, (samples, height, width)."""
    radius = max(1.0, slots**0.5 / 1.5)
    row, column = (rng.integers(0, n, (samples, 1, 1)) for n in (height, width))
    rows, columns = np.arange(height)[:, None], np.arange(width)
    inside = np.hypot(rows - row, columns - column) < radius
    return inside & (rng.random((samples, height, width)) < 0.5)


def event_picture(core: SparseCore, x: np.ndarray) -> str:
    """The image with the most active pixels, and which of them are kept, as SVG.

    Parameters
    ----------
    x : ndarray of int64, shape (n, F)
    """
    images = x.reshape(len(x), *core.plan.source.shape)
    active, kept = kept_pixels(images, core.reduce, core.number)
    sample = int(active.sum(axis=(1, 2)).argmax())
    return event_svg(images[sample, 0], active[sample], kept[sample], sample)


def overflow_counts(core: SparseCore, x: np.ndarray) -> dict[str, int]:
    """How many images have no active pixel, and how many have more than there are slots.

    Parameters
    ----------
    x : ndarray of int64, shape (n, F)
    """
    images = x.reshape(len(x), *core.plan.source.shape)
    active, _ = kept_pixels(images, core.reduce, core.number)
    counts = active.sum(axis=(1, 2))
    return {
        "images": len(x),
        "empty": int((counts == 0).sum()),
        "overflowing": int((counts > core.reduce.slots).sum()),
        "most_active": int(counts.max(initial=0)),
    }
