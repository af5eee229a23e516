"""Frames on the line: sync, kind, request id, length, body, CRC."""

from __future__ import annotations

from binascii import crc_hqx
from dataclasses import dataclass

from ..errors import BuildError

__all__ = ["HEADER_BYTES", "SYNC", "Frame", "FrameDecoder", "Problem", "crc", "encode_frame"]

#: First byte of every frame, 'L'.
SYNC = 0x4C
#: Sync, kind, request id and two bytes of length.
HEADER_BYTES = 5
_CRC_BYTES = 2
_MAX_BODY = 0xFFFF


def crc(data: bytes) -> int:
    """CRC-16/IBM-3740: polynomial 0x1021, start 0xFFFF, bits not reflected, no final xor."""
    return crc_hqx(data, 0xFFFF)


def encode_frame(kind: int, request: int, body: bytes = b"") -> bytes:
    """The bytes of one frame, sync and CRC included.

    Raises
    ------
    BuildError
        If the kind or the request id is no byte, or the body is longer than 65535 bytes.
    """
    for name, value in (("kind", kind), ("request id", request)):
        if not 0 <= value <= 0xFF:
            raise BuildError(f"the {name} of a frame is {value}, expected 0 to 255")
    if len(body) > _MAX_BODY:
        raise BuildError(f"the body of a frame has {len(body)} bytes, at most {_MAX_BODY} fit")
    covered = bytes([kind, request]) + len(body).to_bytes(2, "little") + body
    return bytes([SYNC]) + covered + crc(covered).to_bytes(_CRC_BYTES, "big")


@dataclass(frozen=True)
class Frame:
    """A frame whose CRC was right. Its kind may be one that this version does not know."""

    kind: int
    request: int
    body: bytes = b""

    def encode(self) -> bytes:
        """Its bytes on the line."""
        return encode_frame(self.kind, self.request, self.body)


@dataclass(frozen=True)
class Problem:
    """Bytes that are no frame.

    Parameters
    ----------
    what : str
        In words, for a message.
    data : bytes
        What was passed over. It may be no more than a sync byte: what follows it is looked at
        again, since a frame may start there.
    """

    what: str
    data: bytes


class FrameDecoder:
    """Finds frames in a stream of bytes that comes in pieces.

    After a wrong CRC it looks for the next sync in the bytes it has already, one after the false
    one, so that damage never costs the frame behind it.

    Parameters
    ----------
    longest_body : int
        A longer one is taken for damage at once rather than waited for.
    """

    def __init__(self, *, longest_body: int = _MAX_BODY):
        self._longest = longest_body
        self._buffer = bytearray()

    @property
    def pending(self) -> int:
        """How many bytes of an unfinished frame it holds."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Frame | Problem]:
        """Take bytes in; return the frames that they complete and what was passed over."""
        self._buffer += data
        found: list[Frame | Problem] = []
        while self._buffer:
            start = self._buffer.find(SYNC)
            if start:
                found.append(self._pass_over("bytes between frames", start))
            elif not self._take(found):
                break
        return found

    def expire(self) -> list[Frame | Problem]:
        """The line is silent: give up the unfinished frame, find those that lie within it."""
        found: list[Frame | Problem] = []
        while self._buffer:
            found.append(self._pass_over("an unfinished frame", 1))
            found += self.feed(b"")
        return found

    def _take(self, found: list[Frame | Problem]) -> bool:
        """One step with a sync byte at the front; false if more bytes are needed."""
        buffer = self._buffer
        if len(buffer) < HEADER_BYTES:
            return False
        length = int.from_bytes(buffer[3:HEADER_BYTES], "little")
        if length > self._longest:
            found.append(self._pass_over(f"a body of {length} bytes is announced", 1))
            return True
        total = HEADER_BYTES + length + _CRC_BYTES
        if len(buffer) < total:
            return False
        # Over a body followed by its own CRC, the register ends at 0.
        if crc(bytes(buffer[1:total])):
            found.append(self._pass_over("a frame with a wrong CRC", 1))
            return True
        found.append(Frame(buffer[1], buffer[2], bytes(buffer[HEADER_BYTES : total - _CRC_BYTES])))
        del buffer[:total]
        return True

    def _pass_over(self, what: str, count: int) -> Problem:
        """The first `count` bytes, or all if it is negative, are no frame."""
        count = len(self._buffer) if count < 0 else count
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return Problem(what, data)
