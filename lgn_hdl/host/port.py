"""A serial port, its failures as errors of this package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import serial

from ..errors import LinkError

__all__ = ["DEFAULT_BAUD", "TICK", "Port"]

DEFAULT_BAUD = 1_000_000
#: A read returns after this many seconds at the latest.
TICK = 0.02
#: So long may the operating system keep us from writing.
_WRITE_SECONDS = 10.0


class Port:
    """An open serial port.

    Parameters
    ----------
    name : str
        A device such as /dev/ttyUSB0 or COM3, a pseudo-terminal, or a URL of pyserial.
    baud : int

    Raises
    ------
    LinkError
        If it cannot be opened; by the other methods, if it has gone.
    """

    def __init__(self, name: str, baud: int = DEFAULT_BAUD):
        self.name, self.baud = name, baud
        if not 1 <= baud <= 100_000_000:
            raise LinkError(f"the baud rate is {baud}, expected 1 to 100,000,000", where=name)
        with self._errors("cannot be opened"):
            self._serial = serial.serial_for_url(
                name,
                baudrate=baud,
                timeout=TICK,
                write_timeout=_WRITE_SECONDS,
                # Two programs on one line would take each other's answers.
                exclusive=True if "://" not in name else None,
            )
        # USB bridges hold bytes back for up to 16 ms; where that can be turned off, it is.
        with suppress(AttributeError, ValueError, OSError, NotImplementedError):
            self._serial.set_low_latency_mode(True)

    def write(self, data: bytes) -> None:
        """Send bytes."""
        with self._errors("takes no bytes"):
            self._serial.write(data)

    def read(self) -> bytes:
        """What has arrived; waits up to `TICK` seconds for the first byte."""
        with self._errors("gives no bytes"):
            data = self._serial.read(1)
            if data and self._serial.in_waiting:
                data += self._serial.read(self._serial.in_waiting)
        return data

    def discard(self) -> None:
        """Forget what has arrived and was not read."""
        with self._errors("cannot be flushed"):
            self._serial.reset_input_buffer()

    def close(self) -> None:
        """Give the port back; it may have gone already."""
        with suppress(OSError):
            self._serial.close()

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # pyserial lets those of termios through, which Windows lacks
            said = str(error) or type(error).__name__
            raise LinkError(
                f"the port {what}: {said}",
                where=self.name,
                hint="is the board connected, and does no other program use the port?",
            ) from None
