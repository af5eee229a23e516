"""The type of a tensor in a Network: shape, element, and whether slots may be empty."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Literal

from ..errors import NetworkError
from .fixed import FixedPoint

__all__ = ["BIT", "REAL", "Element", "TensorType"]

#: What one element is: a bit, a real number (a network input that has no hardware format yet), or
#: a fixed-point number.
Element = Literal["bit", "real"] | FixedPoint
BIT: Element = "bit"
REAL: Element = "real"

#: Signals and features are numbered by int32.
MAX_SIZE = 2**31 - 4


@dataclass(frozen=True)
class TensorType:
    """Shape (without the batch axis), element, and validity mask of a tensor.

    Parameters
    ----------
    shape : tuple of int
        Images are CHW here, NCHW with the batch axis.
    element : Element
        `BIT`, `REAL` or a `FixedPoint`.
    masked : bool
        True if every index of the first axis (a slot of a sparse array) carries a valid bit.
    frame : tuple of int
        Height and width of the frame on which every slot of a sparse tensor has a place.
    """

    shape: tuple[int, ...]
    element: Element = BIT
    masked: bool = False
    frame: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if any(not isinstance(n, int) or n < 1 for n in self.shape):
            raise NetworkError(f"tensor shape is {self.shape}, expected positive integers")
        if self.size > MAX_SIZE:
            raise NetworkError(
                f"a tensor has {self.size} elements, at most {MAX_SIZE} are possible"
            )
        if self.masked and not self.shape:
            raise NetworkError("a masked tensor needs a slot axis, found a scalar")
        if self.frame and (not self.masked or len(self.shape) != 2):
            raise NetworkError(f"places on a frame are for slots with channels, found {self.shape}")
        if any(not isinstance(n, int) or n < 1 for n in self.frame):
            raise NetworkError(f"a frame is {self.frame}, expected positive integers")

    @property
    def size(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    def takes(self, shape: tuple[int, ...]) -> bool:
        """Whether samples of that shape, without the batch axis, have these elements in this order.

        A flat vector does, and any shape does for a flat tensor; else the axes that are longer than
        one must be the same.
        """
        if len(shape) == 1 or len(self.shape) <= 1:
            return prod(shape) == self.size
        return [n for n in shape if n != 1] == [n for n in self.shape if n != 1]

    @property
    def is_bits(self) -> bool:
        """Whether the elements are bits."""
        return self.element == BIT

    def __str__(self) -> str:
        shape = "x".join(map(str, self.shape)) or "scalar"
        frame = f" on {'x'.join(map(str, self.frame))}" if self.frame else ""
        return f"{self.element}[{shape}]{' masked' if self.masked else ''}{frame}"
