"""A whole sparse CNN behind two streams."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..binarizer import feature_layout
from ..classifier import check_payloads
from .payload import fixed_format
from .plan import SparsePlan

__all__ = ["SparseClassifier", "block_wires", "check_sparse_ports"]


def block_wires(name: str) -> tuple[str, str, str]:
    """Wires of the top that carry what leaves a block: payload, valid, ready."""
    return f"{name}__payload", f"{name}__valid", f"{name}__ready"


def check_sparse_ports(plan: SparsePlan) -> None:
    """Refuse what a classifier has no ports for.

    Raises
    ------
    BuildError
        If a port would be wider than Amaranth allows.
    """
    bits = plan.source.size // plan.steps * fixed_format(plan.source).width
    check_payloads(bits, plan.layout.size)


class SparseClassifier(wiring.Component):
    """A trained sparse CNN: its blocks are connected by streams, each works on its own sample.

    A block stands still while its result waits to be taken. So samples may come in any clock in
    which `i.ready` is high, results come in their order and none is lost.

    Parameters
    ----------
    plan : SparsePlan

    Members
    -------
    i : In(stream.Signature(numbers))
        The image row-major over (C, H, W), element 0 lowest; or one row after the other from the
        top, or part of a row from the left, each row-major over (C, W).
    o : Out(stream.Signature(plan.layout))

    Raises
    ------
    BuildError
        If a port would be wider than Amaranth allows.
    """

    i: Any
    o: Any

    def __init__(self, *, plan: SparsePlan):
        check_sparse_ports(plan)
        self._plan, self._place = plan, _submodule
        self.latency, self.interval = plan.latency, plan.interval
        number, count = fixed_format(plan.source), plan.source.size // plan.steps
        super().__init__(
            {
                "i": In(stream.Signature(feature_layout(number, count))),
                "o": Out(stream.Signature(plan.layout)),
            }
        )

    def with_blocks(self, place: Any) -> SparseClassifier:
        """This classifier, its blocks put into the hierarchy by `place`."""
        self._place = place
        return self

    def elaborate(self, platform: object) -> Module:
        m = Module()
        value, valid, ready = self._pixels(), self.i.valid, self.i.ready
        for block in self._plan.blocks:
            made = block.make()
            self._place(m, block.name, made, Const(1))
            payload, after, taken = block_wires(block.name)
            result = Signal(len(Value.cast(made.o.payload)), name=payload)
            result_valid, result_ready = Signal(name=after), Signal(name=taken)
            m.d.comb += [
                Value.cast(made.i.payload).eq(value),
                made.i.valid.eq(valid),
                ready.eq(made.i.ready),
                result.eq(Value.cast(made.o.payload)),
                result_valid.eq(made.o.valid),
                made.o.ready.eq(result_ready),
            ]
            value, valid, ready = result, result_valid, result_ready
        m.d.comb += [
            Value.cast(self.o.payload).eq(value),
            self.o.valid.eq(valid),
            ready.eq(self.o.ready),
        ]
        return m

    def _pixels(self) -> Value:
        """The payload by rows, columns, channels, as the input reduction takes it."""
        channels, size = self._plan.source.shape[0], fixed_format(self._plan.source).width
        rows, columns = self._plan.piece
        bits = Value.cast(self.i.payload)
        places = (
            (channel * rows + row) * columns + column
            for row in range(rows)
            for column in range(columns)
            for channel in range(channels)
        )
        return Cat(bits[at * size : (at + 1) * size] for at in places)


def _submodule(m: Module, name: str, block: Any, enable: Value) -> None:
    m.submodules[name] = block
