"""Sipeed Tang Nano 9K."""

from __future__ import annotations

from amaranth_boards.tang_nano_9k import TangNano9kPlatform

from lgn_hdl.flow.board import Board, Budget

__all__ = ["TangNano9K"]


class TangNano9K(Board):
    """Gowin GW1NR-9C. Only power-on resets.

    The two buttons are on a bank of 1.8 V, while their description in amaranth-boards says 3.3 V: a
    reset taken from one might never be released.
    """

    name = "tangnano9k"
    title = "Sipeed Tang Nano 9K (Gowin GW1NR-9C)"
    target = "gowin"
    platform = TangNano9kPlatform
    clock_hz = 27_000_000
    # The BL702 is a microcontroller that relays each byte in software: what its firmware keeps up
    # with differs from version to version, and 115,200 baud is what all of them do.
    baud = 115_200
    usb_serial = "BL702"
    budget = Budget(lut=8640, ff=6480, bram=26, bram_bits=18_432)
    nextpnr = ("--device", "GW1NR-LV9QN88PC6/I5", "--vopt", "family=GW1N-9C")
    # Pins of the flash are free after configuration: the LCD and some headers share them.
    pack = ("-d", "GW1N-9C", "--sspi_as_gpio", "--mspi_as_gpio")
    program = "openFPGALoader --board=tangnano9k {file}"
