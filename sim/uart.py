"""The bench's end of the line: bytes out, bytes in, silence, reset."""

from __future__ import annotations

from collections.abc import Callable

import cocotb
from cocotb.triggers import Timer, ValueChange

__all__ = ["Uart"]


class Uart:
    """Speaks through the pins of a device inside `sim.wrapper`.

    Parameters
    ----------
    dut
        The wrapper.
    clock_ps, bit_ps : int
        Length of a clock and of a bit.
    on_byte : callable
        Told every byte of the device, and whether its stop bit was right.
    """

    def __init__(
        self, dut, *, clock_ps: int, bit_ps: int, on_byte: Callable[[int, bool], None]
    ) -> None:
        self._dut, self._on_byte = dut, on_byte
        self._clock_ps, self._bit_ps = clock_ps, bit_ps
        self._toggle = 0
        self._listener = cocotb.start_soon(self._listen())

    @property
    def byte_ps(self) -> int:
        """Length of a byte on the line."""
        return 10 * self._bit_ps

    async def send(self, byte: int, *, stop: bool = True) -> None:
        """Send a byte; return when its stop bit is over.

        A byte without a stop bit leaves the line low for that bit, then high for two.
        """
        if stop:
            await self._bits(1 << 9 | byte << 1, 10)
        else:
            await self._bits(0b11 << 10 | byte << 1, 12)

    async def send_all(self, data: bytes) -> None:
        """Send bytes without a pause between them."""
        for byte in data:
            await self.send(byte)

    async def silence(self, bits: float) -> None:
        """Let the line rest."""
        await Timer(max(1, round(bits * self._bit_ps)), unit="ps")

    async def reset(self, clocks: int = 4) -> None:
        """Hold reset for some clocks."""
        self._dut.rst.value = 1
        await Timer(clocks * self._clock_ps, unit="ps")
        self._dut.rst.value = 0
        await Timer(self._clock_ps, unit="ps")

    async def _bits(self, bits: int, count: int) -> None:
        self._toggle ^= 1
        self._dut.command.value = self._toggle << 21 | count << 16 | bits
        await ValueChange(self._dut.sent)

    async def _listen(self) -> None:
        while True:
            await ValueChange(self._dut.hear)
            self._on_byte(int(self._dut.heard.value), bool(int(self._dut.stop.value)))
