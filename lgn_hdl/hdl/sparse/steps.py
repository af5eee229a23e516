"""Components that take a sample in a constant number of steps, and stand still while they wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Const, EnableInserter, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .shared import Share, Shared

__all__ = ["Held", "Stalling", "delayed"]


@dataclass(frozen=True)
class Held:
    """The sample that is worked on.

    Parameters
    ----------
    now : view of the payload
        The sample in its first step, in which it is taken.
    kept : view of the payload, optional
        The sample in all later ones, and one clock longer; None if there is only one step, or if
        the sample stays where it is.
    step : Value
        Which one it is, zero for the first.
    go : Value
        Whether there is a sample.
    first, last : Value
        Whether this is the first or the last step, should there be a sample.
    """

    now: Any
    kept: Any
    step: Value
    go: Value
    first: Value
    last: Value

    def at(self, step: int) -> Any:
        """The sample as it is found in one of its steps."""
        return self.now if step == 0 or self.kept is None else self.kept

    def whole(self, m: Module) -> Any:
        """The sample in every step."""
        if self.kept is None:
            return self.now
        sample = Signal(self.now.shape(), name="sample")
        m.d.comb += Value.cast(sample).eq(
            Mux(self.first, Value.cast(self.now), Value.cast(self.kept))
        )
        return sample

    def later(self, m: Module, part: Callable[[Any], Value], name: str, *, by: int) -> Value:
        """A part of the sample, `by` clocks behind every step."""
        if self.kept is None:
            return delayed(m, part(self.now), name, by=by)
        return delayed(m, part(self.kept), name, by=by - 1)  # one register there is


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
        Clocks from one sample to the next: the first is that in which it is taken.
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
        return self._depth + self._steps - 1

    @property
    def interval(self) -> int:
        """Clocks from one sample to the next."""
        return self._steps

    def elaborate(self, platform: object) -> Any:
        m = Module()
        advance, free = Signal(), Signal()
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
        now = self.i.payload
        if self._steps == 1:
            m.d.comb += free.eq(1)
            return Held(now, None, Const(0), self.i.valid, Const(1), Const(1))
        kept = Signal(now.shape(), name="kept", reset_less=True)
        step, go, last = Signal(range(self._steps)), Signal(), Signal()
        m.d.comb += [
            free.eq(step == 0),
            go.eq(self.i.valid | ~free),
            last.eq(step == self._steps - 1),
        ]
        with m.If(free):
            m.d.sync += kept.eq(now)
        with m.If(go):
            m.d.sync += step.eq(Mux(last, 0, step + 1))
        return Held(now, kept, step, go, free, last)
