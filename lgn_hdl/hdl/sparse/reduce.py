"""Input reduction: the first active pixels of an image, some rows in every clock."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data

from ...errors import BuildError
from ...network import InputReduce, TensorType
from .compact import Lane, append
from .payload import fixed_format, image_layout, layout_of, place_width
from .search import RowSearch, saturated
from .slots import chosen
from .steps import Held, Stalling, delayed

__all__ = ["FrameReduce", "RowReduce"]


class _Reduce(Stalling):
    """Input reduction in steps of some rows, the upper ones first, or of some pixels of a row."""

    def __init__(
        self,
        *,
        layer: InputReduce,
        source: TensorType,
        rows: int,
        taken: int,
        steps: int,
        pixels: int | None = None,
    ):
        self._layer, self._source = layer, source
        takes = image_layout(source, rows=taken, columns=pixels)
        self._out = layer.infer(source)
        channels, self._height, self._width = source.shape
        self._per_step, self._pixels = rows, pixels or self._width
        row = replace(source, shape=(channels, self._height, self._pixels))
        self._search = RowSearch(layer=layer, source=row)
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
        place = self._place_of(m, step)
        lanes = [Lane(lane.used, self._on_frame(m, lane, place, k)) for k, lane in enumerate(lanes)]

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

    def _place_of(self, m: Module, step: Value) -> tuple[Value, Value]:
        """Row and column of the first pixel of a step."""
        row = Signal(place_width(self._height), name="at_row")
        if self._height > 1:
            m.d.comb += row.eq(step * self._per_step)
        return row, Const(0)

    def _on_frame(self, m: Module, lane: Lane, place: tuple[Value, Value], k: int) -> Value:
        """Features, column and row, both counted from the corner of the frame."""
        at_row, at_column = place
        row = Signal(place_width(self._height), name=f"row_of_lane{k}")
        column = Signal(place_width(self._width), name=f"column_of_lane{k}")
        size = self._source.shape[0] * fixed_format(self._source).width
        end = size + place_width(self._pixels)
        m.d.comb += [
            row.eq(at_row + lane.data[end:]),
            column.eq(at_column + lane.data[size:end]),
        ]
        return Cat(lane.data[:size], column, row)


class RowReduce(_Reduce):
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
        return Held(self.i.payload, self.i.payload, step, self.i.valid, frame_ends, ~step.any())

    def _place_of(self, m: Module, step: Value) -> tuple[Value, Value]:
        parts = (self._parts - 1).bit_length()
        column = Signal(place_width(self._width), name="at_column")
        m.d.comb += column.eq(step[:parts] * self._pixels)
        return step[parts:], column

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
