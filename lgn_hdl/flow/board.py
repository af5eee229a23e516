"""What a board is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from .pll import Clock, choose_clock

if TYPE_CHECKING:
    from amaranth.build import TemplatedPlatform

__all__ = ["Board", "Budget"]


@dataclass(frozen=True)
class Budget:
    """What the device of a board has.

    Parameters
    ----------
    lut, ff, bram : int
        LUTs of the size the target has, flip-flops, block memories.
    bram_bits : int
        Of one block memory, parity bits counted.
    """

    lut: int
    ff: int
    bram: int
    bram_bits: int


class Board:
    """A board; a subclass says what there is, in attributes of the class.

    Attributes
    ----------
    name : str
        What the user types.
    title : str
        What the report prints: board and device.
    target : str
        One of `lgn_hdl.flow.TARGETS`.
    platform : type
        The board in amaranth-boards, or another subclass of an Amaranth platform. Its
        `default_clk` is the clock.
    clock_hz : int
        The frequency of that clock.
    baud : int
        What the serial port carries with certainty, in bits per second.
    usb_serial : str
        The chip between USB and the serial port.
    budget : Budget
    uart : tuple of str and int
        Name and number of the resource with `rx` and `tx`.
    reset : tuple of str and int, or None
        Resource of a button that resets, beside the reset at power-on.
    pll_from_pad : bool
        iCE40 only: the clock comes in at the pad of the PLL, so the PLL has to take it there.
    nextpnr : tuple of str
        Options that name device and package.
    pack : tuple of str
        Options of the family's packer.
    program : str
        The command that loads a bitstream, `{file}`.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    target: ClassVar[str]
    platform: ClassVar[type[TemplatedPlatform]]
    clock_hz: ClassVar[int]
    baud: ClassVar[int]
    usb_serial: ClassVar[str]
    budget: ClassVar[Budget]
    uart: ClassVar[tuple[str, int]] = ("uart", 0)
    reset: ClassVar[tuple[str, int] | None] = None
    pll_from_pad: ClassVar[bool] = False
    nextpnr: ClassVar[tuple[str, ...]] = ()
    pack: ClassVar[tuple[str, ...]] = ()
    program: ClassVar[str]

    def __repr__(self) -> str:
        return f"<board {self.name}>"

    def clock(self, mhz: float | None = None) -> Clock:
        """Return the clock nearest to what is wanted, by default the crystal's own.

        Raises
        ------
        BuildError
            If the board's PLL cannot come within 1 % of it.
        """
        return choose_clock(self.target, self.clock_hz, mhz, where=self.name)
