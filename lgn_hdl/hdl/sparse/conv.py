"""Sparse convolution: for each pair of slots the offset, its weights, their products, the sum."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from amaranth.hdl import Cat, Const, Module, Signal, Value, signed

from ...network import FixedPoint, SparseConv2d, TensorType
from ...network.arithmetic import unit_ratio
from .constants import above
from .payload import fixed_format
from .products import added, apart, tree, tree_registers, weight_bits
from .slots import Place, SlotSteps, behind
from .steps import Held, delayed

__all__ = ["SparseConv"]


class SparseConv(SlotSteps):
    """A sparse convolution.

    Parameters
    ----------
    layer : SparseConv2d
    source : TensorType
        A sparse tensor.
    parallel : int
        Slots of the result in a clock, 1 to all of them.

    Members
    -------
    i : In(stream.Signature(layout_of(source)))
    o : Out(stream.Signature(layout_of(layer.infer(source))))

    Raises
    ------
    BuildError
        If `parallel` is out of range.
    """

    def __init__(self, *, layer: SparseConv2d, source: TensorType, parallel: int):
        self._layer = layer
        terms = source.shape[0] * source.shape[1] if source.masked else 1
        super().__init__(
            layer=layer, source=source, parallel=parallel, depth=3 + tree_registers(terms)
        )
        number, out = fixed_format(source), fixed_format(self._out)
        self._unit = int(number.step * layer.kernel_format.step / out.step)
        self._bias = (layer.bias * int(unit_ratio(layer.bias_format, out))).tolist()
        kernel = layer.kernel
        self._bits = weight_bits(int(kernel.min()), int(kernel.max()))

    def _slots_of_step(
        self, m: Module, held: Held, places: Sequence[Place], own: Sequence[Place]
    ) -> list[Value]:
        numbers = [
            [
                held.later(m, lambda s, j=j, c=c: s.features[j][c], f"x{j}_{c}", by=2)
                for c in range(self._channels)
            ]
            for j in range(self._slots)
        ]
        words = self._words(self._layer.kernel)
        mirrored = self._words(self._layer.kernel[:, :, ::-1, ::-1])
        codes: dict[tuple[int, int], Value] = {}
        found = []
        for p, mine in enumerate(own):
            weights = []
            for j, other in enumerate(places):
                name = f"weights{p}_{j}"
                if self._steps == 1 and j == p:
                    code: Value = self._centre()
                elif self._steps == 1 and j < p:
                    code = codes[j, p]
                else:
                    code = self._code(m, mine, other, f"{name}_code")
                    code = codes[p, j] = delayed(m, code, f"{name}_code_r")
                chosen = mirrored if self._steps == 1 and j < p else words
                word = self._shared.table(m, code, chosen, self._word_bits(), name)
                fixed = isinstance(word, Const)  # a register of a constant would stay
                weights.append(word if fixed else delayed(m, word, f"{name}_r"))
            found.append(self._slot(m, p, mine, weights, numbers))
        return found

    def _slot(
        self,
        m: Module,
        p: int,
        mine: Place,
        weights: Sequence[Value],
        numbers: Sequence[Sequence[Value]],
    ) -> Value:
        out = fixed_format(self._out)
        size = self._bits
        place = behind(m, mine, f"own{p}_place", by=self._within)
        features = []
        for f in range(len(self._layer.kernel)):
            terms = []
            for j, word in enumerate(weights):
                for c in range(self._channels):
                    at = (f * self._channels + c) * size
                    name = f"slot{p}_{f}_{j}_{c}"
                    term = self._shared.product(m, numbers[j][c], word[at : at + size], name)
                    terms.append(delayed(m, term, f"{name}_r").as_signed())
            total = tree(m, terms, added, f"slot{p}_{f}", width=out.width)
            biased = Signal(out.width, name=f"slot{p}_{f}_biased")
            # Where the sum is zero no bias is added; that of an empty slot is.
            bias = Const(self._bias[f] % (1 << out.width), out.width)
            bias = bias & total.any().replicate(out.width)
            m.d.comb += biased.eq(apart(total) * self._unit + bias)
            features.append(biased)
        return Cat(*features, place)

    def _word_bits(self) -> int:
        filters, channels = self._layer.kernel.shape[:2]
        return filters * channels * self._bits

    def _words(self, kernel: np.ndarray) -> list[int]:
        """All weights at one offset side by side, for each code of an offset."""
        height, width = kernel.shape[2:]
        rows, columns = height.bit_length(), width.bit_length()
        words = [0] * (1 << rows + columns)
        for row in range(height):
            for column in range(width):
                offsets = (row - height // 2) % (1 << rows), (column - width // 2) % (1 << columns)
                code = offsets[0] << columns | offsets[1]
                for k, weight in enumerate(kernel[:, :, row, column].ravel().tolist()):
                    words[code] |= weight % (1 << self._bits) << (self._bits * k)
        return words

    def _centre(self) -> Const:
        return Const(0, sum(extent.bit_length() for extent in self._layer.kernel.shape[2:]))

    def _code(self, m: Module, mine: Place, other: Place, name: str) -> Signal:
        """Offsets of column and row, their lowest bits.

        An odd kernel leaves one row offset free, the lowest: it says that there is nothing to add.
        """
        within, codes = [mine.used & other.used], []
        extents = self._layer.kernel.shape[:1:-1]  # width, height
        pairs = ((other.column, mine.column), (other.row, mine.row))
        for k, (extent, (there, here)) in enumerate(zip(extents, pairs, strict=True)):
            axis = "column" if k == 0 else "row"
            size = max((there - here).shape().width, extent.bit_length())
            offset = Signal(signed(size), name=f"{name}_{axis}")
            m.d.comb += offset.eq(there - here)
            number, half = FixedPoint(len(offset), signed=True), extent // 2
            bits = offset.as_unsigned()
            within.append(above(bits, number, -half - 1) & ~above(bits, number, half))
            codes.append(offset[: extent.bit_length()])
        out, inside = Signal(sum(map(len, codes)), name=name), Signal(name=f"{name}_within")
        m.d.comb += inside.eq(within[0] & within[1] & within[2])
        low, sign = codes[1][:-1], codes[1][-1]
        m.d.comb += out.eq(Cat(codes[0], low & inside.replicate(len(low)), sign | ~inside))
        return out
