"""What a frame can be about, and what can be wrong with one."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["VERSION", "ErrorCode", "Kind"]

#: Of the protocol; the first byte of an identification.
VERSION = 1


class Kind(IntEnum):
    """Second byte of a frame; what a device sends has the highest bit set."""

    IDENTIFY = 0x01
    INFER = 0x02
    IDENTIFICATION = 0x81
    RESULT = 0x82
    ERROR = 0xEE


class ErrorCode(IntEnum):
    """Body of an error frame: why the device did not do what it was asked."""

    CRC = 1
    LENGTH = 2
    KIND = 3
    BUSY = 4
    SHORT = 5

    @property
    def meaning(self) -> str:
        """In words, for a message."""
        return _MEANING[self]


_MEANING = {
    ErrorCode.CRC: "the frame arrived damaged: its CRC is wrong",
    ErrorCode.LENGTH: "the body does not have the length that this kind of frame needs",
    ErrorCode.KIND: "the device knows no frame of this kind",
    ErrorCode.BUSY: "an earlier sample was still waiting for the classifier",
    ErrorCode.SHORT: "the line fell silent within the frame",
}
