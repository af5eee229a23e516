"""The active pixels of one row, moved together."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value

from ...network import InputReduce, TensorType
from .compact import (
    GROUP,
    Lane,
    compact,
    count_before,
    group_counts,
    local_counts,
    scan_levels,
)
from .constants import above
from .payload import fixed_format, place_width
from .steps import delayed

__all__ = ["RowSearch", "saturated"]

#: Levels of the prefix sum in its first stage and in each later one: sums get wider.
FIRST_LEVELS, MORE_LEVELS = 3, 2


class RowSearch:
    """Comparison, prefix sum and shift network, with registers between them.

    Parameters
    ----------
    layer : InputReduce
    source : TensorType
        An image (C, H, W).
    """

    def __init__(self, *, layer: InputReduce, source: TensorType):
        self._layer = layer
        self._number = fixed_format(source)
        self._width = source.shape[2]
        levels = scan_levels(self._width) + 1  # the last addition is within the groups
        self._cuts = [range(min(FIRST_LEVELS, levels))]
        self._cuts += [
            range(at, min(at + MORE_LEVELS, levels))
            for at in range(FIRST_LEVELS, levels, MORE_LEVELS)
        ]
        #: Registers from a row to its lanes.
        self.depth = 2 + len(self._cuts)

    def build(self, m: Module, pixels: Any, there: Value, name: str) -> tuple[list[Lane], Value]:
        """The active pixels of a row side by side, and how many of them are of use.

        Parameters
        ----------
        m : Module
        pixels : view of a row
        there : Value
            Or else no pixel is active.
        name : str
            Prefix of signals.

        Returns
        -------
        list of Lane, Value
            Features and column of each pixel, and their number, behind `depth` registers.
        """
        limit = self._number.floor_int(self._layer.threshold)
        active = Signal(self._width, name=f"{name}_active")
        m.d.comb += active.eq(
            Cat(
                above(Value.cast(pixels[x][0]), self._number, limit) & there
                for x in range(self._width)
            )
        )
        active = delayed(m, active, f"{name}_active_r")
        values = delayed(m, Value.cast(pixels), f"{name}_pixels", by=1 + len(self._cuts))
        inactive = Signal(self._width, name=f"{name}_inactive")
        m.d.comb += inactive.eq(~active)
        sums = group_counts(m, inactive, name)
        for number, levels in enumerate(self._cuts):
            scan = range(levels.start, min(levels.stop, scan_levels(self._width)))
            sums = count_before(m, sums, scan, f"{name}_sum")
            if number == len(self._cuts) - 1:
                break
            sums = [delayed(m, s, f"{name}_sum{number}_{g}") for g, s in enumerate(sums)]
            active = delayed(m, active, f"{name}_active{number}")
            inactive = ~active
        bits = Signal(self._width, name=f"{name}_bits")
        m.d.comb += bits.eq(inactive)
        local = local_counts(m, bits, name)
        size = (self._width - 1).bit_length()
        moves = []
        for x, within in enumerate(local):
            group = x // GROUP
            move = Signal(size, name=f"{name}_move{x}", reset_less=True)
            m.d.sync += move.eq(within + sums[group - 1] if group else within)
            moves.append(move)
        total = delayed(m, sums[-1], f"{name}_total")
        active = delayed(m, active, f"{name}_active_m")

        pixel = len(values) // self._width
        lanes = [Lane(active[x], values[x * pixel : (x + 1) * pixel]) for x in range(self._width)]
        keep = min(self._layer.slots, self._width)
        found = compact(m, lanes, moves, keep, name)
        out = []
        for at, lane in enumerate(found):
            lane = Lane(
                delayed(m, lane.used, f"{name}_used{at}"),
                delayed(m, lane.data, f"{name}_lane{at}"),
            )
            column = Signal(place_width(self._width), name=f"{name}_column{at}")
            m.d.comb += column.eq(lane.data[pixel:] + at)
            out.append(Lane(lane.used, Cat(lane.data[:pixel], column)))
        count = saturated(m, (self._width - total)[: self._width.bit_length()], keep, name)
        return out, delayed(m, count, f"{name}_n")


def saturated(m: Module, value: Value, largest: int, name: str) -> Signal:
    """The value, or the largest possible one."""
    wide = Signal(value.shape(), name=f"{name}_wide")
    out = Signal(largest.bit_length(), name=f"{name}_saturated")
    m.d.comb += [wide.eq(value), out.eq(Mux(wide > largest, largest, wide))]
    return out
