"""lgn_hdl: trained logic-gate networks as hardware that computes exactly the same.

``load`` a trained network, look at it as a ``Model``, ``build`` hardware from it, ``simulate``
that, or ask a board through ``HardwareModel``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import LgnError

if TYPE_CHECKING:
    from .api import build, convert, load, simulate
    from .host import HardwareModel
    from .model import Model
    from .network import FixedPoint

__all__ = [
    "FixedPoint",
    "HardwareModel",
    "LgnError",
    "Model",
    "build",
    "convert",
    "load",
    "simulate",
]

_HOMES = {
    "FixedPoint": ".network",
    "HardwareModel": ".host",
    "Model": ".model",
    "build": ".api",
    "convert": ".api",
    "load": ".api",
    "simulate": ".api",
}


def __getattr__(name: str) -> Any:
    """Import on first use: torch and amaranth take seconds that `--help` need not wait for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name], __name__), name)
