"""Clock and reset of a board: the crystal's clock or a PLL's; a reset that outlasts power-on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amaranth.hdl import (
    ClockDomain,
    ClockSignal,
    Const,
    Elaboratable,
    Instance,
    Module,
    Signal,
)
from amaranth.lib import io
from amaranth.lib.cdc import FFSynchronizer

if TYPE_CHECKING:
    from .board import Board
    from .pll import Clock, Pll

__all__ = ["Clocking"]

# The block memories of iCE40 read as zero for about 3 us after configuration; the others need
# nothing. At least five times that, counted in the clock that is made here.
_POWER_ON_SECONDS = 15e-6


class Clocking(Elaboratable):
    """Makes clock and reset of a board.

    The reset holds from configuration until the PLL is locked and a power-on time has passed, and
    again whenever the lock is lost or the board's reset button is pressed. It changes with the
    clock.

    Parameters
    ----------
    board : Board
    clock : Clock
        As `board.clock` returns it.

    Attributes
    ----------
    clk, rst : Signal
    """

    def __init__(self, *, board: Board, clock: Clock):
        self.board, self.clock = board, clock
        self.clk, self.rst = Signal(), Signal(init=1)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        source = platform.request(platform.default_clk, dir="-")
        clk = self.clk
        locked: Signal | Const = Const(1)
        if self.clock.pll is None:
            m.submodules.clk_buf = buffer = io.Buffer(io.Direction.Input, source)
            m.d.comb += clk.eq(buffer.i)
        else:
            # Its clock needs no constraint: the tools derive it from the crystal's.
            locked = Signal()
            reference: Any
            if self.board.pll_from_pad:
                reference = source.io
            else:
                m.submodules.clk_buf = buffer = io.Buffer(io.Direction.Input, source)
                reference = buffer.i
            _PRIMITIVES[self.clock.pll.family](
                m, self.clock.pll, self.board, reference, clk, locked
            )

        m.domains += ClockDomain("start", reset_less=True, local=True)
        m.d.comb += ClockSignal("start").eq(clk)

        hold = Signal()
        m.d.comb += hold.eq(~locked)
        if self.board.reset is not None:
            button = platform.request(*self.board.reset, dir="-")
            m.submodules.button_buf = button_buffer = io.Buffer(io.Direction.Input, button)
            m.d.comb += hold.eq(~locked | button_buffer.i)
        held = Signal(init=1)
        m.submodules.hold_sync = FFSynchronizer(hold, held, init=1, o_domain="start")
        # Counts up to its highest bit, so that no comparison is in the way of a fast clock.
        count = Signal((round(_POWER_ON_SECONDS * float(self.clock.hz)) - 1).bit_length() + 1)
        with m.If(held):
            m.d.start += count.eq(0)
        with m.Elif(~count[-1]):
            m.d.start += count.eq(count + 1)
        m.d.start += self.rst.eq(~count[-1])
        return m


def _ice40(m: Module, pll: Pll, board: Board, reference: Any, clk: Signal, locked: Signal) -> None:
    settings = pll.parameters
    parameters = {
        "p_FEEDBACK_PATH": "SIMPLE",
        "p_DIVR": Const(settings["DIVR"], 4),
        "p_DIVF": Const(settings["DIVF"], 7),
        "p_DIVQ": Const(settings["DIVQ"], 3),
        "p_FILTER_RANGE": Const(settings["FILTER_RANGE"], 3),
        "i_RESETB": Const(1),
        "i_BYPASS": Const(0),
        "o_LOCK": locked,
        "o_PLLOUTGLOBAL": clk,
    }
    if board.pll_from_pad:
        m.submodules.pll = Instance("SB_PLL40_PAD", i_PACKAGEPIN=reference, **parameters)
    else:
        m.submodules.pll = Instance("SB_PLL40_CORE", i_REFERENCECLK=reference, **parameters)


def _ecp5(m: Module, pll: Pll, board: Board, reference: Any, clk: Signal, locked: Signal) -> None:
    settings = pll.parameters
    feedback = Signal()
    m.submodules.pll = Instance(
        "EHXPLLL",
        # The charge pump and loop filter that Lattice's own tool sets for all these ranges.
        a_ICP_CURRENT="12",
        a_LPF_RESISTOR="8",
        a_MFG_ENABLE_FILTEROPAMP="1",
        a_MFG_GMCREF_SEL="2",
        p_FEEDBK_PATH="CLKOP",
        p_CLKI_DIV=settings["CLKI_DIV"],
        p_CLKFB_DIV=settings["CLKFB_DIV"],
        p_CLKOP_ENABLE="ENABLED",
        p_CLKOP_DIV=settings["CLKOP_DIV"],
        p_CLKOP_CPHASE=settings["CLKOP_DIV"] - 1,
        p_CLKOS_ENABLE="ENABLED",
        p_CLKOS_DIV=settings["CLKOS_DIV"],
        p_CLKOS_CPHASE=settings["CLKOS_DIV"] - 1,
        i_CLKI=reference,
        i_CLKFB=feedback,
        **{f"i_{name}": Const(0) for name in _ECP5_OFF},
        o_CLKOP=feedback,
        o_CLKOS=clk,
        o_LOCK=locked,
    )


_ECP5_OFF = (
    *("RST", "STDBY", "PHASESEL0", "PHASESEL1", "PHASEDIR", "PHASESTEP", "PHASELOADREG"),
    *("PLLWAKESYNC", "ENCLKOP", "ENCLKOS", "ENCLKOS2", "ENCLKOS3"),
)


def _gowin(m: Module, pll: Pll, board: Board, reference: Any, clk: Signal, locked: Signal) -> None:
    settings = pll.parameters
    m.submodules.pll = Instance(
        "rPLL",
        p_FCLKIN=f"{board.clock_hz / 1e6:g}",
        p_DEVICE=getattr(board.platform, "family", ""),
        p_IDIV_SEL=settings["IDIV_SEL"],
        p_FBDIV_SEL=settings["FBDIV_SEL"],
        p_ODIV_SEL=settings["ODIV_SEL"],
        i_CLKIN=reference,
        i_CLKFB=Const(0),
        i_RESET=Const(0),
        i_RESET_P=Const(0),
        i_FBDSEL=Const(0, 6),
        i_IDSEL=Const(0, 6),
        i_ODSEL=Const(0, 6),
        i_PSDA=Const(0, 4),
        i_DUTYDA=Const(0, 4),
        i_FDLY=Const(0, 4),
        o_CLKOUT=clk,
        o_LOCK=locked,
    )


def _xilinx(m: Module, pll: Pll, board: Board, reference: Any, clk: Signal, locked: Signal) -> None:
    settings = pll.parameters
    feedback, output = Signal(), Signal()
    m.submodules.pll = Instance(
        "PLLE2_BASE",
        p_CLKIN1_PERIOD=1e9 / board.clock_hz,
        p_DIVCLK_DIVIDE=settings["DIVCLK_DIVIDE"],
        p_CLKFBOUT_MULT=settings["CLKFBOUT_MULT"],
        p_CLKOUT0_DIVIDE=settings["CLKOUT0_DIVIDE"],
        i_CLKIN1=reference,
        i_CLKFBIN=feedback,
        i_PWRDWN=Const(0),
        i_RST=Const(0),
        o_CLKFBOUT=feedback,
        o_CLKOUT0=output,
        o_LOCKED=locked,
    )
    m.submodules.clk_global = Instance("BUFG", i_I=output, o_O=clk)


_PRIMITIVES = {"ice40": _ice40, "ecp5": _ecp5, "gowin": _gowin, "xilinx": _xilinx}
