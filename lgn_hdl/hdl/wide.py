"""Ports of any number of bits: one vector, or several where Amaranth's limit asks for it."""

from __future__ import annotations

from amaranth.hdl import Value
from amaranth.lib.wiring import In, Member, Out

__all__ = ["port_names", "port_vectors", "wide_port"]

_LIMIT = 32_768


def port_names(name: str, width: int) -> list[tuple[str, int]]:
    """Names and widths of the vectors that make up a port, least significant first."""
    if width <= _LIMIT:
        return [(name, width)]
    return [
        (f"{name}{part}", min(_LIMIT, width - first))
        for part, first in enumerate(range(0, width, _LIMIT))
    ]


def wide_port(name: str, width: int, *, output: bool = False) -> dict[str, Member]:
    """Signature members of a port of `width` bits: `name`, or `name0`, `name1`, ..."""
    return {part: (Out if output else In)(bits) for part, bits in port_names(name, width)}


def port_vectors(component: object, name: str, width: int) -> list[Value]:
    """The vectors of a wide port, least significant first."""
    return [Value.cast(getattr(component, part)) for part, _ in port_names(name, width)]
