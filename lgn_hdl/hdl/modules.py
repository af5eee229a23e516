"""RTLIL in which every block is a module with the ports of its component.

Amaranth draws the border of a submodule through single nets, so its modules have a port for every
bit, named after no one. Converted on its own, a block keeps `i` and `o`; the classifier then
refers to it as an instance.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, runtime_checkable

from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]
from amaranth.hdl import (
    ClockSignal,
    EnableInserter,
    Instance,
    Module,
    ResetSignal,
    Shape,
    Signal,
    Value,
)
from amaranth.hdl._ir import Fragment, PortDirection
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from .classifier import MAX_PAYLOAD_BITS
from .decision import Place
from .groupsum import CompressorTree, PlaceTree
from .vectors import vector_rtlil

__all__ = ["to_rtlil"]


@runtime_checkable
class HasTrees(Protocol):
    """A block that lets others put its compressor trees into the hierarchy."""

    def with_trees(self, place: PlaceTree) -> Any:
        """The same block, its trees placed by `place`."""
        ...


@runtime_checkable
class Placeable(Protocol):
    """A classifier that lets others put its blocks into the hierarchy."""

    def with_blocks(self, place: Place) -> Any:
        """The same classifier, its blocks placed by `place`."""
        ...


def to_rtlil(top: Any, name: str = "top", *, adder_cells: bool = False) -> str:
    """RTLIL of a classifier: `top`, `top_gates`, `top_groupsum_class0` and so on.

    Parameters
    ----------
    top : Component
    name : str
        Of the top module.
    adder_cells : bool
        Whether compressor trees are made of `$fa` cells, for a library with full adders.
    """
    modules = _Modules(name, adder_cells)
    with _rare_garbage_collection():
        whole = top.with_blocks(modules.place) if isinstance(top, Placeable) else top
        text = rtlil.convert(whole, name=name, emit_src=False)
    return "\n".join([_joined(text), *modules.texts])


@contextmanager
def _rare_garbage_collection() -> Iterator[None]:
    """Amaranth makes millions of objects and little garbage; by default looking for it takes up to
    half of the time.
    """
    usual = gc.get_threshold()
    gc.set_threshold(100_000, 10, 10)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


@runtime_checkable
class HasShared(Protocol):
    """A block of combinational parts that occur many times."""

    def with_shared(self, share: Any) -> Any:
        """The same block, these parts made by `share`."""
        ...


class _Modules:
    def __init__(self, top: str, adder_cells: bool) -> None:
        self.texts: list[str] = []
        self._top, self._adder_cells = top, adder_cells
        self._shared: dict[Hashable, tuple[str, Shape]] = {}

    def share(
        self,
        m: Module,
        kind: str,
        key: Hashable,
        inputs: Sequence[Value],
        body: Callable[[Module, Sequence[Signal]], Value],
        name: str,
    ) -> Signal:
        """A combinational function as an instance of a module that all its uses have in common.

        Parameters
        ----------
        m : Module
            Takes the instance.
        kind : str
            What it is; together with `key` and the shapes of the inputs it says which.
        key : hashable
        inputs : sequence of Value
        body : callable
            Makes the output in the function's own module.
        name : str
            Of the output, and of the instance.
        """
        shapes = tuple((len(value), value.shape().signed) for value in inputs)
        whole = (kind, key, shapes)
        if whole not in self._shared:
            module = f"{self._top}_{kind}{len(self._shared)}"
            self._shared[whole] = module, self._function(module, shapes, body)
        module, shape = self._shared[whole]
        out = Signal(shape, name=name)
        ports = {f"i_i{k}": value for k, value in enumerate(inputs)}
        m.submodules[f"{name}_{kind}"] = Instance(module, **ports, o_o=out)
        return out

    def _function(
        self,
        module: str,
        shapes: Sequence[tuple[int, bool]],
        body: Callable[[Module, Sequence[Signal]], Value],
    ) -> Shape:
        m = Module()
        inputs = [Signal(Shape(*shape), name=f"i{k}") for k, shape in enumerate(shapes)]
        value = body(m, inputs)
        out = Signal(value.shape(), name="o")
        m.d.comb += out.eq(value)
        ports: dict[str, Any] = {x.name: (x, PortDirection.Input) for x in inputs}
        ports["o"] = (out, PortDirection.Output)
        text = rtlil.convert(m, name=module, ports=ports, emit_src=False)
        self.texts.append(text.replace("attribute \\top 1\n", "", 1))
        return out.shape()

    def place(self, m: Module, name: str, block: Any, enable: Value, parent: str = "") -> None:
        """Convert a block as the module `<parent>_<name>`; put an instance of it into `m`.

        A block with streams knows itself when to stand still, and gets no enable.
        """
        kind = f"{parent or self._top}_{name}"
        inside = Signal(name="enable")
        own_enable = "enable" in block.signature.members or _has_streams(block)
        if isinstance(block, HasTrees):
            block = block.with_trees(lambda m, name, tree: self.place(m, name, tree, inside, kind))
        if isinstance(block, CompressorTree) and self._adder_cells:
            block = block.with_adder_cells()
        if isinstance(block, HasShared):
            block = block.with_shared(self.share)
        ports, inputs, outputs = _ports(block)
        if block.latency and not own_enable:
            ports["enable"] = (inside, PortDirection.Input)
            inputs["i_enable"] = enable
        fragment = Fragment.get(block, None)
        text = vector_rtlil(fragment, name=kind, ports=ports, enable=inside)
        if text is None:
            fragment = fragment if own_enable else EnableInserter(inside)(fragment)
            if sum(len(value) for value in inputs.values()) > MAX_PAYLOAD_BITS:
                # Too wide for a top: it stays a submodule like any other.
                m.d.comb += inside.eq(enable)
                m.submodules[name] = fragment
                return
            text = rtlil.convert(fragment, name=kind, ports=ports, emit_src=False)
        # A block of constants has no register whatever its latency, and then no clock either.
        for port, signal in (("clk", ClockSignal()), ("rst", ResetSignal())):
            if re.search(rf"^\s*wire .*\binput \d+ +\\{port}$", text, re.MULTILINE):
                inputs[f"i_{port}"] = signal
        self.texts.append(text.replace("attribute \\top 1\n", "", 1))
        first, *more = _in_parts(outputs)
        m.submodules[name] = Instance(kind, **inputs, **first)
        for number, part in enumerate(more):
            m.submodules[f"{name}{_PART}{number}"] = Instance(kind + _PART, **part)


#: Amaranth numbers the outputs of a cell with 16 bits. An instance with more of them is written as
#: several, each with some of the outputs, and the text of all is joined to one cell.
_PART = "$part"
_PARTS = re.compile(
    rf"^  cell \\(\S+){re.escape(_PART)} \\\S+\n((?:    connect .*\n)+)  end\n", re.MULTILINE
)


def _in_parts(outputs: dict[str, Value]) -> list[dict[str, Value]]:
    parts: list[dict[str, Value]] = [{}]
    bits = 0
    for name, value in outputs.items():
        if bits + len(value) > MAX_PAYLOAD_BITS:
            parts.append({})
            bits = 0
        parts[-1][name] = value
        bits += len(value)
    return parts


def _joined(text: str) -> str:
    """RTLIL in which instances that are written in parts are one cell each."""
    for part in _PARTS.finditer(text):
        cell = re.compile(rf"^  cell \\{re.escape(part[1])} \\\S+\n", re.MULTILINE)
        text = cell.sub(lambda match, part=part: match[0] + part[2], text.replace(part[0], ""), 1)
    return text


def _has_streams(block: wiring.Component) -> bool:
    return all(member.is_signature for member in block.signature.members.values())


def _ports(
    block: wiring.Component,
) -> tuple[dict[str, Any], dict[str, Value], dict[str, Value]]:
    """Ports for the conversion of a block; inputs and outputs of its instance."""
    ports: dict[str, Any] = {}
    wires: dict[bool, dict[str, Value]] = {True: {}, False: {}}
    for path, member, value in block.signature.flatten(block):
        if not len(Value.cast(value)):
            continue  # Verilog has no port of no bits
        name = "__".join(map(str, path))
        is_input = member.flow is In
        direction = PortDirection.Input if is_input else PortDirection.Output
        ports[name] = (Value.cast(value), direction)
        wires[is_input][f"{'i' if is_input else 'o'}_{name}"] = Value.cast(value)
    return ports, wires[True], wires[False]
