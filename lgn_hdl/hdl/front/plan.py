"""What the hardware of a front end is to be: all inputs at once, or slice by slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Shape
from amaranth.lib import data

from ...errors import BuildError
from ...logic.compressor import Style
from ...logic.schedule import Pipeline
from ...logic.timing import DelayModel, StageClock
from ...network import FixedPoint, TensorType
from ...network.partition import Front
from ..classifier import MAX_PAYLOAD_BITS
from .slices import Collector, SlicedTerms, slice_terms
from .sums import FrontSums, plan_sums
from .terms import feature_terms

__all__ = ["FIRST", "FrontPlan", "plan_front"]

#: Field of the payload that marks the first slice of a sample.
FIRST = "first"


@dataclass(frozen=True, eq=False)
class FrontPlan:
    """A front end with its registers placed.

    Parameters
    ----------
    inputs : mapping of str to TensorType
        What is taken in one step, in port order: a sample, or a slice of it.
    number : FixedPoint
        Of every feature.
    features : int
    pipeline : Pipeline
        The adder trees.
    sliced : SlicedTerms or None
        None if a sample comes all at once.
    """

    inputs: Mapping[str, TensorType]
    number: FixedPoint
    features: int
    pipeline: Pipeline
    sliced: SlicedTerms | None

    @property
    def slices(self) -> int:
        """Steps that a sample comes in."""
        return 1 if self.sliced is None else self.sliced.slices

    @property
    def collector_latency(self) -> int:
        """Registers in the collector."""
        return 0 if self.sliced is None else int(self.sliced.accumulates)

    @property
    def latency(self) -> int:
        """Registers between what is taken last of a sample and its features."""
        return self.pipeline.latency + self.collector_latency

    @property
    def layout(self) -> data.StructLayout:
        """Fields of the payload: each input, element 0 lowest; then the mark of a first slice."""
        return _layout(self.inputs, marked=self.sliced is not None)

    @property
    def bits(self) -> int:
        """Of the inputs side by side, the mark not counted."""
        return sum(_shape(tensor).width * tensor.size for tensor in self.inputs.values())

    def sums(self) -> FrontSums:
        """The adder trees as hardware."""
        return FrontSums(bits=self.bits, number=self.number, pipeline=self.pipeline)

    def collector(self) -> Collector:
        """What keeps the sums of slices, as hardware."""
        assert self.sliced is not None, "only of a front end with slices"
        return Collector(terms=self.sliced)

    def pack(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Bits (n, bits) of the payload, least significant first, as uint8.

        Parameters
        ----------
        inputs : mapping of str to ndarray of int64, shape (n, ...)
            Stored integers of a step; with slices also `first`, shape (n,).
        """
        columns = []
        for name, field in self.layout:
            values = np.asarray(inputs[str(name)], np.int64).reshape(len(inputs[str(name)]), -1)
            width = field.width // values.shape[1]
            bits = values[:, :, None] >> np.arange(width) & 1
            columns.append(bits.reshape(len(values), -1).astype(np.uint8))
        return np.concatenate(columns, axis=1)


def plan_front(
    front: Front, *, slices: bool, style: Style, model: DelayModel, clock: StageClock
) -> FrontPlan:
    """Place the adder trees of a front end into stages.

    Parameters
    ----------
    front : Front
    slices : bool
        Whether a sample comes slice by slice; see `slice_terms`.
    style, model, clock
        As for `logic.schedule.schedule`.

    Raises
    ------
    BuildError
        If the payload is wider than a port, no input comes in slices, or slices are to be kept
        without a clock.
    """
    terms = feature_terms(front)
    sliced = slice_terms(terms) if slices else None
    if sliced is not None and clock.period is None:
        raise BuildError("slices need a clock", where="--front slices and --combinational")
    inputs, numbers = terms.inputs, terms.numbers
    wanted: Sequence = terms.terms
    if sliced is not None:
        inputs, numbers, wanted = sliced.inputs, sliced.numbers, sliced.sums
        if FIRST in inputs:
            raise BuildError(
                f"an input is called {FIRST!r}, as the mark of a first slice is", where="--front"
            )
    layout = _layout(inputs, marked=sliced is not None)
    if layout.size > MAX_PAYLOAD_BITS:
        raise BuildError(
            f"a sample has {layout.size} input bits, a port can have 1 to {MAX_PAYLOAD_BITS}",
            hint="--front slices takes it in parts" if sliced is None else None,
        )
    width = terms.number.width
    pipeline = plan_sums(wanted, numbers, width, style=style, model=model, clock=clock)
    return FrontPlan(inputs, terms.number, len(terms.terms), pipeline, sliced)


def _layout(inputs: Mapping[str, TensorType], *, marked: bool) -> data.StructLayout:
    fields: dict[str, Shape | data.Layout] = {
        name: data.ArrayLayout(_shape(tensor), tensor.size) for name, tensor in inputs.items()
    }
    return data.StructLayout(fields | ({FIRST: Shape(1)} if marked else {}))


def _shape(tensor: TensorType) -> Shape:
    assert isinstance(tensor.element, FixedPoint), "checked by front_of"
    return Shape(tensor.element.width, tensor.element.signed)
