"""Lattice iCE40-HX8K breakout board (iCE40-HX8K-B-EVN)."""

from __future__ import annotations

from amaranth_boards.ice40_hx8k_b_evn import ICE40HX8KBEVNPlatform

from lgn_hdl.flow.board import Board, Budget

__all__ = ["HX8K"]


class HX8K(Board):
    """Lattice iCE40HX8K. There is no button: only power-on resets."""

    name = "hx8k"
    title = "Lattice iCE40-HX8K-B-EVN (iCE40HX8K)"
    target = "ice40"
    platform = ICE40HX8KBEVNPlatform
    clock_hz = 12_000_000
    # The FT2232H takes 12 Mbaud; at 1 Mbaud a bit is exactly 12 clocks of the crystal.
    baud = 1_000_000
    usb_serial = "FT2232H"
    budget = Budget(lut=7680, ff=7680, bram=32, bram_bits=4096)
    nextpnr = ("--hx8k", "--package", "ct256")
    program = "iceprog -S {file}"
