"""Layers that compute every slot from all slots, some of them in a clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data

from ...errors import BuildError
from ...network import Layer, TensorType
from .payload import layout_of
from .steps import Held, Stalling, delayed

__all__ = ["Place", "SlotSteps", "chosen"]


@dataclass(frozen=True)
class Place:
    """Where a slot is."""

    row: Value
    column: Value
    used: Value


class SlotSteps(Stalling):
    """A layer from sparse tensor to sparse tensor, `parallel` slots of the result in a clock.

    Parameters
    ----------
    layer : Layer
    source : TensorType
    parallel : int
        1 to the number of slots.
    depth : int
        Registers from a step of the sample to a slot of the result, its own not counted.

    Raises
    ------
    BuildError
        If `parallel` is out of range or the tensor has no payload.
    """

    def __init__(self, *, layer: Layer, source: TensorType, parallel: int, depth: int):
        takes = layout_of(source)
        self._out = layer.infer(source)
        self._slots, self._channels = source.shape
        if not 1 <= parallel <= self._slots:
            raise BuildError(f"{parallel} slots a clock, expected 1 to {self._slots}, all of them")
        self._parallel = parallel
        self._within = depth
        super().__init__(
            takes=takes,
            gives=layout_of(self._out),
            steps=-(-self._slots // parallel),
            depth=depth + 1,
        )

    def _compute(self, m: Module, held: Held) -> Value:
        places = self._places(held.whole(m))
        own = places
        if self._steps > 1:
            own = [self._own(m, held, p) for p in range(self._parallel)]
        found = self._slots_of_step(m, held, places, own)
        # The results of the steps come in from above; after the last one the first is lowest.
        size = len(found[0])
        shape = data.ArrayLayout(size, self._parallel * self._steps)
        results = Signal(shape, name="results", reset_less=True)
        bits = results.as_value()
        m.d.sync += bits.eq(Cat(bits[self._parallel * size :], *found))
        features = self._out.shape[1] * len(Value.cast(self.o.payload.features[0][0]))
        columns = features + len(self.o.payload.column[0])
        slots = [results[k] for k in range(self._slots)]
        return Cat(
            *(slot[:features] for slot in slots),
            *(slot[columns:-1] for slot in slots),
            *(slot[features:columns] for slot in slots),
            *(slot[-1] for slot in slots),
        )

    def _places(self, sample: Any) -> list[Place]:
        return [Place(sample.row[k], sample.column[k], sample.valid[k]) for k in range(self._slots)]

    def _own(self, m: Module, held: Held, p: int) -> Place:
        """Place of slot `p` of a step; in all but the first from a register, chosen one before."""
        of_steps = []
        for step, k in enumerate(range(p, self._slots, self._parallel)):
            # In step n the place of step n + 1 is chosen.
            slot = self._places(held.at(max(0, step - 1)))[k]
            of_steps.append(Cat(slot.used, slot.column, slot.row))
        following = Signal(len(of_steps[0]), name=f"own{p}_next", reset_less=True)
        place = Signal.like(following, name=f"own{p}")
        # What follows the last step is not looked at, nor is what is beyond the last slot.
        m.d.sync += following.eq(chosen(held.step, of_steps[1:] or of_steps))
        m.d.comb += place.eq(Mux(held.first, of_steps[0], following))
        columns = len(held.now.column[0]) + 1
        return Place(place[columns:], place[1:columns], place[0])

    def _slots_of_step(
        self, m: Module, held: Held, places: Sequence[Place], own: Sequence[Place]
    ) -> list[Value]:
        """Features, column, row and valid bit of the slots `own`, `within` registers later."""
        raise NotImplementedError


def chosen(which: Value, values: Sequence[Value]) -> Value:
    """One of the values by a tree of multiplexers; beyond their number any of them."""
    for bit in which:
        if len(values) == 1:
            break
        values = [
            Mux(bit, values[k + 1], values[k]) if k + 1 < len(values) else values[k]
            for k in range(0, len(values), 2)
        ]
    return values[0]


def behind(m: Module, place: Place, name: str, *, by: int) -> Value:
    """Column, row and valid bit of a slot, behind registers."""
    return delayed(m, Cat(place.column, place.row, place.used), name, by=by)
