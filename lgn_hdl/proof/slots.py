"""What input reduction gives, written down from `docs/ir.md`: the first active pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..hdl.sparse import layout_of
from ..network import FixedPoint, InputReduce, TensorType
from .aig import FALSE, TRUE, Aig

__all__ = ["Slot", "first_active", "slots_of"]

#: Literals, least significant first.
Bits = list[int]


@dataclass(frozen=True)
class Slot:
    """Literals of one slot.

    Parameters
    ----------
    used : int
    features : list of int
        Channel 0 lowest; all false where the slot is not used.
    row, column : list of int
        Anything where the slot is not used.
    """

    used: int
    features: Bits
    row: Bits
    column: Bits

    def differs(self, aig: Aig, found: Slot) -> int:
        """Literal that is true where another slot is not this one."""
        pairs = zip(self.features, found.features, strict=True)
        wrong = [aig.exclusive(a, b) for a, b in pairs]
        places = zip([*self.row, *self.column], [*found.row, *found.column], strict=True)
        elsewhere = aig.any(aig.exclusive(a, b) for a, b in places)
        return aig.any(
            [aig.exclusive(self.used, found.used), *wrong, aig.conjunction(self.used, elsewhere)]
        )


def first_active(
    aig: Aig, pixels: Sequence[Bits], layer: InputReduce, source: TensorType
) -> list[Slot]:
    """The first active pixels of an image.

    Parameters
    ----------
    aig : Aig
    pixels : sequence of list of int
        Literals of each pixel in raster order, channel 0 lowest.
    layer : InputReduce
    source : TensorType
        An image (C, H, W).
    """
    _, height, width = source.shape
    number = source.element
    assert isinstance(number, FixedPoint)
    active = [_above(aig, pixel[: number.width], number, layer.threshold) for pixel in pixels]
    # chosen[k] are the pixels that are slot k: active, and the k-th one of these.
    chosen: list[Bits] = [[] for _ in range(layer.slots)]
    exactly = [TRUE] + [FALSE] * layer.slots
    for here in active:
        before = exactly
        for k in range(layer.slots):
            chosen[k].append(aig.conjunction(here, before[k]))
        exactly = [
            aig.choice(here, before[k - 1] if k else FALSE, before[k])
            for k in range(layer.slots + 1)
        ]
    places = [divmod(p, width) for p in range(height * width)]
    sizes = _place_bits(height), _place_bits(width)

    def place(which: Bits, axis: int) -> Bits:
        return [
            aig.any(c for c, at in zip(which, places, strict=True) if at[axis] >> bit & 1)
            for bit in range(sizes[axis])
        ]

    return [
        Slot(
            aig.any(which),
            [
                aig.any(
                    aig.conjunction(c, pixel[b]) for c, pixel in zip(which, pixels, strict=True)
                )
                for b in range(len(pixels[0]))
            ],
            place(which, 0),
            place(which, 1),
        )
        for which in chosen
    ]


def slots_of(payload: Sequence[int], kind: TensorType) -> list[Slot]:
    """The slots in a payload of a stream.

    Parameters
    ----------
    payload : sequence of int
        Literals, least significant first.
    kind : TensorType
        A sparse tensor.
    """
    layout = layout_of(kind)

    def of_slot(field: str, k: int) -> Bits:
        bits = payload[layout[field].offset :][: layout[field].width]
        size = len(bits) // kind.shape[0]
        return list(bits[k * size : (k + 1) * size])

    return [
        Slot(of_slot("valid", k)[0], *(of_slot(name, k) for name in ("features", "row", "column")))
        for k in range(kind.shape[0])
    ]


def _above(aig: Aig, bits: Bits, number: FixedPoint, threshold: float) -> int:
    """Whether a number is larger, as the table of all numbers of its format."""
    table = 0
    for index in range(1 << number.width):
        value = index - (1 << number.width) if index > number.max_int else index
        table |= (value * number.step > threshold) << index
    return aig.lookup(table, bits[::-1])


def _place_bits(extent: int) -> int:
    """A frame of one row or column has a bit for it all the same."""
    return max(1, len(f"{extent - 1:b}"))
