"""A front end that gets its input slice by slice, one a clock.

One input of the front end, the sliced one, comes in parts along its first axis. The other inputs
come with the first slice. What is added up within a slice is done for every slice by the same
adder trees; the collector keeps the sums of a sample's slices until the last one is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...errors import BuildError
from ...network import FixedPoint, TensorType
from .terms import FeatureTerms, Term

__all__ = ["Collector", "SlicedTerms", "slice_terms"]

#: What a feature adds up: in which slice, and which of the sums within a slice.
Part = tuple[int, int]


@dataclass(frozen=True, eq=False)
class SlicedTerms:
    """The sums within a slice, and how features are made of them.

    Parameters
    ----------
    inputs : mapping of str to TensorType
        What comes with every slice, in port order: of the sliced input one slice. What the others
        hold counts in the first slice of a sample only.
    slices : int
        Of a sample; later ones are not needed.
    sums : tuple of tuple of Term
        Different sums within a slice.
    parts : tuple of tuple of Part
        For each feature, by slice.
    """

    inputs: Mapping[str, TensorType]
    number: FixedPoint
    slices: int
    sums: tuple[tuple[Term, ...], ...]
    parts: tuple[tuple[Part, ...], ...]

    @cached_property
    def numbers(self) -> list[FixedPoint]:
        """Number format of each element of a slice."""
        found: list[FixedPoint] = []
        for tensor in self.inputs.values():
            assert isinstance(tensor.element, FixedPoint), "checked by front_of"
            found += [tensor.element] * tensor.size
        return found

    @property
    def accumulates(self) -> bool:
        """Whether a feature is a sum over several slices."""
        return any(len(parts) != 1 for parts in self.parts)


def slice_terms(terms: FeatureTerms) -> SlicedTerms:
    """Split the sums of a front end by slices of its sliced input: the one with the most axes.

    Raises
    ------
    BuildError
        If it is not the only one with as many axes, or has only one.
    """
    axes = {name: len(tensor.shape) for name, tensor in terms.inputs.items()}
    sliced = max(axes, key=lambda name: axes[name])
    if axes[sliced] < 2 or list(axes.values()).count(axes[sliced]) > 1:
        shapes = ", ".join(f"{name} {tensor.shape}" for name, tensor in terms.inputs.items())
        raise BuildError(
            f"no input comes in slices, found {shapes}",
            where="--front slices",
            hint="the one with the most axes comes slice by slice along its first axis",
        )
    whole = terms.inputs[sliced]
    inputs = {**terms.inputs, sliced: replace(whole, shape=whole.shape[1:])}
    first, size = terms.first[sliced], inputs[sliced].size
    sums: dict[tuple[Term, ...], int] = {}
    parts = []
    for feature in terms.terms:
        by_slice: dict[int, list[Term]] = {}
        for element, count in feature:
            time, place = _place(element, first, size, whole.size)
            by_slice.setdefault(time, []).append((place, count))
        # A feature of nothing is still a sum, of nothing.
        pieces = {time: tuple(sorted(piece)) for time, piece in by_slice.items()} or {0: ()}
        parts.append(
            tuple((t, sums.setdefault(piece, len(sums))) for t, piece in sorted(pieces.items()))
        )
    slices = 1 + max(time for feature in parts for time, _ in feature)
    return SlicedTerms(inputs, terms.number, slices, tuple(sums), tuple(parts))


def _place(element: int, first: int, size: int, whole: int) -> Part:
    """Slice of an element, and its number among those that come with a slice."""
    if element < first:
        return 0, element
    if element < first + whole:
        time, place = divmod(element - first, size)
        return time, first + place
    return 0, element - whole + size


class Collector(wiring.Component):
    """Keeps the sums of the slices of a sample.

    A slice that is marked as the first begins a sample whatever came before; a sample that was not
    complete is forgotten. Slices after the last one of a sample are passed over until the next
    first one.

    Parameters
    ----------
    terms : SlicedTerms

    Members
    -------
    enable : In(1)
        While it is low, no register changes.
    i : In(ArrayLayout(number, sums))
        The sums of a slice.
    valid, first : In(1)
        Whether there is a slice, and whether it is the first of a sample.
    o : Out(ArrayLayout(number, features))
    last : Out(1)
        Whether `o` is complete, `latency` registers after the last slice.
    """

    enable: Signal
    i: data.View
    valid: Signal
    first: Signal
    o: data.View
    last: Signal

    def __init__(self, *, terms: SlicedTerms):
        self._terms = terms
        #: A sum over slices stands in its register one step later.
        self.latency = int(terms.accumulates)
        number = Shape(terms.number.width, terms.number.signed)
        super().__init__(
            {
                "enable": In(1),
                "i": In(data.ArrayLayout(number, len(terms.sums))),
                "valid": In(1),
                "first": In(1),
                "o": Out(data.ArrayLayout(number, len(terms.parts))),
                "last": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        terms, width, end = self._terms, self._terms.number.width, self._terms.slices - 1
        sums = Value.cast(self.i)
        self._sums = [sums[n * width : (n + 1) * width] for n in range(len(terms.sums))]
        # Slices so far; `slices` of them is also where the collector waits for a first one.
        count = Signal(range(end + 2), init=end + 1)
        now = Signal(range(end + 2))
        m.d.comb += now.eq(Mux(self.first, 0, count))
        taken = Signal()
        m.d.comb += taken.eq(self.enable & self.valid)
        with m.If(taken & (now != end + 1)):
            m.d.sync += count.eq(now + 1)
        complete = Signal()
        m.d.comb += complete.eq(self.valid & (now == end))
        kept: dict[Part, Value] = {}
        features: list[Value] = []
        for number, parts in enumerate(terms.parts):
            if len(parts) > 1:
                features.append(self._accumulator(m, number, now, taken))
                continue
            time, which = min(parts)
            if time == end and not self.latency:
                features.append(self._sums[which])
                continue
            if (time, which) not in kept:
                register = Signal(width, name=f"slice{time}_sum{which}", reset_less=True)
                with m.If(taken & (now == time)):
                    m.d.sync += register.eq(self._sums[which])
                kept[time, which] = register
            features.append(kept[time, which])
        m.d.comb += Value.cast(self.o).eq(Cat(features))
        if self.latency:
            last = Signal()
            with m.If(self.enable):
                m.d.sync += last.eq(complete)
            m.d.comb += self.last.eq(last)
        else:
            m.d.comb += self.last.eq(complete)
        return m

    def _accumulator(self, m: Module, number: int, now: Signal, taken: Signal) -> Signal:
        """The sum so far of a feature that several slices add to."""
        parts = dict(self._terms.parts[number])
        width = self._terms.number.width
        total = Signal(width, name=f"feature{number}", reset_less=True)
        addend = Signal(width, name=f"addend{number}")
        if len(set(parts.values())) == 1 and len(parts) == self._terms.slices:
            m.d.comb += addend.eq(self._sums[next(iter(parts.values()))])
        else:
            with m.Switch(now):
                for time, which in parts.items():
                    with m.Case(time):
                        m.d.comb += addend.eq(self._sums[which])
                with m.Default():
                    m.d.comb += addend.eq(0)
        with m.If(taken & (now != self._terms.slices)):
            m.d.sync += total.eq(Mux(now == 0, Const(0, width), total) + addend)
        return total
