"""Components that take a sample in a constant number of steps, and stand still while they wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Const, EnableInserter, Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .shared import Share, Shared

__all__ = ["Held", "Stalling", "delayed"]


@dataclass(frozen=True)
class Held:
    """The sample that is worked on.

    Parameters
    ----------
    sample : view of the payload
    step : Value
        Counts from zero.
    go : Value
        Whether there is a sample.
    last : Value
        Whether this is its last step.
    free : Value
        Whether the next sample is taken, if there is one.
    """

    sample: Any
    step: Value
    go: Value
    last: Value
    free: Value


def delayed(m: Module, value: Any, name: str, *, by: int = 1, reset: bool = False) -> Any:
    """A value behind registers; those of data need no reset."""
    for k in range(by):
        bare = value.as_value() if isinstance(value, data.View) else value
        after = Signal(bare.shape(), name=f"{name}_{k}" if by > 1 else name, reset_less=not reset)
        m.d.sync += after.eq(bare)
        value = after
    return value


class Stalling(wiring.Component):
    """A component with one enable for all its registers: nothing moves while a result waits.

    A sample is taken when `i.valid` and `i.ready` are high. If results are always taken at once,
    its result appears `latency` clocks later, and the next sample is taken after `interval`.

    Parameters
    ----------
    takes, gives : data.Layout
        Payloads.
    steps : int
        Clocks for which a sample is held.
    depth : int
        Clocks from the last step to the result.

    Members
    -------
    i : In(stream.Signature(takes))
    o : Out(stream.Signature(gives))
    """

    i: Any
    o: Any

    def __init__(self, *, takes: data.Layout, gives: data.Layout, steps: int, depth: int):
        self._steps, self._depth = steps, depth
        self._shared = Shared()
        super().__init__({"i": In(stream.Signature(takes)), "o": Out(stream.Signature(gives))})

    def with_shared(self, share: Share) -> Any:
        """This component, its tables and products made by `share`."""
        self._shared = Shared(share)
        return self

    @property
    def latency(self) -> int:
        """Clocks from a sample to its result."""
        return self._depth + (self._steps if self._steps > 1 else 0)

    @property
    def interval(self) -> int:
        """Clocks from one sample to the next."""
        return self._steps

    def elaborate(self, platform: object) -> Any:
        m = Module()
        advance, free = Signal(), Signal(init=1)
        m.d.comb += [
            advance.eq(self.o.ready | ~self.o.valid),
            self.i.ready.eq(advance & free),
        ]
        held = self._held(m, free)
        result = self._compute(m, held)
        m.d.comb += Value.cast(self.o.payload).eq(result)
        m.d.comb += self.o.valid.eq(
            delayed(m, held.go & held.last, "there", by=self._depth, reset=True)
        )
        return EnableInserter(advance)(m)

    def _compute(self, m: Module, held: Held) -> Value:
        """The result, `depth` registers behind the last step."""
        raise NotImplementedError

    def _held(self, m: Module, free: Signal) -> Held:
        if self._steps == 1:
            m.d.comb += free.eq(1)
            return Held(self.i.payload, Const(0), self.i.valid, Const(1), free)
        layout = self.i.payload.shape()
        sample = Signal(layout, name="held", reset_less=True)
        step, busy, last = Signal(range(self._steps)), Signal(), Signal()
        m.d.comb += [last.eq(step == self._steps - 1), free.eq(~busy | last)]
        with m.If(free):
            m.d.sync += [busy.eq(self.i.valid), step.eq(0)]
            m.d.sync += sample.eq(self.i.payload)
        with m.Else():
            m.d.sync += step.eq(step + 1)
        return Held(sample, step, busy, last, free)
