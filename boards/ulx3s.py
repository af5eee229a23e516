"""Radiona ULX3S with the largest ECP5."""

from __future__ import annotations

from amaranth_boards.ulx3s import ULX3S_85F_Platform

from lgn_hdl.flow.board import Board, Budget

__all__ = ["ULX3S"]


class ULX3S(Board):
    """Lattice ECP5 LFE5U-85F. Button FIRE1 resets."""

    name = "ulx3s"
    title = "Radiona ULX3S-85F (Lattice ECP5 LFE5U-85F)"
    target = "ecp5"
    platform = ULX3S_85F_Platform
    clock_hz = 25_000_000
    # The FT231X takes 3 Mbaud, in steps of 3 MHz / n; at 1 Mbaud a bit is 25 clocks of the crystal.
    baud = 1_000_000
    usb_serial = "FT231X"
    budget = Budget(lut=83_640, ff=83_640, bram=208, bram_bits=18_432)
    reset = ("button_fire", 0)
    nextpnr = ("--85k", "--package", "CABGA381", "--speed", "6")
    # Configuration memory is read at 62 MHz instead of 2.4 MHz: the board starts at once.
    pack = ("--compress", "--freq", "62.0")
    program = "openFPGALoader --board=ulx3s {file}"
