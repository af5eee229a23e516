"""RTLIL of blocks that are nothing but operations on whole vectors: gates, compressor trees.

Amaranth's own conversion makes several objects of every bit and checks each: 70 µs and 2 kB for a
gate, minutes for a million of them. These blocks assign whole signals, each once, and use slices,
concatenations and bitwise operators only. So a statement is a few cells of RTLIL, and the
conversion is linear in the text. Whatever else a block holds is not understood here: the caller
then leaves the block to Amaranth.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]
from amaranth.hdl import ClockSignal, Const, Instance, ResetSignal, Signal
from amaranth.hdl._ast import Assign, Concat, Operator, Slice, SwitchValue
from amaranth.hdl._ir import PortDirection

__all__ = ["vector_rtlil"]

#: Two-state operators on vectors of any width; the narrower operand is extended by zeros.
_CELLS = {"&": "$and", "|": "$or", "^": "$xor", "~": "$not"}
_CLOCK = {ClockSignal: "clk", ResetSignal: "rst"}


class _NotPlain(Exception):
    """Something that is more than an operation on vectors."""


def vector_rtlil(
    fragment: Any,
    *,
    name: str,
    ports: Mapping[str, tuple[Any, PortDirection]],
    enable: Signal | None = None,
) -> str | None:
    """RTLIL of an elaborated block as a module.

    Parameters
    ----------
    fragment : Fragment
        May contain instances, but no submodules. Its registers have no reset.
    name : str
        Of the module.
    ports : mapping of str to (Value, PortDirection)
        As for `amaranth.back.rtlil.convert`; `clk` and `rst` are added where they are needed.
    enable : Signal, optional
        One of the ports; the registers stand still while it is low.

    Returns
    -------
    str or None
        None if the block holds anything else than operations on vectors.
    """
    try:
        return _Printer(fragment, name, ports, enable).text()
    except _NotPlain:
        return None


class _Printer:
    def __init__(
        self,
        fragment: Any,
        name: str,
        ports: Mapping[str, tuple[Any, PortDirection]],
        enable: Signal | None,
    ):
        if not {"comb", "sync"}.issuperset(fragment.statements):
            raise _NotPlain
        self._comb = fragment.statements.get("comb", [])
        self._sync = fragment.statements.get("sync", [])
        self._instances = [(part, name) for part, name, _ in fragment.subfragments]
        plain = all(type(part) is Instance for part, _ in self._instances)
        if not plain or any(type(s) is not Assign for s in (*self._comb, *self._sync)):
            raise _NotPlain
        self._enable = enable
        self._design = rtlil.Design(emit_src=False)
        self._module = self._design.module(name)
        self._names: dict[int, str] = {}  # of signals, by identity: they have no hash
        self._taken = {name: 1 for _, name in self._instances} | {"clk": 1, "rst": 1}
        self._declare(ports)

    def _declare(self, ports: Mapping[str, tuple[Any, PortDirection]]) -> None:
        """A wire for every port and for every signal that is driven."""
        links = [link for part, _ in self._instances for link in part.ports.values()]
        driven = [statement.lhs for statement in (*self._comb, *self._sync)]
        driven += [value for value, direction in links if direction == "o"]
        registers = {id(statement.lhs) for statement in self._sync}
        identities = {id(signal) for signal in driven}
        if len(identities) < len(driven):
            raise _NotPlain
        for name, (signal, direction) in ports.items():
            if (direction is PortDirection.Output) != (id(signal) in identities):
                raise _NotPlain
            self._taken[name] = 1
            self._wire(signal, name, registers, direction.value)
        if self._sync or any(type(value) in _CLOCK for value, _ in links):
            for clock in _CLOCK.values():
                self._module.wire(1, name=clock, port_kind="input")
        for signal in driven:
            if id(signal) not in self._names:
                self._wire(signal, self._unique(getattr(signal, "name", "")), registers)

    def _wire(
        self, signal: Any, name: str, registers: set[int], port_kind: str | None = None
    ) -> None:
        if type(signal) is not Signal or signal.shape().signed or not len(signal):
            raise _NotPlain
        attrs = {}
        if id(signal) in registers:
            if not signal.reset_less:
                raise _NotPlain
            attrs["init"] = Const(signal.init, len(signal))
        wire = self._module.wire(len(signal), name=name, port_kind=port_kind, attrs=attrs)
        self._names[id(signal)] = wire.name

    def _unique(self, name: str) -> str:
        count = self._taken[name] = self._taken.get(name, 0) + 1
        return name if count == 1 else self._unique(f"{name}_{count}")

    def text(self) -> str:
        """The module."""
        for statement in self._comb:
            self._assign(statement)
        for statement in self._sync:
            self._register(statement)
        for part, name in self._instances:
            if part.parameters or part.attrs:
                raise _NotPlain
            wires = {port: self._spec(value)[0] for port, (value, _) in part.ports.items()}
            if part.type.startswith("$"):  # a cell of Yosys', as wide as its operands
                width = {"WIDTH": len(part.ports["A"][0])}
                self._module.cell(part.type, name, ports=wires, parameters=width)
            else:
                self._module.cell(f"\\{part.type}", name, ports=wires)
        return str(self._design)

    def _assign(self, statement: Assign) -> None:
        target = self._names[id(statement.lhs)]
        text = self._extended(statement, target)
        if text != target:
            self._module.connect(target, text)

    def _register(self, statement: Assign) -> None:
        wires = {"CLK": "\\clk", "D": self._extended(statement), "Q": self._spec(statement.lhs)[0]}
        parameters = {"WIDTH": len(statement.lhs), "CLK_POLARITY": 1}
        if self._enable is not None:
            parameters["EN_POLARITY"] = 1
            wires["EN"] = self._spec(self._enable)[0]
        kind = "$dff" if self._enable is None else "$dffe"
        self._module.cell(kind, ports=wires, parameters=parameters)

    def _extended(self, statement: Assign, target: str | None = None) -> str:
        """What is assigned, in the width of the signal that it is assigned to."""
        text, width = self._spec(statement.rhs, target)
        missing = len(statement.lhs) - width
        if missing < 0 or (missing and text == target):
            raise _NotPlain
        return f"{{ {missing}'{0:0{missing}b} {text} }}" if missing else text

    def _spec(self, value: Any, target: str | None = None) -> tuple[str, int]:
        """The text that stands for a value, and its width; an operator may drive `target`."""
        kind = type(value)
        if kind is Slice:
            return self._slice(value), value.stop - value.start
        if kind is Signal:
            if id(value) not in self._names:  # neither a port nor driven
                raise _NotPlain
            return self._names[id(value)], len(value)
        if kind is Concat:
            specs = [self._spec(part) for part in value.parts]
            texts = [text for text, width in reversed(specs) if width]
            return "{ " + " ".join(texts) + " }", sum(width for _, width in specs)
        if kind is Const:
            if value.shape().signed:
                raise _NotPlain
            return f"{len(value)}'{value.value:0{len(value)}b}", len(value)
        if kind in _CLOCK and value.domain == "sync":
            return "\\" + _CLOCK[kind], 1
        if kind is SwitchValue:
            return self._mux(value, target)
        if kind is Operator and value.operator in _CELLS:
            return self._operator(value, target)
        raise _NotPlain

    def _slice(self, value: Slice) -> str:
        inner, first, end = value.value, value.start, value.stop
        while type(inner) is Slice:
            inner, first, end = inner.value, first + inner.start, end + inner.start
        if type(inner) is Const:
            return f"{end - first}'{inner.value >> first & (1 << end - first) - 1:0{end - first}b}"
        name = self._names.get(id(inner))
        if name is None or first == end:
            raise _NotPlain
        return f"{name} [{first}]" if end == first + 1 else f"{name} [{end - 1}:{first}]"

    def _operator(self, value: Any, target: str | None) -> tuple[str, int]:
        parameters, wires, width = {}, {}, 0
        for port, operand in zip("AB", value.operands, strict=False):
            wires[port], bits = self._spec(operand)
            parameters |= {f"{port}_SIGNED": 0, f"{port}_WIDTH": bits}
            width = max(width, bits)
        wires["Y"] = target or self._module.wire(width).name
        parameters["Y_WIDTH"] = width
        self._module.cell(_CELLS[value.operator], ports=wires, parameters=parameters)
        return wires["Y"], width

    def _mux(self, value: SwitchValue, target: str | None) -> tuple[str, int]:
        if [patterns for patterns, _ in value.cases] != [("0",), None]:
            raise _NotPlain
        (zero, width), (one, same) = (self._spec(choice) for _, choice in value.cases)
        select, single = self._spec(value.test)
        if width != same or single != 1:
            raise _NotPlain
        wires = {"A": zero, "B": one, "S": select, "Y": target or self._module.wire(width).name}
        self._module.cell("$mux", ports=wires, parameters={"WIDTH": width})
        return wires["Y"], width
