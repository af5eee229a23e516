"""Input reduction: the first active pixels of an image, some rows in every clock."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data

from ...errors import BuildError
from ...network import InputReduce, TensorType
from .compact import Lane, append
from .payload import image_layout, layout_of, place_width
from .search import RowSearch, saturated
from .slots import chosen
from .steps import Held, Stalling, delayed

__all__ = ["FrameReduce", "RowReduce"]


class _Reduce(Stalling):
    """Input reduction in steps of some rows, the upper ones first."""

    def __init__(
        self, *, layer: InputReduce, source: TensorType, rows: int, taken: int, steps: int
    ):
        self._layer, self._source = layer, source
        takes = image_layout(source, rows=taken)
        self._out = layer.infer(source)
        self._height, self._width = source.shape[1:]
        self._per_step = rows
        self._search = RowSearch(layer=layer, source=source)
        self._merges = (rows - 1).bit_length()
        super().__init__(
            takes=takes,
            gives=layout_of(self._out),
            steps=steps,
            depth=1 + self._search.depth + self._merges,
        )

    def _compute(self, m: Module, held: Held) -> Value:
        keep, depth = self._layer.slots, self._depth
        found = [
            self._search.build(m, pixels, there, f"row{k}")
            for k, (pixels, there) in enumerate(self._rows(m, held))
        ]
        found = self._merged(m, found)
        lanes, count = found[0]
        first = delayed(m, held.go & held.free, "first", by=depth - 1)
        go = delayed(m, held.go, "go", by=depth - 1, reset=True)
        step = delayed(m, held.step, "step", by=depth - 1)
        at_row = Signal(place_width(self._height))
        if self._height > 1:
            m.d.comb += at_row.eq(step * self._per_step)
        lanes = [
            Lane(lane.used, self._on_frame(m, lane, at_row, k)) for k, lane in enumerate(lanes)
        ]

        size = len(lanes[0].data)
        kept = Signal(data.ArrayLayout(size, keep), reset_less=True)
        used = Signal(keep)
        total = Signal(keep.bit_length(), reset_less=True)
        before = Signal.like(total)
        m.d.comb += before.eq(Mux(first, 0, total))
        old = [Lane(used[k] & ~first, Mux(first, 0, kept[k])) for k in range(keep)]
        new = append(m, old, before, lanes, keep, "append")
        with m.If(go):
            m.d.sync += total.eq(saturated(m, before + count, keep, "total"))
            m.d.sync += used.eq(Cat(lane.used for lane in new))
            m.d.sync += [kept[k].eq(lane.data) for k, lane in enumerate(new)]
        features = size - place_width(self._height) - place_width(self._width)
        columns = features + place_width(self._width)
        return Cat(
            *(kept[k][:features] for k in range(keep)),
            *(kept[k][columns:] for k in range(keep)),
            *(kept[k][features:columns] for k in range(keep)),
            used,
        )

    def _rows(self, m: Module, held: Held) -> list[tuple[Any, Value]]:
        """The rows of a step, and whether they are there."""
        raise NotImplementedError

    def _merged(
        self, m: Module, found: list[tuple[list[Lane], Value]]
    ) -> list[tuple[list[Lane], Value]]:
        """The rows of a step one behind the other, in rounds of pairs, each with a register."""
        tag = (self._per_step - 1).bit_length()
        found = [
            ([Lane(lane.used, Cat(lane.data, Const(k, tag))) for lane in lanes], count)
            for k, (lanes, count) in enumerate(found)
        ]
        for number in range(self._merges):
            merged = []
            for pair in range(0, len(found), 2):
                name = f"merge{number}_{pair}"
                lanes, count = found[pair]
                if pair + 1 < len(found):
                    more, behind = found[pair + 1]
                    keep = min(self._layer.slots, len(lanes) + len(more))
                    lanes = append(m, lanes, count, more, keep, name)
                    count = saturated(m, count + behind, keep, name)
                lanes = [
                    Lane(
                        delayed(m, lane.used, f"{name}_u{k}"), delayed(m, lane.data, f"{name}_d{k}")
                    )
                    for k, lane in enumerate(lanes)
                ]
                merged.append((lanes, delayed(m, count, f"{name}_n")))
            found = merged
        return found

    def _on_frame(self, m: Module, lane: Lane, at_row: Value, k: int) -> Value:
        """Features, column and row, the row counted from the top of the frame."""
        tag = (self._per_step - 1).bit_length()
        row = Signal(place_width(self._height), name=f"row_of_lane{k}")
        size = len(lane.data) - tag
        m.d.comb += row.eq(at_row + lane.data[size:])
        return Cat(lane.data[:size], row)


class RowReduce(_Reduce):
    """Input reduction of an image that comes in rows, one in a clock.

    Payloads are the rows of a frame from the top, `image_layout(source, rows=1)[0]`; the first row
    after the last one of a frame begins the next frame.

    Parameters
    ----------
    layer : InputReduce
    source : TensorType
        An image (C, H, W).

    Members
    -------
    i : In(stream.Signature(image_layout(source, rows=1)))
    o : Out(stream.Signature(layout_of(layer.infer(source))))
    """

    def __init__(self, *, layer: InputReduce, source: TensorType):
        super().__init__(layer=layer, source=source, rows=1, taken=1, steps=1)

    @property
    def latency(self) -> int:
        """Clocks from the first row to the result, if every clock has a row."""
        return self._depth + self._height - 1

    @property
    def interval(self) -> int:
        """Clocks, and rows, from one frame to the next."""
        return self._height

    def _held(self, m: Module, free: Signal) -> Held:
        m.d.comb += free.eq(1)
        row, last = Signal(range(self._height)), Signal()
        m.d.comb += last.eq(row == self._height - 1)
        with m.If(self.i.valid):
            m.d.sync += row.eq(Mux(last, 0, row + 1))
        return Held(self.i.payload, self.i.payload, row, self.i.valid, last, row == 0)

    def _rows(self, m: Module, held: Held) -> list[tuple[Any, Value]]:
        return [(held.now[0], Const(1))]


class FrameReduce(_Reduce):
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
    def latency(self) -> int:
        """Clocks from the one in which the image is taken to the result."""
        return super().latency if self._latched else self._depth

    def _held(self, m: Module, free: Signal) -> Held:
        if self._latched:
            return super()._held(m, free)
        now, valid = self.i.payload, self.i.valid
        step, last = Signal(range(self._steps)), Signal()
        m.d.comb += [last.eq(step == self._steps - 1), free.eq(last)]
        with m.If(valid):
            m.d.sync += step.eq(Mux(last, 0, step + 1))
        return Held(now, now, step, valid, last, step == 0)

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
