"""A front end and a classifier behind two streams."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Const, EnableInserter, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In

from ..classifier import Place
from ..wide import port_names
from .plan import FIRST, FrontPlan

__all__ = ["FEATURE_WIRE", "Fronted"]

#: Wire of the top module that carries the features.
FEATURE_WIRE = "features"


class Fronted(wiring.Component):
    """A front end that feeds a classifier.

    With slices, a sample is taken in several steps; the first is marked by `first` in the payload,
    and the inputs that are not sliced are taken with it. An incomplete sample is forgotten when
    the next one begins; slices that no feature reads are passed over.

    Parameters
    ----------
    plan : FrontPlan
    classifier : Component
        Takes the features; has streams `i` and `o`.
    pipelined : bool
        Whether the classifier takes a sample in every clock in which it is not held up. Then front
        end and classifier stand still together, as one pipeline. Otherwise the front end goes on
        until a sample waits at its end.

    Members
    -------
    i : In(stream.Signature(plan.layout))
    o : Out(stream.Signature(payload of the classifier))
    """

    i: Any
    o: Any

    def __init__(self, *, plan: FrontPlan, classifier: Any, pipelined: bool):
        self._plan, self._classifier, self._pipelined = plan, classifier, pipelined
        self._place: Place = _submodule
        self.latency = plan.latency + classifier.latency
        super().__init__(
            {
                "i": In(stream.Signature(plan.layout)),
                "o": classifier.signature.members["o"],
            }
        )

    def with_blocks(self, place: Place) -> Fronted:
        """This design, its blocks put into the hierarchy by `place`."""
        self._place = place
        if hasattr(self._classifier, "with_blocks"):
            self._classifier = self._classifier.with_blocks(place)
        return self

    def elaborate(self, platform: object) -> Module:
        plan, classifier, place = self._plan, self._classifier, self._place
        # The blocks of the classifier stand beside the front end: this is its module, continued.
        m = classifier.elaborate(platform)
        classifier._MustUse__used = True  # or Amaranth would warn of a component left out
        advance = Signal()
        payload = Value.cast(self.i.payload)
        sums = plan.sums()
        place(m, "front", sums, advance)
        low = 0
        for name, width in port_names("i", plan.bits):
            m.d.comb += Value.cast(getattr(sums, name)).eq(payload[low : low + width])
            low += width
        valid = _travelling(m, self.i.valid, sums.latency, advance, "valid")
        found: Any = Value.cast(sums.o)
        if plan.sliced is not None:
            collector = plan.collector()
            place(m, "collector", collector, Const(1))
            first = getattr(self.i.payload, FIRST)
            m.d.comb += [
                collector.enable.eq(advance),
                collector.valid.eq(valid),
                collector.first.eq(
                    _travelling(m, first, sums.latency, advance, FIRST, reset_less=True)
                ),
                Value.cast(collector.i).eq(found),
            ]
            valid, found = collector.last, Value.cast(collector.o)
        features = Signal(len(found), name=FEATURE_WIRE)
        m.d.comb += features.eq(found)
        ready = classifier.i.ready
        m.d.comb += [
            Value.cast(classifier.i.payload).eq(features),
            classifier.i.valid.eq(valid),
            advance.eq(ready if self._pipelined or not plan.latency else ready | ~valid),
            self.i.ready.eq(advance),
            Value.cast(self.o.payload).eq(Value.cast(classifier.o.payload)),
            self.o.valid.eq(classifier.o.valid),
            classifier.o.ready.eq(self.o.ready),
        ]
        return m


def _submodule(m: Module, name: str, block: Any, enable: Value) -> None:
    """The block itself; the adder trees stand still with the front end."""
    m.submodules[name] = EnableInserter(enable)(block) if name == "front" else block


def _travelling(
    m: Module, bit: Value, steps: int, advance: Signal, name: str, *, reset_less: bool = False
) -> Value:
    """A bit that goes along with the adder trees."""
    if not steps:
        return bit
    stages = Signal(steps, name=f"front_{name}", reset_less=reset_less)
    with m.If(advance):
        m.d.sync += stages.eq(Cat(bit, stages[:-1]))
    return stages[-1]
