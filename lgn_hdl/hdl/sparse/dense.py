"""Dense layers, on a vector and on the places of a frame that are used."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Signal, Value

from ...errors import BuildError
from ...network import Dense, SparseFlatten, SparsePool2d, TensorType
from .accumulate import Accumulate, Lane
from .slots import chosen
from .steps import Held, delayed

__all__ = ["DenseLayer", "FlattenDense"]


class FlattenDense(Accumulate):
    """`SparseFlatten` and the dense layer behind it: the weights of the places that are used.

    An average pooling in front of them costs nothing: slots of one cell take the same weights.

    Parameters
    ----------
    layer : Dense
        On the vector of the whole frame.
    source : TensorType
        A sparse tensor.
    parallel : int
        Slots in a clock, 1 to all of them.
    pool : SparsePool2d, optional
        An average between `source` and the frame that is flattened.

    Members
    -------
    i : In(stream.Signature(layout_of(source)))
    o : Out(stream.Signature(layout_of(layer.infer(vector))), the vector being the flat frame

    Raises
    ------
    BuildError
        If `parallel` is out of range, or the pooling is not an average.
    """

    def __init__(
        self,
        *,
        layer: Dense,
        source: TensorType,
        parallel: int,
        pool: SparsePool2d | None = None,
    ):
        if pool is not None and pool.kind != "average":
            raise BuildError(f"only an average can be part of a dense layer, found {pool.kind!r}")
        slots, channels = source.shape if source.masked else (1, 1)
        pooled = pool.infer(source) if pool else source
        self._window = pool.window if pool else (1, 1)
        self._cells = pooled.frame
        super().__init__(
            layer=layer,
            source=source,
            vector=SparseFlatten().infer(pooled),
            channels=channels,
            items=slots,
            parallel=parallel,
        )

    def _lanes(self, m: Module, held: Held) -> list[Lane]:
        lanes = []
        for p in range(self._parallel):
            slots = []
            for step, k in enumerate(range(p, self._items, self._parallel)):
                sample = held.at(step)
                slots.append(Cat(Value.cast(sample.features[k]), sample.column[k], sample.row[k]))
            # What is beyond the last slot adds nothing; nor does an unused slot, which holds zero.
            slots += [Const(0, len(slots[0]))] * (self._steps - len(slots))
            slot = Signal(len(slots[0]), name=f"slot{p}")
            m.d.comb += slot.eq(chosen(held.step, slots))
            numbers = []
            for c in range(self._channels):
                at = c * self._number.width
                bits = slot[at : at + self._number.width]
                x = delayed(m, bits, f"slot{p}_{c}_r")
                numbers.append(x.as_signed() if self._number.signed else x)
            place = slot[self._channels * self._number.width :]
            index, rows = self._row(m, place, len(held.now.column[0]), p)
            lanes.append(Lane(numbers, delayed(m, index, f"slot{p}_row"), rows))
        return lanes

    def _row(self, m: Module, place: Value, columns: int, p: int) -> tuple[Value, list[int]]:
        """An index of the weights from a place on the frame; -1 stands for no weights."""
        axes = []
        for k, at in enumerate((place[columns:], place[:columns])):
            extent, window, cells = self._source.frame[k], self._window[k], self._cells[k]
            # Beyond the last whole cell there is one code more.
            codes = [min(n // window, cells) for n in range(extent)]
            bits = max(1, max(codes).bit_length())
            name = f"slot{p}_{'column' if k else 'row'}"
            # Without a window a place is its own code, and any beyond the frame is not used.
            axes.append(self._shared.table(m, at, codes, bits, name) if window > 1 else at)
        place = Cat(axes[1], axes[0])
        height, width = self._cells
        rows = [-1] * (1 << len(place))
        for row in range(height):
            for column in range(width):
                rows[row << len(axes[1]) | column] = row * width + column
        # One number for all places without weights.
        bits = (height * width).bit_length()
        if bits >= len(place):
            return place, rows
        numbers = [row % (height * width + 1) for row in rows]
        return self._shared.table(m, place, numbers, bits, f"slot{p}_number"), [
            *range(height * width),
            -1,
        ]


class DenseLayer(Accumulate):
    """A dense layer on a vector, some of its inputs in a clock.

    Parameters
    ----------
    layer : Dense
    source : TensorType
        A vector.
    parallel : int
        Inputs in a clock, 1 to all of them.

    Members
    -------
    i : In(stream.Signature(layout_of(source)))
    o : Out(stream.Signature(layout_of(layer.infer(source))))

    Raises
    ------
    BuildError
        If `parallel` is out of range.
    """

    def __init__(self, *, layer: Dense, source: TensorType, parallel: int):
        super().__init__(
            layer=layer,
            source=source,
            vector=source,
            channels=1,
            items=source.shape[0],
            parallel=parallel,
            once=True,
            constant=parallel == source.shape[0],
        )

    def _lanes(self, m: Module, held: Held) -> list[Lane]:
        lanes = []
        step = delayed(m, held.step, "step_r") if self._steps > 1 else Const(0)
        for p in range(self._parallel):
            rows = list(range(p, self._items, self._parallel))
            rows += [-1] * (self._steps - len(rows))
            of_steps = chosen(held.step, [held.at(n)[k] for n, k in enumerate(rows) if k >= 0])
            x = Signal.like(held.now[0], name=f"number{p}")
            m.d.comb += x.eq(of_steps)
            lanes.append(Lane([delayed(m, x, f"number{p}_r", by=self._early)], step, rows))
        return lanes
