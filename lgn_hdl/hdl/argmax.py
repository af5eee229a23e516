"""The class with the largest score: rounds of comparisons; ties go to the lowest index."""

from __future__ import annotations

from amaranth.hdl import Const, Module, Mux, Shape, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..logic.schedule import Pipeline
from .groupsum import score_shape

__all__ = ["ArgMax", "class_shape"]


def class_shape(classes: int) -> Shape:
    """Unsigned, wide enough for the last class index; at least one bit."""
    return Shape(max(1, (classes - 1).bit_length()))


class ArgMax(wiring.Component):
    """Knock-out tree over the scores.

    In every round neighbours meet and the right one wins only if its score is larger, so that the
    lowest index wins a tie.

    Parameters
    ----------
    pipeline : Pipeline

    Members
    -------
    i : In(ArrayLayout(score, classes))
    o : Out(class)
        Index of the winner, `latency` registers later.
    """

    i: data.View
    o: Signal

    def __init__(self, *, pipeline: Pipeline):
        self._pipeline = pipeline
        self._classes = len(pipeline.sums)
        self.latency = pipeline.last_stage - pipeline.scores_stage
        layout = data.ArrayLayout(score_shape(pipeline), self._classes)
        super().__init__({"i": In(layout), "o": Out(class_shape(self._classes))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shape, index_shape = score_shape(self._pipeline), class_shape(self._classes)
        field: list[tuple[Value, Value]] = [
            (Value.cast(self.i[c]), Const(c, index_shape)) for c in range(self._classes)
        ]
        now = self._pipeline.scores_stage
        for number, stage in enumerate(self._pipeline.argmax_stage):
            for end in range(now, stage):
                field = [
                    self._registered(m, pair, f"stage{end}_{k}") for k, pair in enumerate(field)
                ]
            now = stage
            winners = []
            for k in range(0, len(field) - 1, 2):
                (left, left_index), (right, right_index) = field[k], field[k + 1]
                score = Signal(shape, name=f"round{number}_score{k // 2}")
                index = Signal(index_shape, name=f"round{number}_index{k // 2}")
                right_wins = Signal(name=f"round{number}_right{k // 2}")
                m.d.comb += right_wins.eq(right > left)
                m.d.comb += score.eq(Mux(right_wins, right, left))
                m.d.comb += index.eq(Mux(right_wins, right_index, left_index))
                winners.append((score, index))
            field = winners + field[len(field) // 2 * 2 :]
        m.d.comb += self.o.eq(field[0][1])
        return m

    @staticmethod
    def _registered(m: Module, pair: tuple[Value, Value], name: str) -> tuple[Value, Value]:
        score, index = pair
        score_register = Signal(score.shape(), name=f"{name}_score", reset_less=True)
        m.d.sync += score_register.eq(score)
        if isinstance(index, Const):
            return score_register, index
        index_register = Signal(index.shape(), name=f"{name}_index", reset_less=True)
        m.d.sync += index_register.eq(index)
        return score_register, index_register
