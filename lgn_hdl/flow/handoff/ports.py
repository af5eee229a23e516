"""Ports of a module, read from Verilog as Yosys writes it; and the module's name, changed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...errors import BuildError
from .keywords import KEYWORDS

__all__ = ["Port", "check_name", "read_ports", "renamed"]

_PORT = re.compile(
    r"^\s*(input|output|inout)\s+(?:wire\s+|reg\s+)?(?:\[(\d+):(\d+)\]\s*)?([A-Za-z_]\w*)\s*;",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Port:
    """A port of the top module.

    Parameters
    ----------
    name : str
    width : int
    direction : {"input", "output"}
    """

    name: str
    width: int
    direction: Literal["input", "output"]

    @property
    def pins(self) -> tuple[str, ...]:
        """Names of its pins in a layout, the lowest bit first."""
        if self.width == 1:
            return (self.name,)
        return tuple(f"{self.name}[{bit}]" for bit in range(self.width))


def check_name(name: str) -> str:
    """Return a name if LibreLane takes it for a design.

    Raises
    ------
    BuildError
        If it is no plain Verilog identifier.
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]+", name) or name in KEYWORDS:
        raise BuildError(
            f"{name!r} cannot be the name of a macro",
            hint="letters, digits and underscores, two characters or more, no digit first, and no "
            "keyword of Verilog",
        )
    return name


def read_ports(verilog: str, top: str) -> tuple[Port, ...]:
    """Return the ports of a module in the order of their declarations.

    Parameters
    ----------
    verilog : str
        Declarations stand in the body of the module, one each, as Yosys writes them.
    top : str

    Raises
    ------
    BuildError
        If there is no such module, it has no ports, or one goes both ways.
    """
    body = verilog[_head(verilog, top).end() :].partition("\nendmodule")[0]
    ports = []
    for direction, high, low, name in _PORT.findall(body):
        if direction == "inout":
            raise BuildError(f"port {name} goes both ways", where=top)
        width = int(high) - int(low) + 1 if high else 1
        ports.append(Port(name, width, direction))
    if not ports:
        raise BuildError("has no ports", where=f"module {top}")
    return tuple(ports)


def renamed(verilog: str, old: str, new: str) -> str:
    """Return Verilog in which the top module has another name.

    Raises
    ------
    BuildError
        If there is no module of the old name, or already one of the new name.
    """
    head = _head(verilog, old)
    if old == new:
        return verilog
    if re.search(rf"^\s*module\s+{new}\b", verilog, re.MULTILINE):
        raise BuildError(f"there already is a module {new!r}", hint="choose another name")
    start, end = head.span(1)
    return verilog[:start] + new + verilog[end:]


def _head(verilog: str, top: str) -> re.Match[str]:
    head = re.search(rf"^\s*module\s+({re.escape(top)})\b", verilog, re.MULTILINE)
    if head is None:
        names: Sequence[str] = re.findall(r"^\s*module\s+(\w+)", verilog, re.MULTILINE)
        found = ", ".join(names[:3]) or "none"
        raise BuildError(f"there is no module {top!r}", hint=f"modules found: {found}")
    return head
