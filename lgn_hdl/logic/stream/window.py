"""A layer on an image that is a window long where elements follow each other."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from ...network import Network, Node, TensorType
from ..lower import lower
from .block import Taps, elements_of
from .grid import Grid, Sliding
from .stages import Stage

__all__ = ["Window"]


class Window:
    """The gates of an element, or of one of several equal parts of it.

    Along the axes that elements follow each other on, the image is a window long. Along a line it
    is whole, and the padding at its ends is constant; with several parts it is what one part reads,
    and where that lies outside the line in some part, a zero is chosen instead of a bit.

    Parameters
    ----------
    stage : Stage
    scan : tuple of int
        Axes along which elements follow each other; along the others all positions are at hand.
    parts : int
        More than one only with one other axis, and if nothing follows in the stage.

    Attributes
    ----------
    program : LogicProgram
        A part of the element that comes out, row-major over channels and the other axes.
    feature : ndarray of int64, shape (P, W)
        Which feature is bit w at place p of the window.
    bit : ndarray of int64, shape (parts, W)
        Which bit of an element that is in each part, -1 for a zero.
    part, output : ndarray of int64, shape (B,)
        Where every bit of the element that comes out is computed.
    """

    def __init__(self, stage: Stage, scan: tuple[int, ...], parts: int = 1):
        layer, (channels, *size) = stage.layer, stage.given.shape
        lines = np.prod([n for a, n in enumerate(size) if a not in scan], dtype=np.int64)
        shape = [layer.window[a] if a in scan else n for a, n in enumerate(size)]
        padding = [0 if a in scan else p for a, p in enumerate(layer.padding)]
        lanes = [n for a, n in enumerate(stage.image.shape[1:]) if a not in scan]
        if parts > 1:
            (line,) = (a for a in range(len(size)) if a not in scan)
            own = -(-lanes[0] // parts)
            shape[line], padding[line] = (own - 1) * layer.stride[line] + layer.window[line], 0
            self.bit = _parts_of(stage, line, parts, own, shape[line])
        else:
            own = prod(lanes)
            self.bit = np.arange(channels * lines)[None]
        small = TensorType((channels, *shape))
        nodes = [Node(stage.node.name, replace(layer, padding=tuple(padding)), ("window",))]
        if stage.then is not None:
            nodes.append(Node("line", stage.then, (stage.node.name,)))
        network = Network({"window": small}, tuple(nodes), (nodes[-1].name,))
        self.program = lower(network.validate())
        self.feature = elements_of(small, scan)
        self._places = np.indices(tuple(shape[axis] for axis in scan)).reshape(len(scan), -1)
        channel, lane = np.divmod(np.arange(stage.image.shape[0] * prod(lanes)), prod(lanes))
        self.part = lane // own
        self.output = channel * own + lane % own

    def taps(self, used: np.ndarray, grid: Grid, sliding: Sliding) -> tuple[Taps, np.ndarray]:
        """Where the features `used` are found in a stream, and which tap each is in every part."""
        place, window_bit = np.divmod(np.argsort(self.feature.ravel())[used], self.feature.shape[1])
        delay = sliding.delay(grid, self._places[:, place])
        bit = self.bit[:, window_bit]
        if len(bit) == 1:
            return Taps(bit[0], delay), np.arange(len(used))[None]
        read = np.stack(np.broadcast_arrays(bit, delay)).reshape(2, -1)
        found, which = np.unique(read, axis=1, return_inverse=True)
        real = found[0] >= 0
        number = np.where(real, np.cumsum(real) - 1, -1)
        return Taps(*found[:, real]), number[which.ravel()].reshape(bit.shape)


def _parts_of(stage: Stage, line: int, parts: int, own: int, length: int) -> np.ndarray:
    """Bit of an element that each bit of a part's window is, shape (parts, channels · length)."""
    layer, (channels, *size) = stage.layer, stage.given.shape
    last = stage.image.shape[1 + line] - 1
    corner = np.arange(parts)[:, None] * own * layer.stride[line] - layer.padding[line]
    place = corner + np.arange(length)
    # The last part may be shorter; what only its missing positions would read may be anything.
    wanted = place < last * layer.stride[line] - layer.padding[line] + layer.window[line]
    outside = (place < 0) | (place >= size[line])
    channel = size[line] * np.arange(channels)[:, None]
    bit = channel + place[:, None]
    bit = np.where(outside[:, None], -1, bit)
    bit = np.where(wanted[:, None], bit, bit[:1])
    return bit.reshape(parts, -1)
