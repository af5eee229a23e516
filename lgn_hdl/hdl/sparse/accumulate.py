"""Weights times numbers in steps: some in a clock, their products added to all outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from ...errors import BuildError
from ...network import Dense, TensorType
from ...network.arithmetic import unit_ratio
from .constants import times
from .payload import fixed_format, layout_of
from .products import added, apart, tree, tree_registers, weight_bits
from .steps import Held, Stalling, delayed

__all__ = ["Accumulate", "Lane"]


@dataclass(frozen=True)
class Lane:
    """Numbers that take one row of the weights.

    Parameters
    ----------
    numbers : sequence of Value
    index : Value
        Which one; a Const if it is always the same.
    rows : sequence of int
        Of the weights, for each index; -1 where there is none.
    """

    numbers: Sequence[Value]
    index: Value
    rows: Sequence[int]


class Accumulate(Stalling):
    """Σ weight[o, row, c] · numbers[c] over all lanes of all steps, and the bias.

    Parameters
    ----------
    layer : Dense
    source : TensorType
        What is taken.
    vector : TensorType
        What the dense layer is defined on.
    channels : int
        Numbers that come with one row of the weights.
    items, parallel : int
        How many such there are in a sample, and in a step.
    once : bool
        Whether every row is taken exactly once, or else any as often as there are items.
    constant : bool
        Whether each lane always takes the same row: then nothing is looked up, and the registers
        before and behind the tables are left out.
    """

    def __init__(
        self,
        *,
        layer: Dense,
        source: TensorType,
        vector: TensorType,
        channels: int,
        items: int,
        parallel: int,
        once: bool = False,
        constant: bool = False,
    ):
        takes = layout_of(source)
        self._layer, self._source = layer, source
        self._out = layer.infer(vector)
        self._number, out = fixed_format(source), fixed_format(self._out)
        if not 1 <= parallel <= items:
            raise BuildError(f"{parallel} at a time, expected 1 to {items}, all of them")
        self._early = 0 if constant else 1
        self._items, self._parallel, self._channels = items, parallel, channels
        self._unit = int(fixed_format(vector).step * layer.weight_format.step / out.step)
        self._bias = (layer.bias * int(unit_ratio(layer.bias_format, out))).tolist()
        #: The weights (row, output, channel).
        self._rows = layer.weight.reshape(len(layer.weight), -1, channels).transpose(1, 0, 2)
        self._bits = weight_bits(int(layer.weight.min()), int(layer.weight.max()))
        self._width = min(out.width, self._sum_width(once=once))
        super().__init__(
            takes=takes,
            gives=layout_of(self._out),
            steps=-(-items // parallel),
            depth=2 + 2 * self._early + tree_registers(parallel * channels),
        )

    def _lanes(self, m: Module, held: Held) -> list[Lane]:
        """The lanes of a step, behind one register if there are tables."""
        raise NotImplementedError

    def _compute(self, m: Module, held: Held) -> Value:
        width = self._width
        lanes = self._lanes(m, held)
        words = [self._words_of(m, lane, f"weights{k}") for k, lane in enumerate(lanes)]
        inputs = [
            [delayed(m, x, f"x{k}_{c}", by=self._early) for c, x in enumerate(lane.numbers)]
            for k, lane in enumerate(lanes)
        ]
        first: Value = Const(1)
        if self._steps > 1:
            first = delayed(m, held.first, "first", by=self._depth - 1)
        results = []
        for o, bias in enumerate(self._bias):
            terms = []
            for k, lane in enumerate(lanes):
                for c, x in enumerate(inputs[k]):
                    name = f"out{o}_{k}_{c}"
                    if isinstance(lane.index, Const):
                        weight = int(self._rows[lane.rows[lane.index.value], o, c])
                        ends = (self._number.min_int, self._number.max_int)
                        term = times(m, x, weight, ends, name)
                    else:
                        at = (o * self._channels + c) * self._bits
                        term = self._shared.product(
                            m, x, words[k][at : at + self._bits], name
                        ).as_signed()
                    after = Signal(term.shape(), name=f"{name}_r", reset_less=True)
                    m.d.sync += after.eq(term)
                    terms.append(after)
            total = tree(m, terms, added, f"out{o}", width=width)
            sum_so_far = Signal(width, name=f"sum{o}", reset_less=True)
            before = Mux(first, Const(bias % (1 << width), width), sum_so_far)
            m.d.sync += sum_so_far.eq(before + apart(total) * self._unit)
            results.append(sum_so_far)
        extension = fixed_format(self._out).width - width
        return Cat(Cat(total, total[-1].replicate(extension)) for total in results)

    def _sum_width(self, *, once: bool) -> int:
        """Bits that hold every sum on the way.

        The layer's own format knows neither the weights nor how few numbers there may be.
        """
        rows = self._rows.astype(object)  # integers of any size
        products = rows * self._number.min_int, rows * self._number.max_int
        low = np.minimum(np.minimum(*products), 0).sum(axis=2)
        high = np.maximum(np.maximum(*products), 0).sum(axis=2)
        if once:
            low, high = low.sum(axis=0), high.sum(axis=0)
        else:
            low, high = low.min(axis=0) * self._items, high.max(axis=0) * self._items
        bias = np.array(self._bias, object)
        least, most = (bias + low * self._unit).min(), (bias + high * self._unit).max()
        return 1 + max((-1 - min(least, -1)).bit_length(), max(most, 0).bit_length())

    def _words_of(self, m: Module, lane: Lane, name: str) -> Value:
        """The weights of a lane for all outputs, behind a register."""
        if isinstance(lane.index, Const):
            return lane.index
        words = [_word(self._rows[row], self._bits) if row >= 0 else 0 for row in lane.rows]
        size = self._bits * self._channels * len(self._bias)
        return delayed(m, self._shared.table(m, lane.index, words, size, name), f"{name}_r")


def _word(constants: np.ndarray, bits: int) -> int:
    values = enumerate(constants.ravel().tolist())
    return sum(value % (1 << bits) << (bits * k) for k, value in values)
