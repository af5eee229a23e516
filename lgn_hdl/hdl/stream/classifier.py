"""A classifier in which the positions of its images take turns at the same gates."""

from __future__ import annotations

from typing import Any

import numpy as np
from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...errors import BuildError
from ...logic.program import FIRST_INPUT, LogicProgram
from ...logic.stream import SelectedFeatures, ShiftedBits, ShiftedFeatures, StreamPlan
from ..bank import FIRST_BIT, Bank
from ..binarizer import Binarizer, feature_layout
from ..classifier import check_payloads, result_layout
from ..decision import Place, decide, drive, submodule
from ..gates import Gates
from ..wide import port_names, port_vectors
from .delayline import DelayLine
from .loader import Loader
from .parts import PartChooser, PartJoiner
from .selector import Selector
from .timers import TimerBank

__all__ = ["StreamedClassifier", "check_stream_ports", "streamed_layout"]


def streamed_layout(plan: StreamPlan) -> data.StructLayout:
    """Fields of a result; the same as those of the classifier that is not streaming."""
    return result_layout(plan.tail, plan.pipeline, argmax=plan.argmax)


def check_stream_ports(plan: StreamPlan) -> None:
    """Refuse what a streaming classifier has no ports for.

    Raises
    ------
    BuildError
        If a port would be wider than Amaranth allows, or there is nothing to compute.
    """
    if plan.argmax and not plan.pipeline.sums:
        raise BuildError("a network without group sums has no class", hint="use --no-argmax")
    features = plan.front.features * plan.front.format.width
    check_payloads(features, streamed_layout(plan).size)


class StreamedClassifier(wiring.Component):
    """A trained network, one sample in `interval` clocks.

    A sample is loaded into shift registers, which give one element of the first image at a time: a
    position, a row or a column. Every layer has a delay line for what its window needs, and gates
    for one element or a part of it. The last image is collected; then the other layers see it
    whole, as in a pipeline. All registers stand still while a result waits to be taken.

    Parameters
    ----------
    plan : StreamPlan

    Members
    -------
    i : In(stream.Signature(feature_layout))
    o : Out(stream.Signature(streamed_layout))

    Raises
    ------
    BuildError
        If a port would be wider than Amaranth allows.
    """

    i: Any
    o: Any

    def __init__(self, *, plan: StreamPlan):
        check_stream_ports(plan)
        number, results = plan.front.format, streamed_layout(plan)
        self._plan = plan
        self._place: Place = submodule
        self.latency, self.interval = plan.latency, plan.interval
        super().__init__(
            {
                "i": In(stream.Signature(feature_layout(number, plan.front.features))),
                "o": Out(stream.Signature(results)),
            }
        )

    def with_blocks(self, place: Place) -> StreamedClassifier:
        """This classifier, its blocks put into the hierarchy by `place`."""
        self._place = place
        return self

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan, advance = self._plan, Signal()
        timers = TimerBank(m, plan.control, self.i.valid, advance)
        bits = self._collected(m, timers, advance) + self._kept(m, timers, advance)
        result = decide(
            m,
            _input_bits(m, bits, plan),
            program=plan.tail,
            pipeline=plan.pipeline,
            argmax=plan.argmax,
            place=self._place,
            advance=advance,
        )
        valid = Signal(plan.pipeline.latency)
        payload = Signal.like(Value.cast(self.o.payload), name="result", reset_less=True)
        m.d.comb += [
            self.i.ready.eq(timers.ready & advance),
            advance.eq(self.o.ready | ~self.o.valid),
            self.o.valid.eq(valid[-1]),
            self.o.payload.eq(payload),
        ]
        with m.If(advance):
            m.d.sync += [valid.eq(Cat(timers.complete, valid[:-1])), payload.eq(result)]
        return m

    def _collected(self, m: Module, timers: TimerBank, advance: Signal) -> list[Value]:
        """What the tail reads of the last image."""
        plan, element = self._plan, self._elements(m, timers, advance)
        for number, layer in enumerate(plan.layers):
            window = self._delayed(m, number, element, timers, advance)
            block, program = layer.block, layer.block.program
            if block.parts > 1:
                chooser = PartChooser(chosen=block.chosen, taps=len(block.taps))
                self._place(m, f"choose{number}", chooser, Const(1))
                drive(m, port_vectors(chooser, "i", len(block.taps)), window)
                m.d.comb += chooser.turn.eq(Cat(timers.turns[number]))
                window = port_vectors(chooser, "o", program.num_inputs)
            gates = Gates(program=program, pipeline=layer.pipeline)
            self._place(m, f"layer{number}", gates, advance)
            drive(m, port_vectors(gates, "i", program.num_inputs), window)
            found = Bank.over(m, port_vectors(gates, "o", len(program.roots)))
            places = np.searchsorted(program.roots, program.bits) + FIRST_BIT
            kept = np.where(program.bits < FIRST_INPUT, program.bits, places)
            if block.parts == 1:
                element = _vectors(m, f"element{number + 1}", found, kept[block.output])
                continue
            part = _vectors(m, f"part{number + 1}", found, kept)
            joiner = PartJoiner(
                part=block.part, output=block.output, outputs=len(kept), parts=block.parts
            )
            self._place(m, f"join{number}", joiner, advance)
            drive(m, port_vectors(joiner, "i", len(kept)), part)
            element = port_vectors(joiner, "o", len(block.part))
        return self._delayed(m, len(plan.layers), element, timers, advance)

    def _elements(self, m: Module, timers: TimerBank, advance: Signal) -> list[Value]:
        """The elements of the first image, one after the other."""
        plan, place = self._plan, self._place
        source, timing, sample = plan.source, timers.streams[0], [Value.cast(self.i.payload)]
        count, width = plan.front.features, plan.front.format.width
        if isinstance(source, SelectedFeatures):
            loader: Any = Selector(source=source, features=count)
            given, size = len(source.word), count * width
        else:
            if isinstance(source, ShiftedBits):
                sample = self._compared(m, "binarizer", source.program, sample[0])
                count, width = source.program.num_inputs, 1
            loader = Loader(words=source.words, word_bits=width, count=count)
            given, size = source.words.shape[1] * width, count * width
        place(m, "loader", loader, advance & (timers.begin | (timing.take & ~timing.zero)))
        ids, start = FIRST_BIT + np.arange(size), 0
        for port in port_vectors(loader, "i", size):
            m.d.comb += port.eq(Bank.over(m, sample).gather(ids[start : start + len(port)]))
            start += len(port)
        m.d.comb += loader.load.eq(timers.begin)
        first, bit = port_vectors(loader, "o", given), FIRST_BIT + source.bit
        if isinstance(source, ShiftedFeatures):
            first, bit = self._compared(m, "binarizer", source.program, Cat(first)), source.bit
        return _vectors(m, "element0", Bank.over(m, first), bit)

    def _compared(
        self, m: Module, name: str, program: LogicProgram, features: Value
    ) -> list[Value]:
        """The comparisons of a program."""
        compare = Binarizer(program=program)
        self._place(m, name, compare, Const(1))
        m.d.comb += Value.cast(compare.i).eq(features)
        return port_vectors(compare, "o", program.num_inputs)

    def _delayed(
        self, m: Module, stream: int, element: list[Value], timers: TimerBank, advance: Signal
    ) -> list[Value]:
        """What is read of a stream at the same time."""
        plan, timing = self._plan, timers.streams[stream]
        grid, taps = plan.grids[stream], plan.read(stream)
        if not len(taps):
            return [Signal(0)]
        zeros = grid.elements > len(grid.positions)
        line = DelayLine(taps=taps, bits=plan.widths[stream], zeros=zeros)
        self._place(m, f"delay{stream}", line, advance & timing.take)
        drive(m, port_vectors(line, "i", plan.widths[stream]), element)
        if zeros:
            m.d.comb += line.zero.eq(timing.zero)
        return port_vectors(line, "o", len(taps))

    def _kept(self, m: Module, timers: TimerBank, advance: Signal) -> list[Value]:
        """Bits set aside: their features wait for the images."""
        aside, number = self._plan.aside, self._plan.front.format
        if aside is None:
            return []
        features = Bank.over(m, [Value.cast(self.i.payload)])
        places = aside.feature[:, None] * number.width + np.arange(number.width)
        value = features.gather(FIRST_BIT + places.ravel())
        times = [timers.begin, *(timers.pulse(pulse) for pulse in self._plan.control.copies)]
        for copy, time in enumerate(times):
            register = Signal(places.size, name=f"aside{copy}", reset_less=True)
            with m.If(advance & time):
                m.d.sync += register.eq(value)
            value = register
        found = self._compared(m, "binarizer_aside", aside.program, value)
        return _vectors(m, "aside_bits", Bank.over(m, found), aside.program.bits)


def _vectors(m: Module, name: str, bank: Bank, ids: np.ndarray) -> list[Value]:
    """Bits of a bank as wires, in the parts of a wide port."""
    wires: list[Value] = []
    start = 0
    for part, width in port_names(name, len(ids)):
        wire = Signal(width, name=part)
        m.d.comb += wire.eq(bank.gather(ids[start : start + width]))
        wires.append(wire)
        start += width
    return wires


def _input_bits(m: Module, vectors: list[Value], plan: StreamPlan) -> list[Value]:
    """The tail's input bits, in the parts of a wide port."""
    bank = Bank.over(m, vectors)
    ids = FIRST_BIT + np.arange(plan.tail.num_inputs)
    values, start = [], 0
    for _, width in port_names("input_bits", len(ids)):
        values.append(bank.gather(ids[start : start + width]))
        start += width
    return values
