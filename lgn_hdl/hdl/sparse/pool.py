"""Sparse pooling: slots of one cell merged into the first of them."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Mux, Signal, Value

from ...network import SparsePool2d, TensorType
from .payload import fixed_format, number_shape, place_width
from .products import TREE_LEVELS, added, tree, tree_registers
from .slots import Place, SlotSteps
from .steps import Held, delayed

__all__ = ["Pool"]


class Pool(SlotSteps):
    """A sparse pooling layer.

    Parameters
    ----------
    layer : SparsePool2d
    source : TensorType
        A sparse tensor.
    parallel : int
        Slots of the result in a clock, 1 to all of them.

    Members
    -------
    i : In(stream.Signature(layout_of(source)))
    o : Out(stream.Signature(layout_of(layer.infer(source))))

    Raises
    ------
    BuildError
        If `parallel` is out of range.
    """

    def __init__(self, *, layer: SparsePool2d, source: TensorType, parallel: int):
        self._layer, self._frame = layer, source.frame
        # A comparison and a choice are as deep as two additions, and two wide ones are enough.
        self._levels = 2 if layer.kind == "max" else TREE_LEVELS
        terms = source.shape[0] if source.masked else 1
        super().__init__(
            layer=layer,
            source=source,
            parallel=parallel,
            depth=1 + tree_registers(terms, self._levels),
        )

    def _slots_of_step(
        self, m: Module, held: Held, places: Sequence[Place], own: Sequence[Place]
    ) -> list[Value]:
        slots, parallel = self._slots, self._parallel
        cells = [self._cell(m, place, f"cell{j}") for j, place in enumerate(places)]
        numbers = [
            [
                held.later(m, lambda s, j=j, c=c: s.features[j][c], f"x{j}_{c}", by=1)
                for c in range(self._channels)
            ]
            for j in range(slots)
        ]
        found = []
        for p, place in enumerate(own):
            mine = cells[p] if self._steps == 1 else self._cell(m, place, f"own_cell{p}")
            masks = [(1 << min(step * parallel + p, slots)) - 1 for step in range(self._steps)]
            earlier = self._shared.table(m, held.step, masks, slots, f"earlier{p}")
            same = Signal(slots, name=f"same{p}")
            m.d.comb += same.eq(
                Cat(
                    mine.used & cell.used & (mine.row == cell.row) & (mine.column == cell.column)
                    for cell in cells
                )
            )
            first = mine.used & ~(same & earlier).any()
            rest = delayed(m, Cat(mine.column, mine.row, first), f"own{p}_rest", by=self._within)
            # Where there are earlier ones, this slot is not the first and holds nothing.
            since = p if self._steps == 1 else 0
            same = delayed(m, same, f"same{p}_r")
            found.append(Cat(*self._merged(m, numbers, same, rest[-1], since, p), rest))
        return found

    def _merged(
        self,
        m: Module,
        numbers: Sequence[Sequence[Value]],
        same: Value,
        first: Value,
        since: int,
        p: int,
    ) -> list[Value]:
        shape = number_shape(fixed_format(self._out))
        features = []
        for c in range(self._channels):
            name = f"slot{p}_{c}"
            each: list[Value] = []
            for j in range(self._slots):
                x = numbers[j][c]
                part = Signal(len(x), name=f"{name}_{j}")
                if j >= since:
                    m.d.comb += part.eq(x & same[j].replicate(len(x)))
                each.append(part.as_signed() if shape.signed else part)
            combine = self._largest if self._layer.kind == "max" else added
            merged = tree(m, each, combine, name, levels=self._levels, width=shape.width)
            out = Signal(shape.width, name=f"{name}_out")
            m.d.comb += out.eq(Mux(first, merged, 0))
            features.append(out)
        return features

    @staticmethod
    def _largest(a: Value, b: Value) -> Value:
        return Mux(a < b, b, a)

    def _cell(self, m: Module, place: Place, name: str) -> Place:
        """The cell of a place, by tables; not used where the frame does not fill it."""
        inside = place.used
        parts = []
        axes = zip((place.row, place.column), self._frame, self._layer.window, strict=True)
        for k, (at, extent, window) in enumerate(axes):
            whole = extent // window
            width = place_width(whole)
            words = [
                n // window | (1 << width) if n // window < whole else 0 for n in range(extent)
            ]
            word = self._shared.table(m, at, words, width + 1, f"{name}_{'column' if k else 'row'}")
            inside = inside & word[-1]
            parts.append(word[:-1])
        used = Signal(name=f"{name}_used")
        m.d.comb += used.eq(inside)
        return Place(parts[0], parts[1], used)
