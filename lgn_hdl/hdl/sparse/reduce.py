"""Input reduction: the first active pixels of an image, some of its pixels in every clock."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data

from ...network import InputReduce, TensorType
from .compact import Lane, append
from .payload import fixed_format, image_layout, layout_of, place_width
from .search import RowSearch, saturated
from .steps import Held, Stalling, delayed

__all__ = ["ReduceSteps"]


class ReduceSteps(Stalling):
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
        first = delayed(m, held.go & held.first, "first", by=depth - 1)
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
