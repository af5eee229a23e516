"""Input reduction of an image that comes in rows, or in parts of them."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from ...errors import BuildError
from ...network import InputReduce, TensorType
from .payload import image_layout, place_width
from .reduce import ReduceSteps
from .steps import Held

__all__ = ["RowReduce"]


class RowReduce(ReduceSteps):
    """Input reduction of an image that comes in rows, one in a clock, or in parts of rows.

    Payloads are the rows of a frame from the top, or their parts from the left; the first one after
    the last one of a frame begins the next frame.

    Parameters
    ----------
    layer : InputReduce
    source : TensorType
        An image (C, H, W).
    pixels : int, optional
        How many pixels come in a clock, by default a row.

    Members
    -------
    i : In(stream.Signature(image_layout(source, rows=1, columns=pixels)))
    o : Out(stream.Signature(layout_of(layer.infer(source))))

    Raises
    ------
    BuildError
        If a row is no multiple of the pixels.
    """

    def __init__(self, *, layer: InputReduce, source: TensorType, pixels: int | None = None):
        image_layout(source, rows=1)
        width = source.shape[2]
        pixels = width if pixels is None else pixels
        if pixels < 1 or width % pixels:
            raise BuildError(
                f"{pixels} pixels a clock, expected a divisor of {width}, the pixels of a row"
            )
        self._parts = width // pixels
        super().__init__(layer=layer, source=source, rows=1, taken=1, steps=1, pixels=pixels)

    @property
    def latency(self) -> int:
        """Clocks from the first payload to the result, if every clock has one."""
        return self._depth + self.interval - 1

    @property
    def interval(self) -> int:
        """Clocks, and payloads, from one frame to the next."""
        return self._height * self._parts

    def _held(self, m: Module, free: Signal) -> Held:
        m.d.comb += free.eq(1)
        row, part = Signal(range(self._height)), Signal(range(self._parts))
        row_ends, frame_ends = Signal(), Signal()
        m.d.comb += [
            row_ends.eq(part == self._parts - 1),
            frame_ends.eq(row_ends & (row == self._height - 1)),
        ]
        with m.If(self.i.valid):
            m.d.sync += part.eq(Mux(row_ends, 0, part + 1))
            m.d.sync += row.eq(Mux(frame_ends, 0, row + row_ends))
        step = Cat(part, row)
        return Held(self.i.payload, None, step, self.i.valid, ~step.any(), frame_ends)

    def _place_of(self, m: Module, step: Value) -> tuple[Value, Value]:
        parts = (self._parts - 1).bit_length()
        column = Signal(place_width(self._width), name="at_column")
        m.d.comb += column.eq(step[:parts] * self._pixels)
        return step[parts:], column

    def _rows(self, m: Module, held: Held) -> list[tuple[Any, Value]]:
        return [(held.now[0], Const(1))]
