"""RTLIL in which every block is a module with the ports of its component.

Amaranth draws the border of a submodule through single nets, so its modules have a port for every
bit, named after no one. Converted on its own, a block keeps `i` and `o`; the classifier then
refers to it as an instance.
"""

from __future__ import annotations

import re
from typing import Any

from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]
from amaranth.hdl import ClockSignal, EnableInserter, Instance, ResetSignal, Signal, Value
from amaranth.hdl._ir import PortDirection
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from .classifier import MAX_PAYLOAD_BITS, Classifier, submodule
from .groupsum import GroupSum

__all__ = ["to_rtlil"]


def to_rtlil(top: Classifier) -> str:
    """RTLIL of a classifier: `top`, `top_gates`, `top_groupsum_class0` and so on."""
    modules = _Modules()
    text = rtlil.convert(top.with_blocks(modules.place), name="top", emit_src=False)
    return "\n".join([text, *modules.texts])


class _Modules:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def place(self, name: str, block: Any, enable: Value) -> Any:
        """Convert a block as the module `top_<name>`; return an instance of it.

        Tops and instances are limited: a block with more bits stays a submodule like any other.
        """
        if _port_bits(block) > MAX_PAYLOAD_BITS:
            return submodule(name, block, enable)
        enabled = Signal(name="enable")
        if isinstance(block, GroupSum):
            block = block.with_trees(lambda tree, b: self.place(f"{name}_{tree}", b, enabled))
        ports, wires = _ports(block)
        design: Any = block
        if block.latency:
            design = EnableInserter(enabled)(block)
            ports["enable"] = (enabled, PortDirection.Input)
            wires["i_enable"] = enable
        text = rtlil.convert(design, name=f"top_{name}", ports=ports, emit_src=False)
        # A block of constants has no register whatever its latency, and then no clock either.
        for port, signal in (("clk", ClockSignal()), ("rst", ResetSignal())):
            if re.search(rf"^\s*wire .*\binput \d+ +\\{port}$", text, re.MULTILINE):
                wires[f"i_{port}"] = signal
        self.texts.append(text.replace("attribute \\top 1\n", "", 1))
        return Instance(f"top_{name}", **wires)


def _port_bits(block: wiring.Component) -> int:
    """Bits of all inputs or of all outputs, whichever are more."""
    bits = {True: 0, False: 0}
    for _, member, value in block.signature.flatten(block):
        bits[member.flow is In] += len(Value.cast(value))
    return max(bits.values())


def _ports(block: wiring.Component) -> tuple[dict[str, Any], dict[str, Any]]:
    """Ports for the conversion of a block, and the connections of its instance."""
    ports, wires = {}, {}
    for path, member, value in block.signature.flatten(block):
        if not len(Value.cast(value)):
            continue  # Verilog has no port of no bits
        name = "__".join(map(str, path))
        is_input = member.flow is In
        direction = PortDirection.Input if is_input else PortDirection.Output
        ports[name] = (Value.cast(value), direction)
        wires[f"{'i' if is_input else 'o'}_{name}"] = Value.cast(value)
    return ports, wires
