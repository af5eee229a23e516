"""What the streams between sparse components carry."""

from __future__ import annotations

from amaranth.hdl import Shape
from amaranth.lib import data

from ...errors import BuildError
from ...network import FixedPoint, TensorType

__all__ = ["fixed_format", "image_layout", "layout_of", "number_shape", "place_width"]


def number_shape(number: FixedPoint) -> Shape:
    """The bits of a stored integer."""
    return Shape(number.width, number.signed)


def place_width(extent: int) -> int:
    """Bits of a row or column on a frame of `extent` rows or columns; at least one."""
    return max(1, (extent - 1).bit_length())


def fixed_format(kind: TensorType) -> FixedPoint:
    """The format of a tensor's numbers.

    Raises
    ------
    BuildError
        If they are bits or have no hardware format yet.
    """
    if not isinstance(kind.element, FixedPoint):
        raise BuildError(f"sparse components compute with fixed-point numbers, found {kind}")
    return kind.element


def layout_of(kind: TensorType) -> data.Layout:
    """Payload of a sparse tensor, or of a vector.

    Returns
    -------
    data.Layout
        For a sparse tensor a structure of `features` (slots x C numbers), `row` and `column` (one
        for each slot, just wide enough for the frame) and `valid` (a bit for each slot); features
        of unused slots are zero, their places are anything. For a vector an array of numbers.

    Raises
    ------
    BuildError
        If the tensor is neither.
    """
    number = number_shape(fixed_format(kind))
    if kind.masked and len(kind.frame) == 2:
        slots, channels = kind.shape
        return data.StructLayout(
            {
                "features": data.ArrayLayout(data.ArrayLayout(number, channels), slots),
                "row": data.ArrayLayout(place_width(kind.frame[0]), slots),
                "column": data.ArrayLayout(place_width(kind.frame[1]), slots),
                "valid": slots,
            }
        )
    if kind.masked or len(kind.shape) != 1:
        raise BuildError(f"there is no payload for {kind}, expected a sparse tensor or a vector")
    return data.ArrayLayout(number, kind.shape[0])


def image_layout(kind: TensorType, *, rows: int, columns: int | None = None) -> data.ArrayLayout:
    """Payload of `rows` rows of an image (C, H, W), or of some columns of them.

    Its axes are rows, columns, channels.

    Raises
    ------
    BuildError
        If the tensor is no image of fixed-point numbers.
    """
    number = number_shape(fixed_format(kind))
    if kind.masked or len(kind.shape) != 3:
        raise BuildError(f"input reduction takes an image (C, H, W), found {kind}")
    channels, _, width = kind.shape
    row = data.ArrayLayout(data.ArrayLayout(number, channels), columns or width)
    return data.ArrayLayout(row, rows)
