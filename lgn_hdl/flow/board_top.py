"""A device on a board: pins, clock and reset around it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amaranth.hdl import ClockDomain, ClockSignal, Elaboratable, Module, ResetSignal
from amaranth.lib import io

from ..errors import BuildError
from .clocking import Clocking

if TYPE_CHECKING:
    from amaranth.build import TemplatedPlatform

    from .board import Board
    from .pll import Clock

__all__ = ["BoardFiles", "BoardTop", "board_rtlil"]


class BoardTop(Elaboratable):
    """The top of a design on a board.

    Parameters
    ----------
    board : Board
    device : wiring.Component
        With ports `rx` (in) and `tx` (out), clocked by `sync`. It synchronises `rx` itself.
    clock : Clock, optional
        As `board.clock` returns it; by default the crystal's own.
    """

    def __init__(self, *, board: Board, device: Any, clock: Clock | None = None):
        self.board, self.device = board, device
        self.clock = board.clock() if clock is None else clock

    def elaborate(self, platform: Any) -> Module:
        for port in ("rx", "tx"):
            if not hasattr(self.device, port):
                raise BuildError(f"has no port {port!r}", where=type(self.device).__name__)
        m = Module()
        m.submodules.clocking = clocking = Clocking(board=self.board, clock=self.clock)
        m.domains += ClockDomain("sync")
        m.d.comb += [ClockSignal().eq(clocking.clk), ResetSignal().eq(clocking.rst)]
        m.submodules.device = device = self.device
        uart = platform.request(*self.board.uart, dir="-")
        m.submodules.rx_buf = rx = io.Buffer(io.Direction.Input, uart.rx)
        m.submodules.tx_buf = tx = io.Buffer(io.Direction.Output, uart.tx)
        m.d.comb += [device.rx.eq(rx.i), tx.o.eq(device.tx)]
        return m


@dataclass(frozen=True)
class BoardFiles:
    """What synthesis, place and route take of a design on a board.

    Parameters
    ----------
    rtlil : str
        The whole design; its top module is `top`.
    constraints : str
        Pins and clocks, in the format of the family.
    suffix : str
        That such a file has: `.pcf`, `.lpf`, `.cst` or `.xdc`.
    clock : Clock
    tcl : str
        The vendor's script, where there is one.
    """

    rtlil: str
    constraints: str
    suffix: str
    clock: Clock
    tcl: str = ""


_SUFFIXES = {"ice40": ".pcf", "ecp5": ".lpf", "gowin": ".cst", "xilinx": ".xdc"}


def board_rtlil(
    board: Board, device: Any, *, clock: Clock | None = None, extra_rtlil: str = ""
) -> BoardFiles:
    """Put a device on a board and return its RTLIL and constraints.

    No tool runs.

    Parameters
    ----------
    board : Board
    device : wiring.Component
        As `BoardTop` takes it.
    clock : Clock, optional
        As `board.clock` returns it; by default the crystal's own.
    extra_rtlil : str
        Modules that the device refers to as instances. None of them may be called `top` or
        `top.` and something.

    Raises
    ------
    BuildError
        If the device has no ports `rx` and `tx`, the board is of an unknown family, or a module of
        `extra_rtlil` has the name of another.
    """
    if board.target not in _SUFFIXES:
        raise BuildError(
            f"there is no board support for target {board.target!r}",
            where=board.name,
            hint="one of " + ", ".join(_SUFFIXES),
        )
    suffix = _SUFFIXES[board.target]
    top = BoardTop(board=board, device=device, clock=clock)
    plan = _without_tools(board.platform, suffix)().prepare(top, "top", emit_src=False)
    files = {name: _text(content) for name, content in plan.files.items()}
    rtlil = files["top.il"]
    if extra_rtlil:
        rtlil = f"{rtlil}\n{extra_rtlil}"
    names = re.findall(r"^module (\S+)$", rtlil, re.MULTILINE)
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise BuildError(f"there are two modules {twice[0][1:]!r}", where="extra_rtlil")
    return BoardFiles(rtlil, files[f"top{suffix}"], suffix, top.clock, files.get("top.tcl", ""))


def _without_tools(platform: type[TemplatedPlatform], suffix: str) -> type[TemplatedPlatform]:
    """The platform, writing RTLIL, constraints and vendor's script, and nothing Yosys is for."""

    class Plain(platform):
        @property
        def file_templates(self) -> Mapping[str, str]:
            kept = {
                name: template
                for name, template in super().file_templates.items()
                if name.endswith((suffix, "{{name}}.tcl"))
            }
            return {"{{name}}.il": "{{emit_rtlil()}}", **kept}

    return Plain


def _text(content: str | bytes) -> str:
    return content.decode() if isinstance(content, bytes) else content
