"""What leaves a classifier, whatever its hardware is like."""

from __future__ import annotations

from amaranth.hdl import Shape
from amaranth.lib import data

from .argmax import class_shape

__all__ = ["result_fields"]


def result_fields(*, classes: int, score_bits: int, bits: int, argmax: bool) -> data.StructLayout:
    """Fields of a result, as far as they exist: `class`, `scores` (class 0 lowest), `bits`.

    Parameters
    ----------
    classes : int
        Number of scores; 0 for a network without group sums.
    score_bits : int
        Width of a score, which is unsigned.
    bits : int
        Bits of the network that leave as they are.
    argmax : bool
        Whether the class index is there.
    """
    fields: dict[str, Shape | data.Layout] = {}
    if argmax:
        fields["class"] = class_shape(classes)
    if classes:
        fields["scores"] = data.ArrayLayout(Shape(score_bits), classes)
    if bits:
        fields["bits"] = Shape(bits)
    return data.StructLayout(fields)
