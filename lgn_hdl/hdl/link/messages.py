"""The frames a device sends, written out byte by byte for a read-only memory."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from ...link import SYNC, ErrorCode, Identity, Kind

__all__ = ["IDENTIFICATION", "Messages", "Source", "Word", "write_messages"]

#: Number of the identification among the replies; the others are the error codes.
IDENTIFICATION = max(ErrorCode) + 1


class Source(IntEnum):
    """Where a byte of a frame comes from; byte i of the result is `RESULT + i`."""

    MEMORY = 0
    CRC = 1
    REPLY_REQUEST = 2
    RESULT_REQUEST = 3
    RESULT = 4


@dataclass(frozen=True)
class Word:
    """A byte to send.

    Parameters
    ----------
    data : int
        The byte itself; 0 if it comes from elsewhere.
    source : int
        A `Source`.
    answered : bool
        The id of a reply is out: the next reply may be taken.
    release : bool
        The result is out, its CRC apart: the classifier may go on.
    last : bool
        No byte of the frame follows.
    """

    data: int = 0
    source: int = Source.MEMORY
    answered: bool = False
    release: bool = False
    last: bool = False

    def encode(self) -> int:
        """As the memory holds it, in the order of the fields from the lowest bit."""
        flags = self.answered | self.release << 1 | self.last << 2
        return self.data | flags << 8 | self.source << 11


@dataclass(frozen=True)
class Messages:
    """All frames, and where each starts.

    Parameters
    ----------
    words : tuple of Word
    replies : dict of int to int
        Error code, or `IDENTIFICATION`, to its first word.
    result : int
        First word of the frame that carries a result.
    """

    words: tuple[Word, ...]
    replies: dict[int, int]
    result: int


def write_messages(identity: Identity, *, shifting: bool = False) -> Messages:
    """Write out every frame that a device of this identity can send.

    Parameters
    ----------
    identity : Identity
    shifting : bool
        The result moves down a byte at a time, so that its bytes have one source.
    """
    words: list[Word] = []
    replies = {}
    for code in ErrorCode:
        replies[code] = _append(words, Kind.ERROR, _reply(bytes([code])))
    replies[IDENTIFICATION] = _append(words, Kind.IDENTIFICATION, _reply(identity.encode()))
    count = identity.result_bytes
    body = [
        Word(source=Source.RESULT + (0 if shifting else i), release=i == count - 1)
        for i in range(count)
    ]
    result = _append(words, Kind.RESULT, body)
    return Messages(tuple(words), replies, result)


def _reply(body: bytes) -> list[Word]:
    # The id went out before the body, so that its register is free from the first byte on.
    return [Word(byte, answered=i == 0) for i, byte in enumerate(body)]


def _append(words: list[Word], kind: Kind, body: list[Word]) -> int:
    """Append a frame at a multiple of 8, so that few address bits differ; return its start."""
    words += [Word()] * (-len(words) % 8)
    start = len(words)
    is_result = kind == Kind.RESULT
    words += [
        Word(SYNC),
        Word(kind),
        Word(source=Source.RESULT_REQUEST if is_result else Source.REPLY_REQUEST),
        *(Word(byte) for byte in len(body).to_bytes(2, "little")),
        *body,
        Word(source=Source.CRC),
        Word(source=Source.CRC, last=True),
    ]
    return start
