"""Positions of an image one after the other, with zeros between lines that serve as padding.

The positions of a line are followed by as many zeros as the next layer's padding needs. They are
the padding on the right of this line and on the left of the next; whole lines of zeros behind the
last are that below this image and above the next one. So a window is always at fixed distances from
the newest position, and no tap has to be masked at the border.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from ...network import LogicConv, OrPool

__all__ = ["Grid", "Sliding", "zeros_for"]


@dataclass(frozen=True)
class Grid:
    """The axes along which positions follow each other.

    Parameters
    ----------
    size : tuple of int
        Positions along each axis; the last axis runs fastest.
    zeros : tuple of int
        Zeros that follow along each axis.
    """

    size: tuple[int, ...]
    zeros: tuple[int, ...]

    @property
    def padded(self) -> tuple[int, ...]:
        """Positions and zeros along each axis."""
        return tuple(n + z for n, z in zip(self.size, self.zeros, strict=True))

    @property
    def elements(self) -> int:
        """Positions and zeros of one image."""
        return prod(self.padded)

    @property
    def pitch(self) -> np.ndarray:
        """Elements from one position to the next along each axis."""
        steps = np.cumprod([1, *self.padded[:0:-1]])
        return steps[::-1].astype(np.int64)

    @property
    def positions(self) -> np.ndarray:
        """Element number of every position, row-major."""
        places = np.indices(self.size).reshape(len(self.size), -1)
        return self.pitch @ places


@dataclass(frozen=True)
class Sliding:
    """How a layer moves along the axes of a grid.

    Parameters
    ----------
    window, stride, padding : tuple of int
        Of the layer, along these axes.
    out : tuple of int
        Positions of its output.
    """

    window: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    out: tuple[int, ...]

    @classmethod
    def of(cls, layer: LogicConv | OrPool, scan: tuple[int, ...], out: tuple[int, ...]) -> Sliding:
        """The layer along the axes `scan`; `out` is the shape of its output, with channels."""

        def along(values: tuple[int, ...]) -> tuple[int, ...]:
            return tuple(values[axis] for axis in scan)

        return cls(along(layer.window), along(layer.stride), along(layer.padding), along(out[1:]))

    @property
    def reach(self) -> np.ndarray:
        """Places from the first of a window to the newest that has to be there.

        A window that lies in the padding on the left waits for the first position all the same.
        """
        return np.maximum(np.array(self.window) - 1, np.array(self.padding))

    def newest(self, grid: Grid) -> np.ndarray:
        """Element of the grid with which the window of every output position is complete."""
        places = np.indices(self.out).reshape(len(self.out), -1)
        corner = places * np.array(self.stride)[:, None] - np.array(self.padding)[:, None]
        return grid.pitch @ (corner + self.reach[:, None])

    def outside(self, size: tuple[int, ...]) -> np.ndarray:
        """Which places of the window lie in the padding, bool (output positions, places)."""
        corners = np.indices(self.out).reshape(len(self.out), -1, 1)
        corners = corners * np.array(self.stride)[:, None, None]
        places = np.indices(self.window).reshape(len(self.out), 1, -1)
        at = corners + places - np.array(self.padding)[:, None, None]
        inside = (at >= 0) & (at < np.array(size)[:, None, None])
        return ~np.asarray(inside.all(axis=0))

    def delay(self, grid: Grid, place: np.ndarray) -> np.ndarray:
        """How many elements before the newest a place (axes, ...) of the window came."""
        behind = self.reach.reshape(-1, *[1] * (place.ndim - 1)) - place
        return np.tensordot(grid.pitch, behind, 1)


def zeros_for(sliding: Sliding | None, size: tuple[int, ...]) -> tuple[int, ...]:
    """Zeros that a reader needs behind the positions: on their right, and on the left of the next.

    None reads positions one by one and needs no zeros.
    """
    if sliding is None:
        return (0,) * len(size)
    padding, stride = np.array(sliding.padding), np.array(sliding.stride)
    last = (np.array(sliding.out) - 1) * stride - padding + sliding.reach
    return tuple(np.maximum(padding, last - np.array(size) + 1).tolist())
