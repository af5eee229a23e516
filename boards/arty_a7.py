"""Digilent Arty A7-35T."""

from __future__ import annotations

from amaranth_boards.arty_a7 import ArtyA7_35Platform

from lgn_hdl.flow.board import Board, Budget

__all__ = ["ArtyA7"]


class ArtyA7(Board):
    """AMD Artix-7 XC7A35T. The red button RESET resets. Vivado makes the bitstream."""

    name = "arty_a7"
    title = "Digilent Arty A7-35T (AMD Artix-7 XC7A35T)"
    target = "xilinx"
    platform = ArtyA7_35Platform
    clock_hz = 100_000_000
    # The FT2232H takes 12 Mbaud; at 1 Mbaud a bit is exactly 100 clocks of the crystal.
    baud = 1_000_000
    usb_serial = "FT2232HQ"
    budget = Budget(lut=20_800, ff=41_600, bram=50, bram_bits=36_864)
    reset = ("rst", 0)
    program = "openFPGALoader --board=arty_a7_35t {file}"
