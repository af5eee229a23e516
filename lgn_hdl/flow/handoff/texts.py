"""Constraints and read-me of a hand-off, from their templates."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined

from .ports import Port

__all__ = ["make_sdc", "render"]

#: Clock of a design that has none.
_VIRTUAL = "virtual_clock"


def render(template: str, **values: Any) -> str:
    """Fill in a template of this folder."""
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )
    environment.filters["json"] = lambda value: json.dumps(value, ensure_ascii=False)
    text = files("lgn_hdl.flow.handoff").joinpath(template).read_text()
    return environment.from_string(text).render(**values).rstrip() + "\n"


def make_sdc(
    ports: Sequence[Port],
    *,
    name: str,
    period_ns: float,
    clock: str | None,
    reset: str | None,
    io_share: float,
) -> str:
    """Return the timing constraints (SDC) of a macro.

    LibreLane reads them for place and route and for sign-off; a plain OpenSTA reads them too.

    Parameters
    ----------
    ports : sequence of Port
    name : str
    period_ns : float
    clock, reset : str or None
        Names of ports.
    io_share : float
        Share of the period that lies outside of the macro, before the inputs and again behind the
        outputs.
    """
    return render(
        "constraints.sdc.jinja",
        name=name,
        period=period_ns,
        clock=clock,
        reset=reset,
        domain=clock or _VIRTUAL,
        inputs=[_ports(p) for p in ports if p.direction == "input" and p.name != clock],
        outputs=[_ports(p) for p in ports if p.direction == "output"],
        share=io_share,
        delay=period_ns * io_share,
    )


def _ports(port: Port) -> str:
    """What `get_ports` finds all bits of a port by."""
    return port.name if port.width == 1 else f"{port.name}[*]"
