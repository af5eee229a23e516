"""Input reduction of an image that comes whole."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Const, Module, Mux, Signal, Value

from ...errors import BuildError
from ...network import InputReduce, TensorType
from .payload import image_layout
from .reduce import ReduceSteps
from .slots import chosen
from .steps import Held

__all__ = ["FrameReduce"]


class FrameReduce(ReduceSteps):
    """Input reduction of an image that comes whole, in one clock.

    Parameters
    ----------
    layer : InputReduce
    source : TensorType
        An image (C, H, W).
    rows : int
        How many rows of the image are searched in a clock.
    latched : bool
        Whether the image is taken in one clock and kept here; or else it is taken in the last of
        the clocks in which it is searched, and its source keeps it until then.

    Members
    -------
    i : In(stream.Signature(image_layout(source, rows=H)))
    o : Out(stream.Signature(layout_of(layer.infer(source))))

    Raises
    ------
    BuildError
        If there are not so many rows.
    """

    def __init__(self, *, layer: InputReduce, source: TensorType, rows: int, latched: bool = True):
        image_layout(source, rows=1)
        height = source.shape[1]
        if not 1 <= rows <= height:
            raise BuildError(f"{rows} rows a clock, expected 1 to {height}, the rows of a frame")
        super().__init__(
            layer=layer, source=source, rows=rows, taken=height, steps=-(-height // rows)
        )
        self._latched = latched

    @property
    def waits(self) -> int:
        """Clocks for which an image is offered before it is taken; they count for the latency."""
        return 0 if self._latched else self._steps - 1

    def _held(self, m: Module, free: Signal) -> Held:
        if self._latched:
            return super()._held(m, free)
        valid = self.i.valid
        step, last = Signal(range(self._steps)), Signal()
        m.d.comb += [last.eq(step == self._steps - 1), free.eq(last)]
        with m.If(valid):
            m.d.sync += step.eq(Mux(last, 0, step + 1))
        return Held(self.i.payload, None, step, valid, step == 0, last)

    def _rows(self, m: Module, held: Held) -> list[tuple[Any, Value]]:
        rows, steps = self._per_step, self._steps
        layout = held.now[0].shape()
        out = []
        for k in range(rows):
            of_steps = range(k, self._height, rows)
            row = Signal(layout, name=f"row{k}_now")
            m.d.comb += Value.cast(row).eq(
                chosen(held.step, [Value.cast(held.at(n)[y]) for n, y in enumerate(of_steps)])
            )
            there = Const(1) if len(of_steps) == steps else ~held.last
            out.append((row, there))
        return out
