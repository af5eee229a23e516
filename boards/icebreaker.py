"""1BitSquared iCEBreaker."""

from __future__ import annotations

from amaranth_boards.icebreaker import ICEBreakerPlatform

from lgn_hdl.flow.board import Board, Budget

__all__ = ["ICEBreaker"]


class ICEBreaker(Board):
    """Lattice iCE40UP5K. The small button beside the USB plug resets."""

    name = "icebreaker"
    title = "1BitSquared iCEBreaker (Lattice iCE40UP5K)"
    target = "ice40"
    platform = ICEBreakerPlatform
    clock_hz = 12_000_000
    # The FT2232H takes 12 Mbaud; at 1 Mbaud a bit is exactly 12 clocks of the crystal.
    baud = 1_000_000
    usb_serial = "FT2232H"
    budget = Budget(lut=5280, ff=5280, bram=30, bram_bits=4096)
    reset = ("button", 0)
    # The crystal is at pin 35, the pad of the only PLL: the PLL's reference comes from nowhere
    # else, and with the PLL in use the pin is no input for the fabric.
    pll_from_pad = True
    nextpnr = ("--up5k", "--package", "sg48")
    program = "iceprog {file}"
