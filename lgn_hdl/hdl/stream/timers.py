"""The timers that say when elements come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Module, Mux, Signal, Value

from ...logic.stream import Control, Pulse

__all__ = ["TimerBank", "Timing"]


@dataclass(frozen=True)
class Timing:
    """What a timer says of its stream.

    Parameters
    ----------
    take : Signal
        The stream takes an element at the end of this clock.
    zero : Signal
        It is a zero.
    """

    take: Signal
    zero: Signal


class TimerBank:
    """The timers of a control, as logic in a module.

    After reset the first interval is that of a sample which nobody sent: it brings zeros into the
    delay lines, which have no reset, where samples have their padding.

    Parameters
    ----------
    m : Module
    control : Control
    offered : Value
        Whether a sample waits to be taken.
    advance : Signal
        Enable of all registers.

    Attributes
    ----------
    ready : Signal
        Whether a sample could be taken now, if the hardware does not stand still.
    begin : Signal
        The first timer starts: a sample is taken.
    streams : dict of int to Timing
    turns : dict of int to list of Signal
        For a layer that computes elements in parts: the second part is computed in this clock, the
        third, ...
    complete : Signal
        The last stream holds all elements of a sample.
    """

    def __init__(self, m: Module, control: Control, offered: Value, advance: Signal):
        self._m, self._control, self._advance = m, control, advance
        self._counts: list[tuple[Signal, Signal]] = []
        self.streams: dict[int, Timing] = {}
        self.turns: dict[int, list[Signal]] = {}
        self.ready = Signal(name="takes_samples")
        self.begin = Signal(name="begin")
        self.complete = Signal(name="complete")
        primed, real = Signal(name="primed"), Signal(name="nothing")
        for number, timer in enumerate(control.timers):
            if timer.started is None:
                start: Value = ~primed | (offered & self.ready)
                m.d.comb += self.begin.eq(start)
                sent: Value = primed
            else:
                start, sent = self.pulse(timer.started), real
            real = self._timer(number, start, sent)
            if timer.stream is not None:
                take = self._marked(number, start, timer.takes, f"take{number}")
                zero = self._marked(number, start, timer.zeros, f"zero{number}")
                self.streams[timer.stream] = Timing(take, zero)
            if timer.layer is not None:
                self.turns[timer.layer] = [
                    self._marked(number, start, turn, f"part{part}_of{timer.layer}")
                    for part, turn in enumerate(timer.turns, start=1)
                ]
        count, running = self._counts[0]
        last = control.interval - 1
        m.d.comb += self.ready.eq(primed & (~running | (count == last)))
        with m.If(advance):
            m.d.sync += [primed.eq(1), self.complete.eq(self.pulse(control.done) & real)]

    def pulse(self, pulse: Pulse) -> Value:
        """Whether it is that tick."""
        count, running = self._counts[pulse.timer]
        return running & (count == pulse.count)

    def _timer(self, number: int, start: Value, sent: Value) -> Signal:
        """A counter of one interval; whether it counts for a sample that was sent."""
        m, last = self._m, self._control.interval - 1
        count = Signal(range(max(2, last + 1)), name=f"count{number}")
        running, real = Signal(name=f"running{number}"), Signal(name=f"real{number}")
        with m.If(self._advance):
            with m.If(start):
                m.d.sync += [count.eq(0), running.eq(1), real.eq(sent)]
            with m.Elif(count == last):
                m.d.sync += running.eq(0)
            with m.Else():
                m.d.sync += count.eq(count + 1)
        self._counts.append((count, running))
        return real

    def _marked(self, number: int, start: Value, counts: np.ndarray, name: str) -> Signal:
        """A register that is set in those counts of a timer."""
        m = self._m
        count, running = self._counts[number]
        signal, following = Signal(name=name), Signal(name=f"{name}_next")
        before = counts[counts > 0] - 1
        if len(before):
            with m.Switch(count), m.Case(*before.tolist()):
                m.d.comb += following.eq(running)
        with m.If(self._advance):
            m.d.sync += signal.eq(Mux(start, int(0 in counts), following))
        return signal
