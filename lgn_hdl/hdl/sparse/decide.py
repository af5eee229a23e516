"""The end of a sparse CNN: which number is the largest, or whether one is above a threshold."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value
from amaranth.lib import data

from ...errors import BuildError
from ...network import ArgMax, Layer, TensorType, Thermometer
from ..argmax import class_shape
from .constants import above
from .payload import fixed_format, layout_of, number_shape
from .steps import Held, Stalling, delayed

__all__ = ["Decide", "decision_layout"]


def decision_layout(layer: Layer | None, source: TensorType) -> data.StructLayout:
    """Fields of a result: `class`, `scores` (a number of `source` each, class 0 lowest), and
    `bits`, the comparisons of a thermometer; as far as they exist.

    Raises
    ------
    BuildError
        If the layer is none that ends a sparse CNN.
    """
    fields: dict[str, Shape | data.Layout] = {}
    if isinstance(layer, ArgMax):
        fields["class"] = class_shape(source.size)
    fields["scores"] = data.ArrayLayout(number_shape(fixed_format(source)), source.size)
    if isinstance(layer, Thermometer):
        fields["bits"] = Shape(layer.infer(source).size)
    elif layer is not None and not isinstance(layer, ArgMax):
        raise BuildError(f"a sparse network ends in {type(layer).__name__}, expected an argmax")
    return data.StructLayout(fields)


class Decide(Stalling):
    """Numbers go through, and what is found out about them beside them.

    The largest of them by rounds in which neighbours meet, a register behind each; the right one
    wins only if it is larger, so that ties go to the lowest index.

    Parameters
    ----------
    layer : ArgMax or Thermometer
    source : TensorType
        A vector.

    Members
    -------
    i : In(stream.Signature(layout_of(source)))
    o : Out(stream.Signature(decision_layout(layer, source)))
    """

    def __init__(self, *, layer: Layer, source: TensorType):
        self._layer, self._source = layer, source
        rounds = (source.size - 1).bit_length() if isinstance(layer, ArgMax) else 1
        super().__init__(
            takes=layout_of(source),
            gives=decision_layout(layer, source),
            steps=1,
            depth=max(1, rounds),
        )

    def _compute(self, m: Module, held: Held) -> Value:
        numbers = [held.now[k] for k in range(self._source.size)]
        scores = delayed(m, Value.cast(held.now), "scores", by=self._depth)
        if isinstance(self._layer, Thermometer):
            return Cat(scores, delayed(m, Cat(self._compared(m, numbers)), "bits"))
        return Cat(self._largest(m, numbers), scores)

    def _compared(self, m: Module, numbers: list[Value]) -> list[Value]:
        """The comparisons with the thresholds, those of an element side by side."""
        assert isinstance(self._layer, Thermometer)
        number = fixed_format(self._source)
        thresholds = self._layer.thresholds
        rows = [thresholds[min(k, len(thresholds) - 1)] for k in range(len(numbers))]
        return [
            above(x.as_unsigned(), number, number.floor_int(float(t)))
            for x, row in zip(numbers, rows, strict=True)
            for t in row
        ]

    def _largest(self, m: Module, numbers: list[Value]) -> Value:
        index = class_shape(self._source.size)
        field: list[tuple[Value, Value]] = [(x, Const(c, index)) for c, x in enumerate(numbers)]
        for k in range(self._depth):
            winners = []
            for pair in range(0, len(field) - 1, 2):
                (left, left_index), (right, right_index) = field[pair : pair + 2]
                wins = Signal(name=f"round{k}_right{pair // 2}")
                m.d.comb += wins.eq(right > left)
                winners.append((Mux(wins, right, left), Mux(wins, right_index, left_index)))
            winners += field[len(field) // 2 * 2 :]
            field = [self._registered(m, pair, f"round{k}_{n}") for n, pair in enumerate(winners)]
        return field[0][1]

    @staticmethod
    def _registered(m: Module, pair: tuple[Value, Value], name: str) -> tuple[Value, Value]:
        x, index = pair
        kept = Signal(x.shape(), name=f"{name}_number", reset_less=True)
        m.d.sync += kept.eq(x)
        return kept, delayed(m, index, f"{name}_index")
