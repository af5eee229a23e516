"""A dense layer as shared additions of shifted numbers: no weight is looked up or multiplied."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Shape, Signal, Value

from ...logic.adders import Adder, share_adders
from ...network import Dense, TensorType
from ...network.arithmetic import unit_ratio
from .constants import covering_shape
from .payload import fixed_format, layout_of
from .products import TREE_LEVELS, apart
from .steps import Held, Stalling

__all__ = ["ConstantDense"]


class ConstantDense(Stalling):
    """A dense layer on a whole vector in every clock, by an adder graph of alkaid.

    Parameters
    ----------
    layer : Dense
    source : TensorType
        A vector.

    Members
    -------
    i : In(stream.Signature(layout_of(source)))
    o : Out(stream.Signature(layout_of(layer.infer(source))))

    Raises
    ------
    BuildError
        If alkaid is not installed.
    """

    def __init__(self, *, layer: Dense, source: TensorType):
        self._number = fixed_format(source)
        self._out = fixed_format(layer.infer(source))
        self._graph = share_adders(layer.weight, self._number.min_int, self._number.max_int)
        self._unit = int(self._number.step * layer.weight_format.step / self._out.step)
        self._bias = (layer.bias * int(unit_ratio(layer.bias_format, self._out))).tolist()
        # The bias is one addition more.
        levels = 1 + max(
            (self._graph.levels[o.node] for o in self._graph.outputs if o.node is not None),
            default=0,
        )
        super().__init__(
            takes=layout_of(source),
            gives=layout_of(layer.infer(source)),
            steps=1,
            depth=-(-levels // TREE_LEVELS),
        )

    def _compute(self, m: Module, held: Held) -> Value:
        nodes = _Nodes(m, [held.now[k] for k in range(self._graph.inputs)])
        coefficients = self._graph.coefficients
        for number, adder in enumerate(self._graph.adders, start=self._graph.inputs):
            row = coefficients[number]
            ends = [row * self._number.min_int, row * self._number.max_int]
            low, high = (sum(f(a, b) for a, b in zip(*ends, strict=True)) for f in (min, max))
            nodes.add(adder, covering_shape(min(low, 0), max(high, 0)), self._graph.levels[number])
        results = []
        for k, (output, bias) in enumerate(zip(self._graph.outputs, self._bias, strict=True)):
            total: Value = Const(0)
            if output.node is not None:
                # What the bias is added to stands before the last register.
                total = apart(nodes.at(output.node, self._depth - 1))
                total = total << output.shift if output.shift >= 0 else total >> -output.shift
            total = total * self._unit
            result = Signal(self._out.width, name=f"result{k}", reset_less=True)
            m.d.sync += result.eq(bias - total if output.negative else bias + total)
            results.append(result)
        return Cat(*results)


class _Nodes:
    """Inputs and sums, each behind as many registers as a reader wants.

    A sum of level n stands behind n // TREE_LEVELS registers.
    """

    def __init__(self, m: Module, inputs: list[Value]):
        self._m = m
        self._at: list[list[Value]] = [[x] for x in inputs]
        self._first = [0] * len(inputs)

    def at(self, node: int, stage: int) -> Value:
        """A node behind `stage` registers."""
        values = self._at[node]
        while len(values) <= stage - self._first[node]:
            before = values[-1]
            name = f"node{node}_{len(values)}"
            after = Signal(before.shape(), name=name, reset_less=True)
            self._m.d.sync += after.eq(before)
            values.append(after)
        return values[stage - self._first[node]]

    def add(self, adder: Adder, shape: Shape, level: int) -> None:
        """The next sum."""
        # The first levels have no register before them, then come those behind every few.
        stage = level // TREE_LEVELS
        domain = "sync" if level % TREE_LEVELS == 0 else "comb"
        before = stage - 1 if domain == "sync" else stage
        left = apart(self.at(adder.left, before)) << adder.left_shift
        right = apart(self.at(adder.right, before)) << adder.right_shift
        node = len(self._at)
        total = Signal(shape, name=f"node{node}", reset_less=domain == "sync")
        self._m.d[domain] += total.eq(left - right if adder.subtract else left + right)
        self._at.append([total])
        self._first.append(stage)
